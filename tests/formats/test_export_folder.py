"""The export folder: whole files, nothing stale, and nothing of anybody else touched."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from format_samples import A, B, image_of
from PIL import Image

from latentcut import __version__
from latentcut.errors import FileMissing, OutputExists
from latentcut.formats.exporting import WRITERS
from latentcut.formats.folder import (
    BATCH_FILES,
    JOURNAL_NAME,
    LIST_NAME,
    ExportFolder,
    listed_files,
)
from latentcut.formats.records import ExportedFile, ExportOptions, Job, Notes, images_as_set

IS_SOAK = os.environ.get("LATENTCUT_SOAK") == "1"


def write(folder, contents, format_name="png"):
    notes = Notes()
    files = [ExportedFile(path, data) for path, data in contents.items()]
    return ExportFolder(folder, format_name).write(files, notes), [n.line for n in notes.all()]


def contents_of(folder):
    """Every file below a folder, but for the list."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LIST_NAME
    }


def test_files_and_a_list_of_them_are_written(tmp_path):
    files, notes = write(tmp_path / "new" / "out", {"b/c.png": b"2", "a.png": b"1"})

    assert (files, notes) == (("a.png", "b/c.png"), [])
    assert contents_of(tmp_path / "new" / "out") == {"a.png": b"1", "b/c.png": b"2"}
    listed = json.loads((tmp_path / "new" / "out" / LIST_NAME).read_bytes())
    one = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    two = "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
    assert listed == {
        "version": 1,
        "format": "png",
        "written_by": f"latentcut {__version__}",
        "report": [],
        "files": {"a.png": one, "b/c.png": two},
    }


def test_the_second_export_replaces_the_first_and_leaves_nothing_stale(tmp_path):
    write(tmp_path, {"a.png": b"1", "old/b.png": b"2", "old/deep/c.png": b"3"})

    _, notes = write(tmp_path, {"a.png": b"4", "new.png": b"5"})

    assert contents_of(tmp_path) == {"a.png": b"4", "new.png": b"5"}
    assert not (tmp_path / "old").exists()
    assert notes == []


def test_a_stale_file_that_somebody_changed_is_kept_and_said_so(tmp_path):
    write(tmp_path, {"a.png": b"1", "b.png": b"2"})
    (tmp_path / "b.png").write_bytes(b"mine")

    _, notes = write(tmp_path, {"a.png": b"3"})

    assert contents_of(tmp_path) == {"a.png": b"3", "b.png": b"mine"}
    assert notes == ["files of an earlier export were changed since and are kept (1): b.png"]


def test_files_of_somebody_else_beside_ours_stay(tmp_path):
    write(tmp_path, {"sub/a.png": b"1"})
    (tmp_path / "sub" / "notes.txt").write_bytes(b"mine")

    write(tmp_path, {"b.png": b"2"})

    assert contents_of(tmp_path) == {"b.png": b"2", "sub/notes.txt": b"mine"}


def test_a_file_of_somebody_else_is_never_replaced_not_even_the_second_time(tmp_path):
    write(tmp_path, {"a.png": b"1"})
    (tmp_path / "b.png").write_bytes(b"mine")

    for _ in range(2):
        with pytest.raises(OutputExists) as caught:
            write(tmp_path, {"a.png": b"2", "b.png": b"3"})

        assert str(caught.value) == (
            f"{tmp_path / 'b.png'} is there and no export wrote it; move it, or give another folder"
        )
        assert (tmp_path / "b.png").read_bytes() == b"mine"


@pytest.mark.parametrize("is_link", [False, True], ids=["file", "link"])
def test_a_folder_of_something_else_is_refused(tmp_path, is_link):
    if is_link:
        (tmp_path / "labels").symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "labels").mkdir()

    with pytest.raises(OutputExists) as caught:
        write(tmp_path, {"a.png": b"1"})

    assert str(caught.value) == (
        f"{tmp_path} holds labels, which no export wrote; give the name of a new or empty folder"
    )


def test_hidden_files_do_not_make_a_folder_somebody_elses(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"mine")

    write(tmp_path, {"a.png": b"1"})

    assert contents_of(tmp_path) == {".DS_Store": b"mine", "a.png": b"1"}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_bytes(b"mine")

    with pytest.raises(OutputExists) as caught:
        write(tmp_path / "out", {"a.png": b"1"})

    assert str(caught.value) == f"{tmp_path / 'out'} is a file; give the name of a folder"


