"""
Image frame and network frame: pixels, clicks and masks, both ways.

The image frame is the EXIF-turned picture, (H0, W0). A network frame shows a box of it
at another size, (H, W). Both count positions from the centre of their top-left pixel;
edges of the box fall exactly on the edges of the frame, so a position maps as
``x = (x0 + 0.5 - left) * W / box_width - 0.5``, the rule by which OpenCV resizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click, click_points_xy

SIZE_MULTIPLE = 16  # the encoder's largest stride
MIN_SIDE_PX = 32
MIN_CROP_PX = 48  # of the image: smaller crops are magnified beyond recognition

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Frame:
    """
    A box of an image, shown to the network at a certain size.

    Attributes:
        box_xyxy: Left, top, right, bottom edge in image pixels, integers, right and bottom
            exclusive, inside the image.
        image_hw: Size of the image, in pixels.
        size_hw: Size of the network frame, in pixels, multiples of 16.
    """

    box_xyxy: tuple[int, int, int, int]
    image_hw: tuple[int, int]
    size_hw: tuple[int, int]

    @property
    def box_hw(self) -> tuple[int, int]:
        """Height and width of the box, in image pixels."""
        left, top, right, bottom = self.box_xyxy
        return bottom - top, right - left

    def reduced(self, max_side_px: int) -> Frame:
        """
        The same view of the image at a reduced size; itself where no side is longer.

        Args:
            max_side_px: Longest side of the reduced image, in pixels; at least 1.

        Returns:
            A frame of the same network size; its box is moved to whole pixels of the reduced
            image, by half of one at most, and is at least one pixel wide and high.
        """
        scale = max_side_px / max(self.image_hw)
        if scale >= 1:
            return self
        height, width = reduced_size(self.image_hw, max_side_px)
        left, top, right, bottom = (math.floor(edge * scale + 0.5) for edge in self.box_xyxy)
        left, top = min(left, width - 1), min(top, height - 1)
        box = (left, top, min(width, max(right, left + 1)), min(height, max(bottom, top + 1)))
        return Frame(box, (height, width), self.size_hw)

    @property
    def pixels_per_network_pixel(self) -> float:
        """Image pixels along one network pixel; the larger of both axes."""
        return max(self.box_hw[0] / self.size_hw[0], self.box_hw[1] / self.size_hw[1])

    def to_network(self, points_xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions (K, 2) in the image to positions in the network frame, order (x, y)."""
        origin, scale = self._origin_and_scale()
        return (np.asarray(points_xy, dtype=np.float64) + 0.5 - origin) * scale - 0.5

    def to_image(self, points_xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions (K, 2) in the network frame to positions in the image, order (x, y)."""
        origin, scale = self._origin_and_scale()
        return (np.asarray(points_xy, dtype=np.float64) + 0.5) / scale + origin - 0.5

    def _origin_and_scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        height, width = self.box_hw
        scale = np.array([self.size_hw[1] / width, self.size_hw[0] / height])
        return np.array(self.box_xyxy[:2], dtype=np.float64), scale

    def shows(self, click: Click) -> bool:
        """Whether the click's position lies in the box."""
        left, top, right, bottom = self.box_xyxy
        return left - 0.5 <= click.x < right - 0.5 and top - 0.5 <= click.y < bottom - 0.5

    def cut_image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The box of an image (H0, W0, 3) at the network's size, uint8 (H, W, 3)."""
        left, top, right, bottom = self.box_xyxy
        return resize(image[top:bottom, left:right], self.size_hw)

    def cut_mask(self, mask: BoolArray, stride: int) -> NDArray[np.float32]:
        """
        A mask of the image on a strided grid of the network frame.

        Args:
            mask: bool (H0, W0).
            stride: Cell size in network pixels; divides the frame's size.

        Returns:
            float32 (H / stride, W / stride), in [0, 1]: the covered share of each cell.
        """
        left, top, right, bottom = self.box_xyxy
        cut = mask[top:bottom, left:right].astype(np.float32)
        return resize(cut, (self.size_hw[0] // stride, self.size_hw[1] // stride))

    def cut_share(self, logits: NDArray[np.float32]) -> float:
        """
        How much of a mask's surroundings the box cuts off.

        Args:
            logits: float32 (h, w), at any resolution of the frame; positive inside.

        Returns:
            The share of the box's edge cells, those on the image's own edges left out, that
            are inside the mask; in [0, 1], 0 where the box is the whole image.
        """
        left, top, right, bottom = self.box_xyxy
        edges = [
            *([logits[0]] if top > 0 else []),
            *([logits[-1]] if bottom < self.image_hw[0] else []),
            *([logits[:, 0]] if left > 0 else []),
            *([logits[:, -1]] if right < self.image_hw[1] else []),
        ]
        return float((np.concatenate(edges) > 0).mean()) if edges else 0.0

    def paste_logits(self, logits: NDArray[np.float32]) -> BoolArray:
        """
        Logits of the network frame as a mask of the whole image.

        Args:
            logits: float32 (h, w), at any resolution of the frame.

        Returns:
            bool (H0, W0): inside the box where the bilinearly resized logit is positive, False
            outside the box.
        """
        left, top, right, bottom = self.box_xyxy
        height, width = self.box_hw
        mask = np.zeros(self.image_hw, dtype=bool)
        full = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
        np.greater(full, 0, out=mask[top:bottom, left:right])
        return mask

    def place_values(self, logits: NDArray[np.float32], outside: float) -> NDArray[np.float32]:
        """The resized logits themselves, float32 (H0, W0), and ``outside`` around the box."""
        left, top, right, bottom = self.box_xyxy
        height, width = self.box_hw
        values = np.full(self.image_hw, outside, dtype=np.float32)
        full = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
        values[top:bottom, left:right] = full
        return values


def reduced_size(image_hw: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """Height and width of an image whose longest side is brought down to at most so many px."""
    scale = min(1.0, max_side_px / max(image_hw))
    height, width = (max(1, math.floor(side * scale + 0.5)) for side in image_hw)
    return height, width


def resize(array: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[Any]:
    """
    Resize by area means along the axes that shrink, bilinearly along those that grow.

    Args:
        array: (h, w) or (h, w, C), uint8 or float32.
        size_hw: The wanted height and width.

    Returns:
        The same type at the wanted size.
    """
    height, width = size_hw
    array = np.ascontiguousarray(array)
    # one step per rule: where one axis shrinks and the other grows, OpenCV's INTER_AREA takes
    # single pixels instead of means and moves them by up to half a cell
    low_hw = min(height, array.shape[0]), min(width, array.shape[1])
    if low_hw != array.shape[:2]:
        array = cv2.resize(array, low_hw[::-1], interpolation=cv2.INTER_AREA)
    if low_hw != size_hw:
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_LINEAR)
    return array


def whole_frame(image_hw: tuple[int, int], long_side_px: int) -> Frame:
    """
    The frame that shows a whole image.

    Args:
        image_hw: Size of the image.
        long_side_px: Length of the frame's longer side, in network pixels.

    Returns:
        A frame with about the image's shape; each side rounded to a multiple of 16, at
        least 32.
    """
    height, width = image_hw
    return Frame((0, 0, width, height), image_hw, frame_size(image_hw, long_side_px))


def frame_size(box_hw: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """Size (H, W) of a network frame for a box: about its shape, multiples of 16, at least 32."""
    scale = long_side_px / max(box_hw)
    height, width = (
        max(MIN_SIDE_PX, SIZE_MULTIPLE * math.floor(side * scale / SIZE_MULTIPLE + 0.5))
        for side in box_hw
    )
    return height, width


def zoom_frame(
    mask: BoolArray | None,
    clicks: Sequence[Click],
    image_hw: tuple[int, int],
    long_side_px: int,
    factor: float,
    min_gain: float,
) -> Frame | None:
    """
    The frame around the object as known so far.

    The box of the previous mask and the positive clicks is enlarged by ``factor`` and its
    edges moved outwards to a grid whose step is about a tenth of it. Where the newest click is a
    positive one outside of the mask's box, as much is added beyond it: people click in the middle
    of what is missing. The frame depends on mask and clicks alone, and a mask that changes a
    little keeps its frame, so the encoding of the crop can be used again.

    Args:
        mask: bool (H0, W0), the mask before the newest click; None or empty: no zoom.
        clicks: All clicks.
        image_hw: Size of the image.
        long_side_px: Length of the frame's longer side, in network pixels.
        factor: Side of the crop over side of the object.
        min_gain: Least ratio of the image's longer side to the crop's that makes a crop worth
            its encoding.

    Returns:
        The frame, or None when the whole image should be used.

    Source:
        Zoom-in as in Sofiiuk et al., f-BRS, CVPR 2020, section 4, with the grid added.
    """
    extent = None if mask is None else mask_extent(mask)
    if extent is None:
        return None
    if clicks:
        extent = reach_beyond(extent, clicks[-1], image_hw)
    return crop_frame(extent, clicks, image_hw, long_side_px, factor, min_gain)


def reach_beyond(
    extent_xyxy: tuple[int, int, int, int], click: Click, image_hw: tuple[int, int]
) -> tuple[int, int, int, int]:
    """
    An extent that also holds what a positive click outside of it is the middle of.

    Args:
        extent_xyxy: Left, top, right, bottom edge, right and bottom exclusive.
        click: A click.
        image_hw: Size of the image.

    Returns:
        The extent and a square around the click that touches it, cut to the image; the extent
        itself where the click is negative or inside.
    """
    left, top, right, bottom = extent_xyxy
    x, y = click.pixel_xy
    away = math.ceil(math.hypot(max(left - x, 0, x + 1 - right), max(top - y, 0, y + 1 - bottom)))
    if not click.positive or away == 0:
        return extent_xyxy
    height, width = image_hw
    return (
        max(0, min(left, x - away)),
        max(0, min(top, y - away)),
        min(width, max(right, x + 1 + away)),
        min(height, max(bottom, y + 1 + away)),
    )


def click_frame(
    clicks: Sequence[Click], image_hw: tuple[int, int], long_side_px: int, share: float
) -> Frame | None:
    """
    The frame of a square around clicks, moved and cut to lie in the image.

    Args:
        clicks: All clicks; the square is centred on the box of the positive ones.
        image_hw: Size of the image.
        long_side_px: Length of the frame's longer side, in network pixels.
        share: Side of the square over the image's longer side.

    Returns:
        The frame; None without positive clicks, or where they do not fit into the square, or
        where it is as large as the image.
    """
    points = click_points_xy(clicks, positive=True)
    side = max(MIN_CROP_PX, math.floor(share * max(image_hw) + 0.5))
    if len(points) == 0 or side >= max(image_hw) or np.ptp(points, axis=0).max() > side - 2:
        return None
    height, width = min(side, image_hw[0]), min(side, image_hw[1])
    centre_x, centre_y = (points.min(0) + points.max(0)) / 2
    left = min(max(0, math.floor(centre_x - width / 2 + 0.5)), image_hw[1] - width)
    top = min(max(0, math.floor(centre_y - height / 2 + 0.5)), image_hw[0] - height)
    box = (left, top, left + width, top + height)
    return Frame(box, image_hw, frame_size((height, width), long_side_px))


def mask_extent(mask: BoolArray) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom edge of what is inside a mask (h, w), in its cells; None: empty."""
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def crop_frame(
    extent_xyxy: tuple[float, float, float, float],
    clicks: Sequence[Click],
    image_hw: tuple[int, int],
    long_side_px: int,
    factor: float,
    min_gain: float,
) -> Frame | None:
    """
    The frame around an object of known extent and its positive clicks.

    Args:
        extent_xyxy: Left, top, right, bottom edge of the object in image pixels, right and
            bottom exclusive.
        clicks: All clicks.
        image_hw: Size of the image.
        long_side_px: As for ``zoom_frame``.
        factor: Likewise.
        min_gain: Likewise.

    Returns:
        The frame, or None when the whole image should be used.
    """
    left, top, right, bottom = extent_xyxy
    points = np.floor(click_points_xy(clicks, positive=True) + 0.5)
    if len(points):
        left, top = min(left, points[:, 0].min()), min(top, points[:, 1].min())
        right, bottom = max(right, points[:, 0].max() + 1), max(bottom, points[:, 1].max() + 1)
    width = max(MIN_CROP_PX, (right - left) * factor)
    height = max(MIN_CROP_PX, (bottom - top) * factor)
    # a very thin object still needs some surroundings
    width, height = max(width, height / 3), max(height, width / 3)
    step = 2 ** max(2, math.floor(math.log2(max(width, height) / 8)))
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
    box = (
        max(0, step * math.floor((centre_x - width / 2) / step)),
        max(0, step * math.floor((centre_y - height / 2) / step)),
        min(image_hw[1], step * math.ceil((centre_x + width / 2) / step)),
        min(image_hw[0], step * math.ceil((centre_y + height / 2) / step)),
    )
    box_hw = (box[3] - box[1], box[2] - box[0])
    if max(image_hw) / max(box_hw) < min_gain:
        return None
    return Frame(box, image_hw, frame_size(box_hw, long_side_px))
