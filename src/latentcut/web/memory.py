"""What is kept in memory, bounded in bytes: decoded and encoded images, pictures, predictions."""

from __future__ import annotations

import hashlib
import secrets
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.encoded import CropCache, EncodedImage
from latentcut.core.everything import EverythingOptions, Search
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import BoolArray, Predictor, load

T = TypeVar("T")

ANSWERS_BYTES = 256_000_000  # of candidates that are kept for one-shot questions
MAX_SEARCHES = 4  # of several tabs
NUM_ENCODINGS = 5  # of the whole image, and of the crops that an encoded image keeps


class ByteLru(Generic[T]):
    """
    The most recently used values, as many as fit; the newest one always stays.

    Args:
        max_bytes: Sum of the sizes.
        size_of: Bytes of a value.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[T], int]) -> None:
        self._max_bytes, self._size_of = max_bytes, size_of
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """The value, which is now the most recently used; None if it is not kept."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value; drop those that were not used for longest."""
        with self._lock:
            self._drop(key)
            self._kept[key] = value, self._size_of(value)
            self._num_bytes += self._kept[key][1]
            while self._num_bytes > self._max_bytes and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def keys(self) -> tuple[Hashable, ...]:
        """What is kept, the least recently used first."""
        with self._lock:
            return tuple(self._kept)

    def values(self) -> tuple[T, ...]:
        """What is kept, the least recently used first; this is not a use."""
        with self._lock:
            return tuple(value for value, _ in self._kept.values())

    @property
    def num_bytes(self) -> int:
        """Sum of the sizes."""
        with self._lock:
            return self._num_bytes

    def _drop(self, key: Hashable) -> None:
        if key in self._kept:
            self._num_bytes -= self._kept.pop(key)[1]


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """
    An image in memory.

    Attributes:
        stamp: What its file looked like when it was read; another one means another picture.
        pixels: uint8 RGB (H, W, 3), upright, read-only.
        encoded: The same, encoded; None: not yet.
    """

    stamp: tuple[int, ...]
    pixels: NDArray[np.uint8]
    encoded: EncodedImage | None = None

    @property
    def num_bytes(self) -> int:
        """What it takes, with room for the crops that come with clicks."""
        if self.encoded is None:
            return self.pixels.nbytes
        features = sum(array.nbytes for array in self.encoded.features)
        return self.pixels.nbytes + NUM_ENCODINGS * features


class NotRemembered(Exception):
    """The answer would need the model; see ``RecallOnly``."""


class RememberingPredictor(Predictor):
    """
    A predictor that keeps its last answers: the same question is not computed twice.

    Args:
        inner: Who answers.
        max_bytes: Bound of what is kept.
    """

    def __init__(self, inner: Predictor, max_bytes: int) -> None:
        super().__init__(
            inner.backend, inner.frame_info, inner.selection, inner.limits, inner.fingerprint
        )
        self._answers: ByteLru[Prediction] = ByteLru(max_bytes, prediction_bytes)

    def predict(
        self,
        encoded: EncodedImage,
        clicks: Sequence[Click],
        previous_mask: BoolArray | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> Prediction:
        """See Predictor.predict."""
        key = question(encoded, clicks, previous_mask, box)
        prediction = self._answers.get(key)
        if prediction is None:
            prediction = self._ask_model(encoded, clicks, previous_mask, box)
            self._answers.put(key, prediction)
        return prediction

    def _ask_model(
        self,
        encoded: EncodedImage,
        clicks: Sequence[Click],
        previous_mask: BoolArray | None,
        box: tuple[float, float, float, float] | None,
    ) -> Prediction:
        return super().predict(encoded, clicks, previous_mask, box=box)

    def forgetful(self) -> Predictor:
        """The same model without the memory."""
        return Predictor(
            self.backend, self.frame_info, self.selection, self.limits, self.fingerprint
        )

    def recall_only(self) -> RememberingPredictor:
        """The same memory without the model: raises NotRemembered where that would be run."""
        return _RecallOnly(self)


def remembering_predictor(bundle: Path | None = None, threads: int = 0) -> RememberingPredictor:
    """
    A predictor that keeps its last answers: for ``core.replay``, which asks the same again.

    Args:
        bundle: Folder of the model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.

    Raises:
        FileMissing: There is no such bundle.
        BundleBroken: A file was altered or does not fit.
    """
    return RememberingPredictor(load(bundle, threads), ANSWERS_BYTES)


class _RecallOnly(RememberingPredictor):
    def __init__(self, whole: RememberingPredictor) -> None:
        super().__init__(whole, 0)
        self._answers = whole._answers

    def _ask_model(self, *_: object) -> Prediction:
        raise NotRemembered


def question(
    encoded: EncodedImage,
    clicks: Sequence[Click],
    previous_mask: BoolArray | None,
    box: tuple[float, float, float, float] | None,
) -> Hashable:
    """Everything that decides an answer. The image is held weakly: memory is not its owner."""
    digest = None
    if previous_mask is not None:
        packed = np.packbits(previous_mask)
        digest = hashlib.blake2b(packed.tobytes(), digest_size=16).digest()
    return weakref.ref(encoded), tuple(clicks), digest, box


def prediction_bytes(prediction: Prediction) -> int:
    """The most a prediction takes: all of its masks at image resolution."""
    height, width = prediction.mask.shape
    return int(prediction.num_masks * height * width)


@dataclass(frozen=True, eq=False)
class KeptSearch:
    """A search for all things, and the image it is about."""

    image_id: int
    search: Search


class Searches:
    """
    The searches that go on, by name; the newest few. Threads may share it.

    Args:
        max_kept: How many; a forgotten one can simply be begun again.
    """

    def __init__(self, max_kept: int = MAX_SEARCHES) -> None:
        self._max_kept = max_kept
        self._kept: OrderedDict[str, KeptSearch] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, search: KeptSearch) -> str:
        """Keep a search; its name, 16 hex digits."""
        name = secrets.token_hex(8)
        with self._lock:
            self._kept[name] = search
            while len(self._kept) > self._max_kept:
                self._kept.popitem(last=False)
        return name

    def get(self, image_id: int, name: str) -> Search | None:
        """A search of an image; None when it is not, or no longer, kept."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.image_id != image_id:
                return None
            self._kept.move_to_end(name)
            return kept.search

    def drop(self, image_id: int, name: str) -> None:
        """Forget a search; one that is not kept is no error."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept.image_id == image_id:
                del self._kept[name]


def search_aside(
    model: Predictor, encoded: EncodedImage, options: EverythingOptions | None = None
) -> Search:
    """
    A search that leaves alone what is kept for people's own clicks.

    It has crops of its own, and its answers are not remembered: hundreds of clicks would drive
    out the few that people made.
    """
    if isinstance(model, RememberingPredictor):
        model = model.forgetful()
    return Search(model, replace(encoded, crops=CropCache()), options)
