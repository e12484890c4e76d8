"""
Cut-outs: every object alone, cropped to its box, on transparent ground.

The files hold nothing but pixels: no metadata of the picture, and no background under what is
transparent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.formats.names import Stems, UniqueNames
from latentcut.formats.pictures import png_of, read_picture
from latentcut.formats.records import ExportedFile, Job, Outlook
from latentcut.formats.runs import crop

FOLDER = "cutouts"
INNER_PX = 2  # how far inside the edge a pixel is free of background colour

RgbImage = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]


def cutout_files(job: Job) -> Iterator[ExportedFile]:
    """One RGBA picture per object: PATH/NAME_01_label.png."""
    stems, names = Stems(max_bytes=120), UniqueNames()
    for image in job.annotations.read_images():
        stem = job.stem_of(image, stems)
        if not image.objects:
            continue
        picture = read_picture(job.annotations.folder, image.path)
        if picture is None:
            job.notes.add("images that cannot be read have no cut-outs", image.path)
            continue
        if picture.shape[:2] != image.size_hw:
            job.notes.add("images that were changed since have no cut-outs", image.path)
            continue
        for number, (record, outlook) in enumerate(job.objects(image), start=1):
            pixels = _cutout(picture, outlook, job.options.feather_px, job.options.decontaminate)
            name = names.of(f"{stem}_{number:02}_{job.file_label(record)}")
            yield ExportedFile(f"{FOLDER}/{name}.png", png_of(pixels))


def _cutout(
    picture: RgbImage, outlook: Outlook, feather_px: float, decontaminate: bool
) -> NDArray[np.uint8]:
    """The object in its box, which is larger by a soft edge, uint8 RGBA (h, w, 4)."""
    assert outlook.box_xyxy is not None
    margin = math.ceil(2 * feather_px)
    height, width = outlook.size_hw
    x0, y0, x1, y1 = outlook.box_xyxy
    box = (
        max(0, x0 - margin),
        max(0, y0 - margin),
        min(width, x1 + margin),
        min(height, y1 + margin),
    )
    mask = crop(outlook.runs, outlook.size_hw, box)
    rgb = picture[box[1] : box[3], box[0] : box[2]]
    opaque = mask.astype(np.uint8) * np.uint8(255)
    if feather_px > 0:
        side = 2 * margin + 1
        opaque = cv2.GaussianBlur(opaque, (side, side), feather_px).astype(np.uint8)
    if decontaminate:
        rgb = inside_colours(rgb, mask)
    return np.dstack([np.where(opaque[:, :, None] > 0, rgb, np.uint8(0)), opaque])


def inside_colours(rgb: RgbImage, mask: BoolArray) -> RgbImage:
    """
    A picture in which edge and background have the colour of the object nearest to them.

    Pixels at the edge of an object are mixed with what was behind it; on another ground they
    show as a halo. Every pixel less than 2 px inside the mask takes the colour of the nearest
    one that is farther inside. Where nothing is, the mask itself is taken.

    Args:
        rgb: uint8 (H, W, 3).
        mask: bool (H, W), not empty.
    """
    padded = np.pad(mask, 1).astype(np.uint8)
    inner = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] > INNER_PX
    if not inner.any():
        inner = mask
    outside = np.ascontiguousarray(~inner).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[inner]] = rgb[inner]
    result: RgbImage = colours[nearest]
    return result
