"""What is computed once of an image: the pixels, their features, and those of the newest crops."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.core.backend import Features
from latentcut.core.frame import Frame

MAX_KEPT_CROPS = 4  # encodings of zoomed crops kept per image, about 4 MB each


class View(NamedTuple):
    """A part of an image as the network sees it: where it lies, and its features."""

    frame: Frame
    features: Features


class CropCache:
    """Encodings of the last few crops of an image; saves time, never changes an answer."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Frame, Features] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, frame: Frame) -> Features | None:
        with self._lock:
            if frame in self._kept:
                self._kept.move_to_end(frame)
            return self._kept.get(frame)

    def put(self, frame: Frame, features: Features) -> None:
        with self._lock:
            self._kept[frame] = features
            self._kept.move_to_end(frame)
            while len(self._kept) > MAX_KEPT_CROPS:
                self._kept.popitem(last=False)


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """
    An image and its features, computed once. Immutable; threads may share it.

    Attributes:
        image: uint8 RGB (H0, W0, 3), read-only.
        frame: The network frame of the whole image.
        features: What the backend made of it.
    """

    image: NDArray[np.uint8]
    frame: Frame
    features: Features
    crops: CropCache = field(default_factory=CropCache, repr=False)

    @property
    def whole(self) -> View:
        """The view of the whole image."""
        return View(self.frame, self.features)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the image, in pixels."""
        return self.frame.image_hw
