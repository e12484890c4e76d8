"""
Predictions for whoever sends an image: one model, one queue, encoded images by their content.

What the adapters and the stateless API share. Nothing is stored: an image is known by the digest
of its bytes, is encoded once and kept in memory while there is room.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from latentcut.core.clicks import Click
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import BoolArray, EncodedImage, Predictor
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
    """

    def __init__(
        self,
        load: Callable[[], Predictor],
        max_waiting: int = MAX_WAITING,
        opened_bytes: int = OPENED_BYTES,
    ) -> None:
        self._load = load
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
        key = digest_of(image)

        def work() -> T:
            return question(self.predictor(), self.encoded(image, key))

        return await asyncio.wrap_future(self.queue.submit(work, Priority.ACTION))

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
        key = key or digest_of(image)
        encoded = self._opened.get(key)
        if encoded is None:
            encoded = self.predictor().encode(image)
            self._opened.put(key, encoded)
        return encoded


def digest_of(image: bytes) -> str:
    """What an image is known by: SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(image).hexdigest()


def encoded_bytes(encoded: EncodedImage) -> int:
    """What an encoded image takes, with room for the crops that come with clicks."""
    features = sum(array.nbytes for array in encoded.features)
    return encoded.image.nbytes + NUM_ENCODINGS * features
