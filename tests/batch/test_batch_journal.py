"""The journal of a batch: what is in it survives a crash, and nothing else is taken for it."""

from __future__ import annotations

import json

import pytest

from latentcut.batch.journal import Journal
from latentcut.errors import FileMissing, OutputExists

HEADER = {"journal": 1, "bundle": "b"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.json.journal"


@pytest.fixture
def finished(path):
    """A journal of two rows."""
    with Journal(path, HEADER) as journal:
        journal.append("one", {"width": 1})
        journal.append("two", {"width": 2})
    return path


def rows_of(path, header=HEADER):
    with Journal(path, header) as journal:
        return {key: journal.row(key) for key in ("one", "two", "three") if key in journal}


def test_rows_are_found_again(finished):
    assert rows_of(finished) == {"one": {"width": 1}, "two": {"width": 2}}


def test_rows_are_read_while_others_are_written(path):
    with Journal(path, HEADER) as journal:
        journal.append("one", {"width": 1})
        first = journal.row("one")
        journal.append("two", {"width": 2})

    assert first == {"width": 1}
    assert rows_of(path) == {"one": {"width": 1}, "two": {"width": 2}}


def test_after_a_crash_at_any_byte_whole_rows_are_kept_and_the_next_is_written(finished):
    content = finished.read_bytes()
    ends = [k + 1 for k, byte in enumerate(content) if byte == ord("\n")]

    for cut in range(len(content)):
        finished.write_bytes(content[:cut])
        with Journal(finished, HEADER) as journal:
            journal.append("three", {"width": 3})
        num_whole = sum(end <= cut for end in ends[1:])

        assert list(rows_of(finished)) == [*["one", "two"][:num_whole], "three"]


def test_rows_of_another_batch_are_refused(finished):
    with pytest.raises(OutputExists) as caught:
        rows_of(finished, {"journal": 1, "bundle": "c"})

    assert str(caught.value) == (
        f"{finished} belongs to a batch with another model or other options; delete it to begin "
        "anew, or give another output"
    )


@pytest.mark.parametrize("content", [b"something else", b"something else\n", b"[1, 2]\n"])
def test_another_file_is_refused_and_stays_as_it_is(path, content):
    path.write_bytes(content)

    with pytest.raises(OutputExists) as caught:
        rows_of(path)

    assert str(caught.value).startswith(f"{path} is no journal of a batch")
    assert path.read_bytes() == content


def test_a_broken_line_in_the_middle_is_refused(finished):
    lines = finished.read_bytes().splitlines(keepends=True)
    finished.write_bytes(lines[0] + b"{}\n" + lines[2])

    with pytest.raises(OutputExists) as caught:
        rows_of(finished)

    assert str(caught.value) == f"{finished} is no journal of a batch; give another output"


def test_two_runs_do_not_write_one_journal(path):
    pytest.importorskip("fcntl", reason="this system has no locks on files")
    with Journal(path, HEADER), pytest.raises(OutputExists) as caught:
        Journal(path, HEADER)

    assert str(caught.value) == (
        f"{path} is being written by another run; wait for it, or give another output"
    )


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(FileMissing) as caught:
        Journal(tmp_path / "none" / "out.json.journal", HEADER)

    assert str(caught.value) == f"{tmp_path / 'none'} does not exist or is not a folder"


def test_a_line_says_what_was_asked_and_what_came_out(finished):
    lines = [json.loads(line) for line in finished.read_text().splitlines()]

    assert lines == [
        HEADER,
        {"key": "one", "row": {"width": 1}},
        {"key": "two", "row": {"width": 2}},
    ]
