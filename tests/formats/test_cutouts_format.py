"""Cut-outs: only pixels of the object, nothing of what lies behind it or in the file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from format_samples import (
    NASTY_NAMES,
    A,
    Z,
    disc,
    files_of,
    image_of,
    job_of,
    notes_of,
    write_photos,
)
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from latentcut.formats.cutouts import cutout_files, inside_colours

CANARIES = [f"canary{n:02}" for n in range(12)]


def written(folder, *images, **options):
    job = job_of(*images, folder=folder, **options)
    return files_of(cutout_files, job), job


def pixels(data):
    image = Image.open(io.BytesIO(data))
    assert image.mode == "RGBA"
    return np.array(image)


def chunk_kinds(data):
    kinds, place = [], 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kinds.append(data[place + 4 : place + 8])
        place += 12 + length
    return kinds


def canaries_in(data):
    return [c for c in CANARIES if c.encode() in data or c.encode("utf-16-be") in data]


def save_talkative_jpeg(path, size_hw):
    """A photo whose metadata holds a canary wherever there is room for one."""
    exif = Image.Exif()
    for tag, canary in zip((270, 271, 272, 305, 315, 33432), CANARIES, strict=False):
        exif[tag] = canary
    exif.get_ifd(0x8769)[37510] = CANARIES[6].encode()  # user comment
    exif.get_ifd(0x8825)[29] = CANARIES[7]  # date of the GPS position
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB bui".encode("utf-16-be"), CANARIES[8].encode("utf-16-be"))
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + (14).to_bytes(4, "big")
    iptc += b"\x1c\x02\x78\x00\x08" + CANARIES[9].encode() + b"\x00"
    image = Image.fromarray(np.full((*size_hw, 3), 120, np.uint8))
    encoded = io.BytesIO()
    image.save(
        encoded,
        "JPEG",
        exif=exif,
        icc_profile=profile,
        xmp=f"<x:xmpmeta>{CANARIES[10]}</x:xmpmeta>".encode(),
        comment=CANARIES[11],
        extra=b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc,
    )
    path.write_bytes(encoded.getvalue())


def save_talkative_png(path, size_hw):
    info = PngInfo()
    for number, canary in enumerate(CANARIES):
        if number % 3 == 0:
            info.add_text(canary, canary)
        elif number % 3 == 1:
            info.add_text("Comment", canary, zip=True)
        else:
            info.add_itxt("XML:com.adobe.xmp", canary)
    Image.fromarray(np.full((*size_hw, 3), 120, np.uint8)).save(path, pnginfo=info)


def test_a_cutout_is_the_object_in_its_box(tmp_path):
    write_photos(tmp_path, A.shape, names=("a.png",))
    photo = np.array(Image.open(tmp_path / "a.png"))

    files, job = written(tmp_path, image_of(A, Z, path="a.png"))

    ((path, data),) = files.items()
    rgba = pixels(data)
    inside = A[1:3, 2:4]
    assert path == "cutouts/a_01_cat.png"
    assert rgba[:, :, 3].tolist() == [[0, 255], [255, 255]]
    np.testing.assert_array_equal(rgba[inside][:, :3], photo[1:3, 2:4][inside])
    assert rgba[0, 0].tolist() == [0, 0, 0, 0]  # nothing of the background
    assert notes_of(job) == {"empty objects are left out": ["a.png object 2"]}


def test_a_soft_edge_makes_the_picture_larger_and_shows_no_background_outside(tmp_path):
    write_photos(tmp_path, (256, 256), names=("a.png",))

    files, _ = written(tmp_path, image_of(disc(60), path="a.png"), feather_px=3.0)

    rgba = pixels(files["cutouts/a_01_cat.png"])
    alpha = rgba[:, :, 3]
    assert rgba.shape == (121 + 12, 121 + 12, 4)  # twice the softness on every side
    assert len(np.unique(alpha)) > 50
    assert alpha[66, 66] == 255
    assert 100 < alpha[66, 6] < 155  # about half at the edge
    assert not rgba[alpha == 0].any()


def test_a_soft_edge_stays_inside_the_picture(tmp_path):
    write_photos(tmp_path, A.shape, names=("a.png",))

    files, _ = written(tmp_path, image_of(A, path="a.png"), feather_px=5.0)

    assert pixels(files["cutouts/a_01_cat.png"]).shape == (4, 5, 4)


def test_the_edge_takes_the_colour_of_the_inside():
    mask = disc(60)
    inner = disc(59)
    rgb = np.full((256, 256, 3), (0, 0, 255), np.uint8)
    rgb[mask] = (128, 0, 128)  # mixed with the blue background
    rgb[inner] = (255, 0, 0)

    clean = inside_colours(rgb, mask)

    assert np.unique(clean.reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]


def test_an_object_without_inside_keeps_its_colours():
    rgb = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)

    clean = inside_colours(rgb, A)

    np.testing.assert_array_equal(clean[A], rgb[A])


def test_colours_are_cleaned_on_demand(tmp_path):
    rgb = np.full((256, 256, 3), (0, 0, 255), np.uint8)
    rgb[disc(59)] = (255, 0, 0)
    Image.fromarray(rgb).save(tmp_path / "a.png")

    files, _ = written(tmp_path, image_of(disc(60), path="a.png"), decontaminate=True)

    rgba = pixels(files["cutouts/a_01_cat.png"])
    visible = rgba[rgba[:, :, 3] > 0][:, :3]
    assert np.unique(visible, axis=0).tolist() == [[255, 0, 0]]


@pytest.mark.parametrize(
    ("save", "name"),
    [(save_talkative_jpeg, "a.jpg"), (save_talkative_png, "a.png")],
    ids=["jpeg", "png"],
)
def test_no_metadata_leaks(tmp_path, save, name):
    save(tmp_path / name, (256, 256))
    source = (tmp_path / name).read_bytes()

    files, _ = written(tmp_path, image_of(disc(60), path=name), feather_px=1.0)

    assert len(canaries_in(source)) == (12 if name == "a.jpg" else 8)  # 4 are compressed
    (data,) = files.values()
    assert canaries_in(data) == []
    assert set(chunk_kinds(data)) == {b"IHDR", b"IDAT", b"IEND"}


def test_pictures_that_are_gone_broken_or_changed_are_noted(tmp_path):
    write_photos(tmp_path, (8, 8), names=("other.png",))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    outside = tmp_path.parent / "outside.png"
    write_photos(tmp_path.parent, A.shape, names=("outside.png",))
    (tmp_path / "link.png").symlink_to(outside)
    paths = ("gone.png", "broken.png", "other.png", "../outside.png", "link.png", str(outside))

    files, job = written(tmp_path, *(image_of(A, path=path) for path in paths))

    assert files == {}
    notes = notes_of(job)
    notes.pop("files have another name than their image")
    assert notes == {
        "images that cannot be read have no cut-outs": [
            "gone.png",
            "broken.png",
            "../outside.png",
            "link.png",
            str(outside),
        ],
        "images that were changed since have no cut-outs": ["other.png"],
    }


def test_names_are_data(tmp_path):
    write_photos(tmp_path, A.shape, names=("a.png",))
    masks = [A] * len(NASTY_NAMES)

    files, _ = written(tmp_path, image_of(*masks, path="a.png", labels=NASTY_NAMES))

    assert len(files) == len(NASTY_NAMES)
    for path in files:
        folder, name = path.split("/")
        assert folder == "cutouts"
        assert not set(name) & set('\\:<>"|?*\r\n\0\x1b\u202e')
        assert len(name.encode()) <= 255
