"""
Predictions for whoever sends an image: one model, one queue, encoded images by their content.

What the adapters and the stateless API share. Nothing is stored: an image is known by the digest
of its bytes, is encoded once and kept in memory while there is room.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from latentcut.core.clicks import Click
from latentcut.core.encoded import EncodedImage
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import BoolArray, Predictor
from latentcut.web.inference import InferenceQueue, Priority
from latentcut.web.memory import NUM_ENCODINGS, ByteLru

T = TypeVar("T")

MAX_WAITING = 16
OPENED_BYTES = 512_000_000


class PredictionService:
    """
    Answers prompts on images one after the other, on a thread of its own.

    Args:
        load: Makes the predictor; called once, on that thread, when the service starts.
        max_waiting: How many requests may wait; more are refused at once.
        opened_bytes: Bound of decoded and encoded images in memory.
        timed: Told what the model was busy with, "encode" or "predict", and for how many seconds.
    """

    def __init__(
        self,
        load: Callable[[], Predictor],
        max_waiting: int = MAX_WAITING,
        opened_bytes: int = OPENED_BYTES,
        timed: Callable[[str, float], None] | None = None,
    ) -> None:
        self._load, self._timed = load, timed
        self._lock = threading.Lock()
        self._predictor: Predictor | None = None
        self._opened: ByteLru[EncodedImage] = ByteLru(opened_bytes, encoded_bytes)
        self.queue = InferenceQueue(max_waiting)

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self._predictor is not None

    def start(self) -> None:
        """Begin to answer; the model is loaded meanwhile."""
        self.queue.start()
        self.queue.prepare([self.predictor])

    def stop(self, timeout_s: float) -> None:
        """Drop what waits and end after the request in work, at the latest after so long."""
        self.queue.stop(timeout_s)

    def predictor(self) -> Predictor:
        """The model. Raises BundleBroken, FileMissing."""
        with self._lock:
            if self._predictor is None:
                self._predictor = self._load()
            return self._predictor

    async def ask(self, image: bytes, question: Callable[[Predictor, EncodedImage], T]) -> T:
        """
        Have a question about an image answered on the model's thread.

        Args:
            image: Bytes of an image file.
            question: Gets the predictor and the encoded image; its result is returned.

        Raises:
            ServerBusy: Too much waits already.
            UnreadableImage, UnsupportedImage, ImageTooLarge: See ``read_image``.
            LatentcutError: What the question raises.
        """
        return await self.ask_about(digest_of(image), lambda: image, question)

    async def ask_about(
        self,
        key: str,
        read: Callable[[], bytes],
        question: Callable[[Predictor, EncodedImage], T],
        priority: Priority = Priority.ACTION,
    ) -> T:
        """
        The same about an image that lies elsewhere, and is read only where it is not kept.

        Args:
            key: SHA-256 of the image's bytes, in hexadecimal.
            read: Returns these bytes; called on the model's thread.
            question: Gets the predictor and the encoded image; its result is returned.
            priority: What goes first.

        Raises:
            ServerBusy: Too much waits already.
            LatentcutError: What reading the image and the question raise.
        """
        return await asyncio.wrap_future(self.submit_about(key, read, question, priority))

    def submit_about(
        self,
        key: str,
        read: Callable[[], bytes],
        question: Callable[[Predictor, EncodedImage], T],
        priority: Priority = Priority.ACTION,
    ) -> Future[T]:
        """The same without waiting for the answer."""

        def work() -> T:
            model, encoded = self.predictor(), self.opened(key, read)
            with self._time("predict"):
                return question(model, encoded)

        return self.queue.submit(work, priority)

    async def predict(
        self,
        image: bytes,
        clicks: Sequence[Click],
        previous_mask: BoolArray | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> Prediction:
        """
        Answer clicks, a box, a mask to start from, or several of them.

        Raises:
            ServerBusy: Too much waits already.
            LatentcutError: As of ``Predictor.encode`` and ``Predictor.predict``.
        """
        return await self.ask(
            image, lambda model, encoded: model.predict(encoded, clicks, previous_mask, box=box)
        )

    def encoded(self, image: bytes, key: str | None = None) -> EncodedImage:
        """The encoded image of a file's bytes, kept or new. For the model's thread."""
        return self.opened(key or digest_of(image), lambda: image)

    def opened(self, key: str, read: Callable[[], bytes]) -> EncodedImage:
        """The same of an image that is read only where it is not kept."""
        encoded = self._opened.get(key)
        if encoded is None:
            model, image = self.predictor(), read()
            with self._time("encode"):
                encoded = model.encode(image)
            self._opened.put(key, encoded)
        return encoded

    @contextmanager
    def _time(self, step: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            if self._timed is not None:
                self._timed(step, time.perf_counter() - begun)


def digest_of(image: bytes) -> str:
    """What an image is known by: SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(image).hexdigest()


def encoded_bytes(encoded: EncodedImage) -> int:
    """What an encoded image takes, with room for the crops that come with clicks."""
    features = sum(array.nbytes for array in encoded.features)
    return encoded.image.nbytes + NUM_ENCODINGS * features
