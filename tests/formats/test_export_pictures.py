"""Pictures of a folder: their size from the header, and copies that readers of data sets take."""

from __future__ import annotations

import io

import numpy as np
import pytest
from format_samples import write_photos
from PIL import Image

from latentcut.core.images import ImageLimits, read_image
from latentcut.errors import FileMissing, ImageTooLarge, UnreadableImage
from latentcut.formats.pictures import copy_of, path_in, upright_size_hw

FORMATS = {"JPEG": "jpg", "PNG": "png", "WebP": "webp", "TIFF": "tif", "BMP": "bmp", "GIF": "gif"}


def save(path, format_name, orientation=None):
    exif = Image.Exif()
    if orientation:
        exif[274] = orientation
    pixels = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    options = {"exif": exif} if orientation else {}
    Image.fromarray(pixels).save(path, format_name.upper(), **options)


@pytest.mark.parametrize("orientation", range(9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WebP", "TIFF"])
def test_the_size_is_that_of_the_upright_image(tmp_path, format_name, orientation):
    path = tmp_path / f"a.{FORMATS[format_name]}"
    save(path, format_name, orientation)

    assert upright_size_hw(path) == read_image(path).shape[:2]


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_size_of_every_format_is_found(tmp_path, format_name):
    path = tmp_path / f"a.{FORMATS[format_name]}"
    save(path, format_name)

    assert upright_size_hw(path) == (20, 30)


def test_a_broken_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    with pytest.raises(UnreadableImage) as caught:
        upright_size_hw(tmp_path / "a.png")

    assert caught.value.given == str(tmp_path / "a.png")


def test_limits_are_kept(tmp_path):
    save(tmp_path / "a.png", "PNG")

    with pytest.raises(ImageTooLarge):
        upright_size_hw(tmp_path / "a.png", ImageLimits(max_bytes=10))


@pytest.mark.parametrize(
    ("format_name", "orientation", "suffix", "is_same"),
    [
        ("JPEG", 1, ".jpg", True),
        ("JPEG", None, ".jpg", True),
        ("JPEG", 6, ".png", False),
        ("GIF", None, ".png", False),
        ("TIFF", None, ".png", False),
    ],
)
def test_a_copy_is_the_file_itself_where_readers_take_it(
    tmp_path, format_name, orientation, suffix, is_same
):
    path = tmp_path / f"a.{FORMATS[format_name]}"
    save(path, format_name, orientation)

    data, found_suffix, found_same = copy_of(path, ("JPEG",), "PNG")

    assert (found_suffix, found_same) == (suffix, is_same)
    assert (data == path.read_bytes()) == is_same
    np.testing.assert_array_equal(read_image(data), read_image(path))


def test_a_new_jpeg_is_close_to_the_image(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.full((20, 30, 3), (200, 30, 90), np.uint8)).save(path)

    data, suffix, is_same = copy_of(path, ("JPEG",), "JPEG")

    assert (suffix, is_same, Image.open(io.BytesIO(data)).format) == (".jpg", False, "JPEG")
    assert np.abs(read_image(data).astype(int) - (200, 30, 90)).max() <= 3


def test_only_files_inside_the_folder_are_found(tmp_path):
    folder = tmp_path / "photos"
    write_photos(folder, names=("a.jpg",))
    write_photos(tmp_path, names=("outside.jpg",))
    (folder / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    (folder / "inner.jpg").symlink_to(folder / "a.jpg")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    names = ("../outside.jpg", "link.jpg", "loop.jpg", "gone.jpg", "", "a.jpg/b", "a\0.jpg")

    assert path_in(folder, "a.jpg") == path_in(folder, "inner.jpg")
    for name in names:
        with pytest.raises(FileMissing):
            path_in(folder, name)


def test_a_missing_image_is_named_without_what_a_terminal_would_obey(tmp_path):
    with pytest.raises(FileMissing) as caught:
        path_in(tmp_path, "\x1b[31m.jpg")

    assert str(caught.value) == (
        "\\x1b[31m.jpg does not exist or is not an image file in the image folder"
    )
