"""The picture page: per image the ground truth, all masks of f, and g's choice."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.frame import resize
from latentcut.core.metrics import iou
from latentcut.datasets.dataset import Dataset, Sample, read_sample_image
from latentcut.evaluation.segmenter import Answer, Segmenter
from latentcut.simulation.robot import first_click

RgbImage = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

TILE_HW = (96, 128)  # px
GAP = 4
GREEN, BLUE = (60, 190, 90), (40, 110, 240)
DIMMED = 0.3  # brightness that is left outside a mask
JPEG_QUALITY = 82


def picture_sheet(segmenter: Segmenter, dataset: Dataset, count: int) -> bytes:
    """
    One row for each of ``count`` objects, evenly spread over a data set.

    Returns:
        A JPEG.
    """
    refs = list(dataset.objects())
    picks = [refs[i] for i in np.linspace(0, len(refs) - 1, min(count, len(refs))).astype(int)]
    rows = [object_row(segmenter, dataset.sample(ref)) for ref in picks]
    width = max(row.shape[1] for row in rows)
    even = [
        np.pad(r, ((0, GAP), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows
    ]
    done, data = cv2.imencode(
        ".jpg", np.concatenate(even)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    assert done
    return bytes(data)


def object_row(segmenter: Segmenter, sample: Sample) -> RgbImage:
    """Image with ground truth and click, then one tile for each mask."""
    image = read_sample_image(sample)
    click = first_click(sample.gt_mask, sample.ignore_mask)
    assert click is not None  # data sets list no empty objects
    answer = segmenter.start(image).answer([click])
    tiles = [ground_truth_tile(image, sample.gt_mask, click)]
    tiles += [mask_tile(image, answer, sample, index) for index in range(len(answer.candidates))]
    gap = np.full((TILE_HW[0], GAP, 3), 255, dtype=np.uint8)
    return np.concatenate([part for tile in tiles for part in (tile, gap)], axis=1)


def ground_truth_tile(image: RgbImage, gt_mask: BoolArray, click: Click) -> RgbImage:
    """The image in small with the outline of what is meant and the click."""
    tile, scale, (top, left) = fitted(image)
    small = fitted(gt_mask.astype(np.uint8) * np.uint8(255))[0][:, :, 0] > 127
    outline, _ = cv2.findContours(small.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tile, outline, -1, GREEN, 1, cv2.LINE_AA)
    at = (round(left + click.x * scale), round(top + click.y * scale))
    cv2.circle(tile, at, 4, (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(tile, at, 3, (255, 255, 255), -1, cv2.LINE_AA)
    return tile


def mask_tile(image: RgbImage, answer: Answer, sample: Sample, index: int) -> RgbImage:
    """The image inside one mask, dark outside; its IoU; a frame if it was chosen."""
    tile = fitted(image)[0]
    share = fitted(answer.candidates[index].astype(np.uint8) * np.uint8(255))[0] / 255
    tile = np.rint(tile * (DIMMED + (1 - DIMMED) * share)).astype(np.uint8)
    reached = iou(answer.candidates[index], sample.gt_mask, sample.ignore_mask)
    at, font = (4, TILE_HW[0] - 6), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(tile, f"{reached:.2f}", at, font, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(tile, f"{reached:.2f}", at, font, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    if index == answer.selected:
        cv2.rectangle(tile, (0, 0), (TILE_HW[1] - 1, TILE_HW[0] - 1), BLUE, 3)
    return tile


def fitted(image: RgbImage) -> tuple[RgbImage, float, tuple[int, int]]:
    """An image in the middle of a tile; its scale, and the row and column where it begins."""
    height, width = image.shape[:2]
    scale = min(TILE_HW[0] / height, TILE_HW[1] / width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = resize(image, size)
    if small.ndim == 2:
        small = np.repeat(small[:, :, None], 3, axis=2)
    tile = np.zeros((*TILE_HW, 3), dtype=np.uint8)
    top, left = (TILE_HW[0] - size[0]) // 2, (TILE_HW[1] - size[1]) // 2
    tile[top : top + size[0], left : left + size[1]] = small
    return tile, scale, (top, left)
