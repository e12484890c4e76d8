"""``latentcut download`` from a server of our own."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from latentcut.cli.download import fetch
from latentcut.errors import CheckpointBroken
from latentcut.nets.paper import weights

CONTENT = bytes(range(256)) * 40  # 10,240 bytes
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CUT = 4000  # bytes that come before the connection breaks


class Server:
    """
    Serves CONTENT on a free port of this machine.

    Attributes:
        ranges: Whether it answers a part when asked for one.
        cut: Whether it breaks the connection after CUT bytes.
        asked: The Range header of every request, None where there was none.
    """

    def __init__(self) -> None:
        self.content, self.ranges, self.cut = CONTENT, True, False
        self.asked: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the base class's name
                asked = self.headers.get("Range")
                server.asked.append(asked)
                if self.path != "/file":
                    self.send_error(404)
                    return
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                start = start if server.ranges else 0
                if start >= len(server.content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(server.content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                rest = server.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(rest)))
                if start:
                    whole = len(server.content)
                    self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
                self.end_headers()
                self.wfile.write(rest[:CUT] if server.cut else rest)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/file"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------- the file


def test_a_whole_file_is_fetched_and_nothing_else_is_left(server: Server, target: Path):
    fetch(server.url, target, SHA256)

    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["weights.pth"]
    assert server.asked == [None]


def test_a_started_file_is_completed_by_asking_for_the_rest(server: Server, target: Path):
    part = target.with_name("weights.pth.part")
    part.write_bytes(CONTENT[:4321])

    fetch(server.url, target, SHA256)

    assert server.asked == ["bytes=4321-"]
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["weights.pth"]


def test_a_server_that_ignores_the_range_sends_everything_again(server: Server, target: Path):
    server.ranges = False
    target.with_name("weights.pth.part").write_bytes(b"x" * 4321)

    fetch(server.url, target, SHA256)

    assert server.asked == ["bytes=4321-"]
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["weights.pth"]


def test_a_cut_connection_keeps_what_has_come_and_the_next_call_goes_on(
    server: Server, target: Path
):
    server.cut = True
    with pytest.raises(OSError):
        fetch(server.url, target, SHA256)
    kept = target.with_name("weights.pth.part").stat().st_size
    server.cut = False

    fetch(server.url, target, SHA256)

    assert kept == CUT
    assert server.asked == [None, f"bytes={CUT}-"]
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_complete_already_only_has_to_be_checked(server: Server, target: Path):
    # the command was stopped while the checksum was computed
    target.with_name("weights.pth.part").write_bytes(CONTENT)

    fetch(server.url, target, SHA256)

    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["weights.pth"]


def test_another_checksum_leaves_nothing_behind(server: Server, target: Path):
    server.content = CONTENT[:-1] + b"!"
    found = hashlib.sha256(server.content).hexdigest()

    with pytest.raises(CheckpointBroken) as caught:
        fetch(server.url, target, SHA256)

    assert str(caught.value) == (
        f"{target}.part has sha256 {found}, expected {SHA256}: "
        "it is another file or was cut off; get it again"
    )
    assert names(target.parent) == []


def test_a_wrong_beginning_is_thrown_away_so_that_the_next_call_succeeds(
    server: Server, target: Path
):
    target.with_name("weights.pth.part").write_bytes(b"x" * 100)

    with pytest.raises(CheckpointBroken):
        fetch(server.url, target, SHA256)
    fetch(server.url, target, SHA256)

    assert server.asked == ["bytes=100-", None]
    assert target.read_bytes() == CONTENT


def test_a_file_that_is_there_is_checked_and_not_fetched_again(server: Server, target: Path):
    target.write_bytes(CONTENT)

    fetch(server.url, target, SHA256)

    assert server.asked == []
    assert target.read_bytes() == CONTENT


def test_a_file_that_is_there_with_another_checksum_is_refused_and_kept(
    server: Server, target: Path
):
    target.write_bytes(b"mine")
    found = hashlib.sha256(b"mine").hexdigest()

    with pytest.raises(CheckpointBroken) as caught:
        fetch(server.url, target, SHA256)

    assert str(caught.value) == (
        f"{target} has sha256 {found}, expected {SHA256}: "
        "it is another file or was cut off; get it again"
    )
    assert server.asked == []
    assert target.read_bytes() == b"mine"


def test_a_file_on_a_disk_is_fetched_by_its_file_address(tmp_path: Path, target: Path):
    source = tmp_path / "source" / "weights"
    source.parent.mkdir()
    source.write_bytes(CONTENT)

    fetch(source.as_uri(), target, SHA256)

    assert target.read_bytes() == CONTENT


# ---------------------------------------------------------------- the command


def test_the_command_puts_vgg19_into_a_folder_that_it_makes(run, server, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "VGG19_SHA256", SHA256)
    folder = tmp_path / "new" / "backbones"

    ran = run("download", "vgg19", "--output", folder, "--url", server.url)

    file = folder / "vgg19-dcbb9e9d.pth"
    assert (ran.code, ran.out) == (0, f"{file} (sha256 is right)\n")
    assert file.read_bytes() == CONTENT


def test_the_command_asks_the_makers_of_the_file_unless_told_otherwise(
    run, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(weights, "VGG19_SHA256", SHA256)
    monkeypatch.setattr(weights, "VGG19_URL", server.url)

    ran = run("download", "vgg19", "--output", tmp_path)

    assert (ran.code, server.asked) == (0, [None])


def test_the_command_refuses_another_file(run, server, tmp_path):
    ran = run("download", "vgg19", "--output", tmp_path, "--url", server.url)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.strip() == (
        f"Error: {tmp_path / 'vgg19-dcbb9e9d.pth.part'} has sha256 {SHA256}, expected "
        f"{weights.VGG19_SHA256}: it is another file or was cut off; get it again"
    )
    assert names(tmp_path) == []


def test_a_cut_download_is_an_error_in_one_line(run, server, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "VGG19_SHA256", SHA256)
    server.cut = True

    ran = run("download", "vgg19", "--output", tmp_path, "--url", server.url)

    assert (ran.code, ran.out, ran.err.strip().count("\n")) == (1, "", 0)
    assert ran.err.strip().startswith("Error: ")
    assert names(tmp_path) == ["vgg19-dcbb9e9d.pth.part"]


def test_a_server_without_the_file_is_named_as_it_was_given(run, server, tmp_path):
    url = server.url.replace("/file", "/other")

    ran = run("download", "vgg19", "--output", tmp_path, "--url", url)

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "404" in ran.err
    assert url in ran.err  # as an address, not as a path with one slash
    assert names(tmp_path) == []


def test_a_server_that_is_not_there_is_an_error_in_one_line(run, server, tmp_path):
    server.close()

    ran = run("download", "vgg19", "--output", tmp_path, "--url", server.url)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: ")
    assert "refused" in ran.err
    assert ran.err.count("\n") == 1
    assert names(tmp_path) == []


def test_an_address_that_is_none_is_a_usage_error_or_an_error_but_no_traceback(run, tmp_path):
    ran = run("download", "vgg19", "--output", tmp_path, "--url", "somewhere")

    assert ran.code in (1, 2)
    assert "somewhere" in ran.err


def test_an_unknown_thing_is_a_usage_error(run, tmp_path):
    ran = run("download", "resnet", "--output", tmp_path / "new")

    assert ran.code == 2
    assert ran.usage_error == "Invalid value for WHAT: 'resnet' is unknown; there is vgg19"
    assert not (tmp_path / "new").exists()


def test_an_output_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "file").touch()

    ran = run("download", "vgg19", "--output", tmp_path / "file")

    expected = f"Error: {tmp_path / 'file'} is a file; give the name of a folder\n"
    assert (ran.code, ran.out, ran.err) == (1, "", expected)


def test_an_interrupt_keeps_what_has_come(run, server, tmp_path, monkeypatch):
    (tmp_path / "vgg19-dcbb9e9d.pth.part").write_bytes(CONTENT[:10])

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("latentcut.cli.download.receive", interrupt)

    ran = run("download", "vgg19", "--output", tmp_path, "--url", server.url)

    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "Interrupted; the same command goes on from there\n"
    assert names(tmp_path) == ["vgg19-dcbb9e9d.pth.part"]
