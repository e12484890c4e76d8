"""The folder's images in memory: decoded, encoded, and as pictures for the page."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.core.encoded import EncodedImage
from latentcut.core.predictor import Predictor
from latentcut.errors import StoreUnavailable, UnreadableImage
from latentcut.store.project import ProjectStore
from latentcut.store.rows import ImageRow
from latentcut.web import pictures
from latentcut.web.folder import ImageFolder, Stamp
from latentcut.web.memory import ByteLru, OpenedImage
from latentcut.web.settings import ServerLimits

NUM_DECODERS = 2  # images decoded at a time; each may take hundreds of megabytes meanwhile

Draw = Callable[[NDArray[np.uint8]], bytes]


class Picture(NamedTuple):
    """A picture for the page: its bytes, and a name for this version of it."""

    data: bytes
    etag: str


class Gallery:
    """
    Images by their id.

    Args:
        folder: Where they are.
        store: Which ones there are.
        limits: Of memory.
    """

    def __init__(self, folder: ImageFolder, store: ProjectStore, limits: ServerLimits) -> None:
        self.folder, self.store = folder, store
        self._opened: ByteLru[OpenedImage] = ByteLru(limits.opened_bytes, lambda o: o.num_bytes)
        self._pictures: ByteLru[bytes] = ByteLru(limits.pictures_bytes, len)
        self._problems: dict[int, tuple[Stamp, UnreadableImage]] = {}
        self._decoding = threading.Semaphore(NUM_DECODERS)
        self._opening: dict[int, threading.Lock] = {}

    def problem(self, image_id: int) -> str | None:
        """Why an image could not be opened when it was last tried; None: it was not, or could."""
        known = self._problems.get(image_id)
        return None if known is None else known[1].reason

    def encoded_ids(self) -> list[int]:
        """Images that are ready for clicks."""
        opened = zip(self._opened.keys(), self._opened.values(), strict=False)
        return sorted(int(str(key)) for key, image in opened if image.encoded is not None)

    def open(self, image_id: int) -> OpenedImage:
        """
        An image, decoded; from memory, if its file is still the same.

        Raises:
            NotInProject: There is no such image.
            FileMissing: Its file is gone.
            UnreadableImage: It cannot be opened, and why.
        """
        row = self.store.image(image_id)
        stamp = self.folder.stamp(row.path)
        with self._opening.setdefault(image_id, threading.Lock()):
            opened = self._opened.get(image_id)
            if opened is None or opened.stamp != stamp:
                opened = OpenedImage(stamp, self._read(row, stamp))
                self._keep_size(row, opened)
                self._opened.put(image_id, opened)
            return opened

    def encode(self, image_id: int, predictor: Predictor) -> EncodedImage:
        """An image, ready for clicks; errors as of ``open``. The model's thread alone calls it."""
        opened = self.open(image_id)
        if opened.encoded is None:
            encoded = predictor.encode(opened.pixels)
            opened = OpenedImage(opened.stamp, encoded.image, encoded)
            self._opened.put(image_id, opened)
        assert opened.encoded is not None
        return opened.encoded

    def recall(self, image_id: int) -> EncodedImage | None:
        """An image that is ready for clicks; None: it is not. Errors as of ``open``."""
        opened = self._opened.get(image_id)
        is_known = opened is not None and opened.stamp == self._stamp(image_id)
        return opened.encoded if opened is not None and is_known else None

    def view(self, image_id: int) -> Picture:
        """The whole image as PNG; errors as of ``open``."""
        return self._picture(image_id, "view", pictures.view_png)

    def tile(self, image_id: int, column: int, row: int) -> Picture:
        """A piece of the image as PNG; errors as of ``open``, and NotInProject."""
        draw: Draw = lambda image: pictures.tile_png(image, column, row)  # noqa: E731
        return self._picture(image_id, f"tile {column} {row}", draw)

    def thumbnail(self, image_id: int) -> Picture:
        """The image at stamp size as JPEG; errors as of ``open``."""
        return self._picture(image_id, "thumbnail", pictures.thumbnail_jpg, in_passing=True)

    def _picture(self, image_id: int, name: str, draw: Draw, in_passing: bool = False) -> Picture:
        """
        A picture, from memory if it was drawn before.

        With in_passing the image is not kept: thumbnails of a whole folder must not drive out
        the images that are worked on.
        """
        row = self.store.image(image_id)
        stamp = self.folder.stamp(row.path)
        key = (image_id, stamp, name)
        etag = etag_of(str(self.folder.root), row.path, *map(str, stamp), name)
        data = self._pictures.get(key)
        if data is None:
            data = draw(self._pixels(row, stamp, in_passing))
            self._pictures.put(key, data)
        return Picture(data, etag)

    def _pixels(self, row: ImageRow, stamp: Stamp, in_passing: bool) -> NDArray[np.uint8]:
        if not in_passing:
            return self.open(row.id).pixels
        opened = self._opened.get(row.id)
        if opened is not None and opened.stamp == stamp:
            return opened.pixels
        return self._read(row, stamp)

    def _read(self, row: ImageRow, stamp: Stamp) -> NDArray[np.uint8]:
        """The pixels of a file; one that was found broken is not read again until it changes."""
        known_stamp, problem = self._problems.get(row.id, (None, None))
        if problem is not None and known_stamp == stamp:
            raise UnreadableImage(row.path, problem.reason)
        try:
            with self._decoding:
                pixels = self.folder.read(row.path)
            check_size(row, pixels)
        except UnreadableImage as error:
            self._problems[row.id] = stamp, error
            raise
        self._problems.pop(row.id, None)
        return pixels

    def _keep_size(self, row: ImageRow, opened: OpenedImage) -> None:
        height, width = opened.pixels.shape[:2]
        if (row.width, row.height) != (width, height):
            with suppress(StoreUnavailable):  # looking at images goes on when the disk is full
                self.store.set_image_size(row.id, width, height)

    def _stamp(self, image_id: int) -> Stamp:
        return self.folder.stamp(self.store.image(image_id).path)


def check_size(row: ImageRow, pixels: NDArray[np.uint8]) -> None:
    """Raise UnreadableImage when an annotated image was exchanged for one of another size."""
    height, width = pixels.shape[:2]
    is_other = row.width is not None and (row.width, row.height) != (width, height)
    if is_other and row.revision > 0:
        raise UnreadableImage(
            row.path,
            f"it is {width} x {height} px, but was {row.width} x {row.height} px when it was "
            "annotated; put the earlier picture back",
        )


def etag_of(*facts: str) -> str:
    """A name for a picture made of everything it depends on."""
    digest = hashlib.blake2b("\0".join(facts).encode("utf-8", "surrogateescape"), digest_size=16)
    return f'"{digest.hexdigest()}"'