def test_an_export_of_another_format_is_not_replaced(tmp_path):
    write(tmp_path, {"a.png": b"1"}, "png")

    with pytest.raises(OutputExists) as caught:
        write(tmp_path, {"a.txt": b"1"}, "yolo")

    assert str(caught.value) == (
        f"{tmp_path} holds an export of format png, not yolo; give another folder"
    )


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b'{"files": 1}', b"{}", b"[" * 100_000, b'{"files": {"a": 1}, "format": "png"}'],
    ids=["empty", "list", "number", "keys", "deep", "digest"],
)
def test_a_list_that_is_none_is_not_believed(tmp_path, text):
    (tmp_path / LIST_NAME).write_bytes(text)

    with pytest.raises(OutputExists) as caught:
        write(tmp_path, {"a.png": b"1"})

    assert str(caught.value) == (
        f"{tmp_path / LIST_NAME} cannot be read; move {tmp_path} away, or give another folder"
    )


def test_a_hostile_list_removes_nothing_outside(tmp_path):
    out, outside = tmp_path / "out", tmp_path / "photo.jpg"
    write(out, {"a.png": b"1"})
    outside.write_bytes(b"1")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.png").write_bytes(b"1")
    (out / "link").symlink_to(tmp_path / "elsewhere")
    listed = json.loads((out / LIST_NAME).read_bytes())
    digest = listed["files"]["a.png"]
    paths = ["../photo.jpg", str(outside), "link/x.png", "link", "sub/../../photo.jpg"]
    listed["files"] |= dict.fromkeys(paths, digest)
    (out / LIST_NAME).write_text(json.dumps(listed))

    write(out, {"b.png": b"2"})

    assert outside.read_bytes() == b"1"
    assert (tmp_path / "elsewhere" / "x.png").read_bytes() == b"1"
    assert (out / "link").is_symlink()


def test_a_folder_that_leads_out_is_not_written_through(tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    write(out, {"a.png": b"1"})
    elsewhere.mkdir()
    (out / "labels").symlink_to(elsewhere)

    with pytest.raises(OutputExists) as caught:
        write(out, {"labels/a.txt": b"1"})

    assert str(caught.value) == f"{out / 'labels'} leads out of {out}; give another folder"
    assert list(elsewhere.iterdir()) == []


def test_an_export_that_fails_is_taken_up_by_the_next(tmp_path):
    write(tmp_path, {"a.png": b"1", "old.png": b"2"})

    def files():
        yield ExportedFile("a.png", b"3")
        yield ExportedFile("begun.png", b"4" * 20_000_000)  # fills a batch, so it is written
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        ExportFolder(tmp_path, "png").write(files(), Notes())
    assert (tmp_path / JOURNAL_NAME).exists()
    (tmp_path / ".latentcut-0123.tmp").write_bytes(b"half")

    write(tmp_path, {"a.png": b"5"})

    assert contents_of(tmp_path) == {"a.png": b"5"}


def test_a_journal_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path):
    write(tmp_path, {"a.png": b"1"})
    digest = listed_files(tmp_path)["a.png"]
    for name in ("whole.png", "torn.png"):
        (tmp_path / name).write_bytes(b"1")
    lines = json.dumps(["whole.png", digest]) + "\n[1]\nnull\n" + '["torn.p'
    (tmp_path / JOURNAL_NAME).write_text(lines)

    write(tmp_path, {"b.png": b"2"})

    assert contents_of(tmp_path) == {"b.png": b"2", "torn.png": b"1"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_two_exports_do_not_mix(tmp_path):
    def files():
        yield ExportedFile("a.png", b"1")
        write(tmp_path, {"a.png": b"2"})

    with pytest.raises(OutputExists) as caught:
        ExportFolder(tmp_path, "png").write(files(), Notes())

    assert str(caught.value) == (
        f"another export is writing into {tmp_path}; wait until it is done"
    )


def test_a_folder_without_an_export_has_no_list(tmp_path):
    with pytest.raises(FileMissing) as caught:
        listed_files(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path} does not exist or is not a folder with a finished export"
    )


# ---------------------------------------------------------------- killed at any moment

OPTIONS = ExportOptions(object_masks=True)  # so that PNG has a file per object
NUM_KILLS, NUM_IMAGES, NUM_OBJECTS = (200, 25, 20) if IS_SOAK else (8, 6, 4)

