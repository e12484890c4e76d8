"""Names that are safe as part of a path, and paths that are safe as names."""

from __future__ import annotations

import json
import os
import unicodedata

import pytest
from format_samples import NASTY_NAMES
from hypothesis import given
from hypothesis import strategies as st

from latentcut.formats.names import Stems, UniqueNames, is_inside, json_bytes, safe_name, shown


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cat", "cat"),
        ("Grüße aus 東京", "Grüße aus 東京"),
        ("../../x", "_._.._x"),
        ("..", "_"),
        ("...", "_"),
        ("", "_"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x", "C__x"),
        ("a\nb\0c", "a_b_c"),
        ("\u202etxt.exe", "_txt.exe"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("con .txt", "_con .txt"),
        ("console", "console"),
        ("name. .", "name"),
        (".hidden", "_hidden"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("\ud800", "_"),
        ("n" * 300, "n" * 191 + "~98f4dbd6"),
    ],
)
def test_a_safe_name_is_the_name_or_close_to_it(name, expected):
    if name == "n" * 300:
        assert safe_name(name).startswith("n" * 191 + "~")
        assert len(safe_name(name)) == 200
    else:
        assert safe_name(name) == expected


@given(st.one_of(st.text(), st.sampled_from(NASTY_NAMES)), st.integers(20, 300))
def test_any_name_becomes_one_segment_that_stays_as_it_is(name, max_bytes):
    safe = safe_name(name, max_bytes)

    assert safe not in ("", ".", "..")
    assert "/" not in safe
    assert "\\" not in safe
    assert len(safe.encode()) <= max(max_bytes, 1) + 1  # a device name gets one more
    assert is_inside(safe)
    assert safe_name(safe, max_bytes) == safe


def test_long_names_stay_different():
    assert safe_name("n" * 300) != safe_name("n" * 301)


def test_stems_keep_folders_and_lose_suffixes():
    stems = Stems()

    paths = ["a.jpg", "sub/a.jpg", "sub.dir/b.c.png", "noend"]
    assert [stems.of(path) for path in paths] == ["a", "sub/a", "sub.dir/b.c", "noend"]


def test_stems_are_told_apart_on_every_system():
    stems = Stems()
    composed, apart = "é.jpg", unicodedata.normalize("NFD", "é.jpg")

    paths = ["a.jpg", "a.png", "A.jpg", "a.PNG", composed, apart]
    assert [stems.of(path) for path in paths] == [
        "a",
        "a_png",
        "A_jpg",
        "a_2",
        "é",
        f"{unicodedata.normalize('NFD', 'é')}_jpg",
    ]


def test_flat_stems_have_no_folders():
    stems = Stems(flat=True)

    assert [stems.of(path) for path in ("a/b.jpg", "a__b.jpg", "../x.jpg")] == [
        "a__b",
        "a__b_jpg",
        "_.__x",
    ]


def test_a_folder_never_has_the_name_of_a_file_beside_it():
    stems = Stems()

    assert [stems.of(path) for path in ("a.jpg", "a.txt/b.jpg")] == ["a", "a.txt_/b"]


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_a_nasty_path_stays_inside(name):
    stem = Stems().of(f"{name}/{name}.jpg")

    assert is_inside(f"{stem}.txt")
    assert ".." not in stem.split("/")


def test_names_that_are_used_up_get_a_number():
    names = UniqueNames()

    assert [names.of("a"), names.of("A"), names.of("a"), names.of("a_2")] == [
        "a",
        "A_2",
        "a_3",
        "a_2_2",
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.jpg", True),
        ("a/b.jpg", True),
        ("..a/b", True),
        ("../a", False),
        ("a/../b", False),
        ("/a", False),
        ("a//b", False),
        ("./a", False),
        ("", False),
        ("a\0b", False),
        ("C:/a", os.name != "nt"),
        ("a\\..\\b", os.name != "nt"),
    ],
)
def test_whether_a_path_stays_inside_is_seen_from_its_text(path, expected):
    assert is_inside(path) is expected


def test_what_a_terminal_would_obey_is_escaped():
    assert shown("\x1b[31mred\n\u202e") == "\\x1b[31mred\\n\\u202e"


@given(st.text(st.characters()))
def test_any_text_survives_json(text):
    assert json.loads(json_bytes([text])) == [text]


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        json_bytes(float("nan"))
