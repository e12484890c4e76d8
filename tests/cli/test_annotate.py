"""``latentcut annotate``: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image

from latentcut.cli.annotate import copied_samples, open_browser


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (64, 48)).save(folder / "1.png")
    return folder


def started(*args: object) -> subprocess.Popen:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "latentcut", "annotate", *map(str, args)]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def ended(*args: object) -> tuple[int, str, str]:
    """Exit code and what was printed, of a command that ends by itself."""
    process = started(*args)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_it_prints_an_address_that_opens_the_page_and_ends_with_ctrl_c(pictures):
    process = started(pictures, "--port", 0, "--no-browser")
    lines = [process.stdout.readline().rstrip("\n") for _ in range(3)]
    url = lines[1].removeprefix("Open      ")

    with httpx.Client(timeout=60) as browser:
        page = browser.get(url, follow_redirects=True)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert lines[0] == f"{pictures}: 1 image"
    assert lines[2] == "Ctrl+C stops. Every change is saved at once."
    assert (page.status_code, page.url.path, page.url.query) == (200, "/", b"")
    assert (out, err, process.returncode) == ("Stopped. Everything is saved.\n", "", 0)


def test_with_json_it_prints_one_line_for_scripts(pictures):
    process = started(pictures, "--port", 0, "--no-browser", "--json")
    facts = json.loads(process.stdout.readline())

    headers = {"Authorization": f"Bearer {facts['token']}"}
    url = f"http://127.0.0.1:{facts['port']}"
    told = httpx.get(f"{url}/api/v1/project", headers=headers, timeout=60).json()
    process.terminate()
    out, _ = process.communicate(timeout=60)

    assert sorted(facts) == [
        "folder", "left_out", "num_images", "port", "project", "token", "url"
    ]  # fmt: skip
    assert facts["url"] == f"{url}/?token={facts['token']}"
    assert (facts["num_images"], told["name"]) == (1, "pictures")
    assert (out, process.returncode) == ("", 0)


def test_a_port_in_use_is_followed_by_the_next_free_one(pictures):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = started(pictures, "--port", port, "--no-browser")
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
        process.communicate(timeout=60)

    assert lines[1].startswith(f"port {port} is in use, so it is ")


def test_another_address_prints_the_risk(pictures):
    process = started(pictures, "--port", 0, "--no-browser", "--host", "0.0.0.0")
    lines = [process.stdout.readline() for _ in range(2)]
    process.terminate()
    _, err = process.communicate(timeout=60)

    assert lines[1].startswith("Open      http://localhost:")
    assert err == (
        "Warning: 0.0.0.0 is not an address of this computer alone. Everyone who can reach it "
        "over the\nnetwork and gets to see the address below can look at these images and change "
        "the annotations;\nthe connection is not encrypted. Use this in a network you trust, or "
        "leave --host out.\n"
    )


def test_a_folder_without_images_says_what_is_looked_for(tmp_path):
    code, out, err = ended(tmp_path, "--port", 0, "--no-browser")

    assert (code, out) == (1, "")
    assert err == (
        f"Error: {tmp_path} holds no images: looked for names that end in .png, .jpg, .jpeg, "
        ".webp, .tif, .tiff, .bmp, .gif, also in its sub-folders; give a folder with at least one\n"
    )


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    code, _, err = ended(tmp_path / "nowhere", "--port", 0, "--no-browser")

    message = f"Error: {tmp_path / 'nowhere'} does not exist or is not a folder of images\n"
    assert (code, err) == (1, message)


def test_a_folder_that_cannot_be_written_in_names_the_option_that_helps(pictures):
    (pictures / ".latentcut").write_text("in the way")

    code, _, err = ended(pictures, "--port", 0, "--no-browser")

    assert code == 1
    assert err.startswith(f"Error: the project cannot be made in {pictures}: ")
    assert "give --project and the path of a file" in err


def test_a_project_kept_elsewhere_leaves_the_folder_as_it_is(pictures, tmp_path):
    process = started(
        pictures, "--port", 0, "--no-browser", "--json", "--project", tmp_path / "mine.db"
    )
    facts = json.loads(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=60)

    assert facts["project"] == str(tmp_path / "mine.db")
    assert (tmp_path / "mine.db").is_file()
    assert [path.name for path in pictures.iterdir()] == ["1.png"]


def test_a_project_file_ends_in_db(pictures, tmp_path):
    code, _, err = ended(pictures, "--project", tmp_path / "mine", "--no-browser")

    assert code == 2
    assert "is no project file; give a name that ends in .db" in " ".join(
        line.strip("│ ") for line in err.splitlines()
    )


def test_files_that_are_left_out_are_named(pictures):
    for number in range(7):
        (pictures / f"link{number}.png").symlink_to("/etc/hostname")
    process = started(pictures, "--port", 0, "--no-browser")
    lines = [process.stdout.readline().rstrip("\n") for _ in range(8)]
    process.terminate()
    process.communicate(timeout=60)

    reason = "the link leads out of the folder or to nothing; copy the image here"
    assert lines[1:7] == [
        *[f"left out  link{number}.png: {reason}" for number in range(5)],
        "left out  2 more",
    ]


def test_samples_are_copied_into_a_folder_of_the_users_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latentcut-samples").mkdir()
    (tmp_path / "latentcut-samples" / "coffee.jpg").write_bytes(b"changed by the user")

    folder = copied_samples()

    names = sorted(path.name for path in folder.iterdir())
    assert names == ["astronaut.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg"]
    assert (folder / "coffee.jpg").read_bytes() == b"changed by the user"


@pytest.mark.parametrize("args", [(), ("photos", "--samples")], ids=["neither", "both"])
def test_a_folder_or_the_samples_are_given(args, run):
    ran = run("annotate", *args)

    assert ran.code == 2
    assert "give a folder of images, or --samples to try it on ours" in ran.usage_error


def test_a_browser_that_would_take_over_the_terminal_is_not_opened(monkeypatch):
    import webbrowser

    opened = []
    in_terminal = webbrowser.GenericBrowser("text-browser")
    monkeypatch.setattr(in_terminal, "open", opened.append)
    monkeypatch.setattr(webbrowser, "get", lambda: in_terminal)

    open_browser("http://127.0.0.1/")

    assert opened == []


def test_without_any_browser_nothing_goes_wrong(monkeypatch):
    import webbrowser

    def none() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)

    open_browser("http://127.0.0.1/")


def test_samples_are_copied_once_and_what_was_made_of_them_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = copied_samples()
    (first / "coffee.jpg").write_bytes(b"the user's own")

    second = copied_samples()

    names = sorted(path.name for path in second.iterdir())
    assert names == ["astronaut.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg"]
    assert (second / "coffee.jpg").read_bytes() == b"the user's own"


def test_a_folder_or_the_samples_must_be_named():
    code, _, err = ended("--no-browser")

    assert code == 2
    assert "give a folder of images, or --samples to try it on ours" in err