# imports everything once, then runs each export in a process of its own that can be killed
SERVER = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_export_folder import OPTIONS, annotations_of
from latentcut.formats.exporting import export_annotations
for line in sys.stdin:
    folder, format_name, version = line.split()
    annotations = annotations_of(int(version), Path(folder).parent)
    process = os.fork()
    if process == 0:
        try:
            export_annotations(annotations, format_name, Path(folder), OPTIONS)
            os._exit(0)
        finally:
            os._exit(1)
    print(process, flush=True)
    sys.stdin.readline()  # a process that nobody waited for can still be killed
    _, status = os.waitpid(process, 0)
    print(status, flush=True)
"""


def annotations_of(version, folder=Path()):
    """A set of many objects; the two versions have other masks, other labels and other images."""
    rng = np.random.default_rng(version)
    images = []
    for number in range(NUM_IMAGES):
        masks = []
        for _ in range(NUM_OBJECTS):
            mask = np.zeros((60, 80), dtype=bool)
            x, y = rng.integers(0, 60), rng.integers(0, 40)
            mask[y : y + 15, x : x + 18] = True
            masks.append(mask)
        labels = [f"v{version}" if n % 2 else "same" for n in range(NUM_OBJECTS)]
        path = f"{number}.jpg" if number % 3 else f"v{version}/{number}.jpg"
        images.append(image_of(*masks, labels=labels, path=path, id=number + 1))
    return images_as_set(images, folder=folder)


def expected_files(format_name, version):
    job = Job(annotations_of(version), OPTIONS, to_images="..")
    return {file.path: file.data for file in WRITERS[format_name].files(job)}


def wait_until(folder, share, num_files, duration_s):
    """
    Until a share of the files was begun, and then a moment longer, or the export is done.

    The journal says which were begun; it names a batch of files at a time.
    """
    journal = folder / JOURNAL_NAME
    begun_before = num_lines(journal)
    give_up = time.perf_counter() + 3 * duration_s
    has_started = False
    while time.perf_counter() < give_up:
        has_started |= journal.exists()
        if has_started and not journal.exists():
            return
        if num_lines(journal) - begun_before >= share * num_files - BATCH_FILES:
            break
        time.sleep(0.001)
    time.sleep(share * duration_s * min(1, BATCH_FILES / num_files))


def num_lines(journal):
    try:
        return journal.read_bytes().count(b"\n[")
    except FileNotFoundError:
        return 0


def check_folder(folder, versions):
    """Every file is one of the two versions, whole; the list can be read."""
    for path, data in contents_of(folder).items():
        if path == JOURNAL_NAME or path.endswith(".tmp"):
            continue
        assert data in [files[path] for files in versions if path in files], path
        if path.endswith(".json"):
            json.loads(data)
        elif path.endswith(".png"):
            Image.open(io.BytesIO(data)).load()
    json.loads((folder / LIST_NAME).read_bytes())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("format_name", ["coco", "png", "yolo"] if IS_SOAK else ["png"])
def test_every_file_is_whole_whenever_the_export_is_killed(tmp_path, format_name):
    out = tmp_path / "out"
    versions = [expected_files(format_name, version) for version in (0, 1)]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def ask(line):
        server.stdin.write(f"{line}\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    random_moment = random.Random(1)
    with server:
        for version in (0, 1):
            started = time.perf_counter()
            ask(f"{out} {format_name} {version}")
            assert ask("wait") == 0
        duration_s = time.perf_counter() - started
        num_cut = 0
        for turn in range(NUM_KILLS):
            moment = random_moment.random()
            process = ask(f"{out} {format_name} {turn % 2}")
            wait_until(out, moment, len(versions[turn % 2]), duration_s)
            os.kill(process, signal.SIGKILL)
            num_cut += ask("wait") == signal.SIGKILL
            check_folder(out, versions)
        ask(f"{out} {format_name} 1")
        assert ask("wait") == 0
        server.stdin.close()

    assert num_cut > 0
    assert contents_of(out) == versions[1]
    assert set(listed_files(out)) == set(versions[1])
    print(f"{num_cut} of {NUM_KILLS} exports of {len(versions[1])} files were cut off")


def test_two_versions_of_the_killed_export_differ():
    first, second = (expected_files("png", version) for version in (0, 1))

    assert first.keys() != second.keys()
    assert [path for path in first.keys() & second.keys() if first[path] == second[path]] == []
    assert not np.array_equal(A, B)
