"""The folder that holds what clients sent: bounds, order, several processes."""

from __future__ import annotations

import hashlib
import os

from latentcut.web.api.spool import Spool


def age(spool: Spool, name: str, seconds: int) -> None:
    """Make a file look as if it had not been used for so long."""
    status = (spool.folder / name).stat()
    used = status.st_mtime - seconds
    os.utime(spool.folder / name, (used, used))


def test_content_is_kept_under_the_digest_of_its_bytes(tmp_path):
    spool = Spool(tmp_path / "spool", 1000, 10)

    name = spool.put(b"content")

    assert name == hashlib.sha256(b"content").hexdigest()
    assert spool.get(name) == b"content"


def test_names_may_be_shorter(tmp_path):
    spool = Spool(tmp_path, 1000, 10, digits=32)

    name = spool.put(b"content")

    assert name == hashlib.sha256(b"content").hexdigest()[:32]
    assert spool.get(name) == b"content"


def test_what_is_not_kept_is_none(tmp_path):
    spool = Spool(tmp_path, 1000, 10)

    assert spool.get("0" * 64) is None
    assert spool.has("0" * 64) is False


def test_another_process_finds_what_was_put(tmp_path):
    name = Spool(tmp_path, 1000, 10).put(b"content")

    assert Spool(tmp_path, 1000, 10).get(name) == b"content"


def test_what_was_not_used_for_longest_makes_room(tmp_path):
    spool = Spool(tmp_path, max_bytes=25, max_files=100)
    names = [spool.put(bytes([number]) * 10) for number in range(2)]
    age(spool, names[0], 100)
    age(spool, names[1], 200)
    spool.get(names[1])  # now the newer one

    third = spool.put(b"x" * 10)

    assert [spool.has(name) for name in (*names, third)] == [False, True, True]


def test_the_number_of_files_is_bounded_too(tmp_path):
    spool = Spool(tmp_path, max_bytes=10_000, max_files=3)

    names = []
    for number in range(6):
        names.append(spool.put(bytes([number])))
        age(spool, names[-1], 100 - number)

    assert [spool.has(name) for name in names] == [False] * 3 + [True] * 3


def test_the_newest_stays_even_when_it_is_larger_than_the_bound(tmp_path):
    spool = Spool(tmp_path, max_bytes=5, max_files=10)
    old = spool.put(b"old")

    name = spool.put(b"larger than five bytes")

    assert spool.get(name) == b"larger than five bytes"
    assert spool.has(old) is False


def test_nothing_but_whole_files_is_left_behind(tmp_path):
    spool = Spool(tmp_path, 1000, 10)

    names = {spool.put(bytes([number])) for number in range(5)}

    assert {path.name for path in tmp_path.iterdir()} == names


def test_only_the_user_may_look_into_the_folder(tmp_path):
    Spool(tmp_path / "spool", 1000, 10)

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
