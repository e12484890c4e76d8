from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from latentcut.core import files
from latentcut.core.files import write_atomically
from latentcut.errors import FileMissing


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "result.json"

    write_atomically(path, b"{}")

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"result.json": b"{}"}


def test_an_existing_file_is_replaced(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(b"a much longer old content")

    write_atomically(str(path), b"new")

    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, failing):
    path = tmp_path / "result.json"
    path.write_bytes(b"old")

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    if failing == "fsync":
        monkeypatch.setattr(files.os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(path, b"new")

    assert caught.value.errno == 28
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"result.json": b"old"}


def test_the_content_reaches_the_disk_before_the_name_does(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        order.append("flush folder" if is_folder else "flush file")
        fsync(descriptor)

    def noted_replace(path, target):
        order.append("rename")
        return replace(path, target)

    monkeypatch.setattr(files.os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_atomically(tmp_path / "result.json", b"{}")

    assert order == ["flush file", "rename", "flush folder"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_a_written_file_has_the_mode_any_new_file_has(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    path = tmp_path / "result.json"

    write_atomically(path, b"{}")

    assert path.stat().st_mode == ordinary.stat().st_mode


def test_a_name_as_long_as_names_can_be_is_written(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")

    write_atomically(path, b"{}")

    assert path.read_bytes() == b"{}"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileMissing) as caught:
        write_atomically(tmp_path / "nowhere" / "result.json", b"{}")

    assert str(caught.value) == f"{tmp_path / 'nowhere'} does not exist or is not a folder"


def test_a_folder_in_place_of_the_file_is_left_alone(tmp_path):
    (tmp_path / "result.json").mkdir()

    with pytest.raises(OSError, match="result"):
        write_atomically(tmp_path / "result.json", b"{}")

    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]
