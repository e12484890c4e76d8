"""What a folder holds, and what of it is taken."""

from __future__ import annotations

import os
import shutil

import pytest
from PIL import Image

from latentcut.errors import FileMissing, UnreadableImage
from latentcut.web.folder import ImageFolder, natural_order, printable


def touch(path, content: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_images_are_found_by_their_suffix_in_sub_folders_in_natural_order(tmp_path):
    names = ["10.png", "2.PNG", "b/1.jpeg", "a.Jpg", "b/c/3.webp", "x.tif", "x.TIFF", "y.bmp"]
    for name in [*names, "z.gif", "notes.txt", "b/data.json", "png", "x.png.txt"]:
        touch(tmp_path / name)

    scan = ImageFolder(tmp_path).scan()

    assert scan.images == (
        "2.PNG", "10.png", "a.Jpg", "b/1.jpeg", "b/c/3.webp", "x.tif", "x.TIFF", "y.bmp", "z.gif"
    )  # fmt: skip
    assert scan.left_out == ()


def test_hidden_folders_and_our_own_are_passed_over(tmp_path):
    for name in (".git/a.png", ".latentcut/a.png", "latentcut-export/png/a.png", ".hidden.png"):
        touch(tmp_path / name)
    touch(tmp_path / "sub" / "latentcut-export" / "a.png")
    touch(tmp_path / "kept.png")

    assert ImageFolder(tmp_path).scan().images == ("kept.png",)


def test_an_export_anywhere_in_the_folder_is_passed_over_and_said(tmp_path):
    for name in ("photo.png", "out/png/photo__1.png", "out/png/deeper/b.png", "other/c.png"):
        touch(tmp_path / name)
    touch(tmp_path / "out" / "png" / "latentcut-export.json", b"{}")

    scan = ImageFolder(tmp_path).scan()

    assert scan.images == ("other/c.png", "photo.png")
    assert scan.left_out == ("out/png/: it holds an export; open it by itself to see its pictures",)


def test_an_export_that_is_opened_itself_shows_its_pictures(tmp_path):
    touch(tmp_path / "latentcut-export.json", b"{}")
    touch(tmp_path / "photo__1.png")

    assert ImageFolder(tmp_path).scan().images == ("photo__1.png",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2.png", "10.png"),
        ("img9a.png", "img10a.png"),
        ("A2.png", "a10.png"),
        ("a/9.png", "a/10.png"),
        ("a/z.png", "a b/a.png"),  # a folder's images stay together
        ("1.png", "01.png.png"),
        ("IMG.png", "img.png"),
    ],
)
def test_numbers_in_names_count_as_numbers(first, second):
    assert sorted([second, first], key=natural_order) == [first, second]


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_name_that_is_no_text_is_left_out_with_the_reason(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    touch(tmp_path / "a.png")

    scan = ImageFolder(tmp_path).scan()

    assert scan.images == ("a.png",)
    assert scan.left_out == ("caf\N{REPLACEMENT CHARACTER}.png: the name is not UTF-8; rename it",)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_with_the_name_of_an_image_is_left_out_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    folder = ImageFolder(tmp_path)

    scan = folder.scan()
    with pytest.raises(FileMissing):
        folder.read("pipe.png")

    assert (scan.images, scan.left_out) == ((), ("pipe.png: no file",))


def test_links_in_a_circle_are_left_out(tmp_path):
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "b.png").symlink_to("a.png")
    (tmp_path / "circle").symlink_to(tmp_path, target_is_directory=True)

    scan = ImageFolder(tmp_path).scan()

    assert scan.images == ()
    assert len(scan.left_out) == 2


def test_a_folder_that_vanished_is_not_an_empty_one(tmp_path):
    (tmp_path / "photos").mkdir()
    folder = ImageFolder(tmp_path / "photos")
    shutil.rmtree(tmp_path / "photos")

    with pytest.raises(FileNotFoundError):
        folder.scan()

    assert not folder.is_there


def test_what_is_no_folder_is_refused(tmp_path):
    touch(tmp_path / "file.png")

    with pytest.raises(FileMissing) as caught:
        ImageFolder(tmp_path / "file.png")

    message = f"{tmp_path / 'file.png'} does not exist or is not a folder of images"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty (0 bytes); save it again or give another file"),
        (b"%PDF-1.7", "it is a PDF document; give a PNG, JPEG, WebP, TIFF, BMP or GIF file"),
        (
            b"\x89PNG\r\n\x1a\n",
            "its PNG data is broken or cut off; save it again or give another file",
        ),
    ],
    ids=["empty", "pdf", "cut off"],
)
def test_a_broken_image_is_named_as_in_the_folder(content, reason, tmp_path):
    touch(tmp_path / "sub" / "a.png", content)

    with pytest.raises(UnreadableImage) as caught:
        ImageFolder(tmp_path).read("sub/a.png")

    assert str(caught.value) == f"sub/a.png cannot be read as an image: {reason}"


def test_an_image_that_is_too_large_is_told_with_the_limit(tmp_path):
    Image.new("1", (8000, 7000)).save(tmp_path / "a.png")

    with pytest.raises(UnreadableImage) as caught:
        ImageFolder(tmp_path).read("a.png")

    assert str(caught.value) == (
        "a.png cannot be read as an image: it has 8000 x 7000 = 56,000,000 pixels, but at most "
        "50,000,000 pixels are allowed (max_pixels): give a smaller image or raise the limit"
    )


def test_a_changed_file_has_another_stamp(tmp_path):
    touch(tmp_path / "a.png", b"1")
    folder = ImageFolder(tmp_path)
    before = folder.stamp("a.png")
    touch(tmp_path / "new.png", b"2")
    (tmp_path / "new.png").replace(tmp_path / "a.png")

    assert folder.stamp("a.png") != before


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photo 1.png", "photo 1.png"),
        ("a\nb\x1b[31m.png", "a\\nb\\x1b[31m.png"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\N{GRINNING FACE}.png", "\N{GRINNING FACE}.png"),
    ],
)
def test_names_cannot_play_tricks_on_the_terminal(name, shown):
    assert printable(name) == shown
