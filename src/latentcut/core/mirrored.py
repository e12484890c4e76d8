"""A network asked twice, about an image and its mirror image, and the mean of both answers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from latentcut.core.backend import Backend, Features, FloatArray
from latentcut.core.guidance import EMBEDDING_STRIDE, GUIDANCE_STRIDE


class MirroredBackend:
    """
    Twice the work for a better answer: errors of the two looks at an image differ.

    The k-th candidate of both is the same kind of answer, since f's outputs have fixed roles,
    so candidates are averaged one by one, and so are g's scores of them.

    Args:
        backend: The network. It must be thread-safe, as every backend is.
        at_once: Whether the second look is taken on a thread of its own meanwhile. Two runs
            with half of the threads each take less time than one after the other with all.

    Source:
        Test-time flips, as in Sofiiuk et al., f-BRS, CVPR 2020, section 4.
    """

    def __init__(self, backend: Backend, at_once: bool = False) -> None:
        self.num_masks = backend.num_masks
        self._backend = backend
        self._others = ThreadPoolExecutor(os.cpu_count(), "latentcut mirror") if at_once else None

    def encode(self, image: NDArray[np.uint8]) -> Features:
        """See ``Backend.encode``; the features of the mirror image come after the image's own."""
        mirror_image = np.ascontiguousarray(image[:, ::-1])
        if self._others is None:
            return (*self._backend.encode(image), *self._backend.encode(mirror_image))
        mirrored = self._others.submit(self._backend.encode, mirror_image)
        return (*self._backend.encode(image), *mirrored.result())

    def decode(
        self,
        features: Features,
        guidance: FloatArray,
        index: NDArray[np.int64],
        sign: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """See ``Backend.decode``; means of logits and of scores."""
        half = len(features) // 2
        question = (
            features[half:],
            np.ascontiguousarray(guidance[:, :, ::-1]),
            mirrored_cells(index, guidance.shape[2] * GUIDANCE_STRIDE // EMBEDDING_STRIDE),
            sign,
        )
        if self._others is None:
            mirrored = self._backend.decode(*question)
            own = self._backend.decode(features[:half], guidance, index, sign)
        else:
            waiting = self._others.submit(self._backend.decode, *question)
            own = self._backend.decode(features[:half], guidance, index, sign)
            mirrored = waiting.result()
        half_each = np.float32(0.5)
        return (own[0] + mirrored[0][:, :, ::-1]) * half_each, (own[1] + mirrored[1]) * half_each


def mirrored_cells(index: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Flat indices (K,) of the cells opposite to the given ones, in a grid of so many columns."""
    rows, columns = np.divmod(index, width)
    mirrored: NDArray[np.int64] = rows * width + (width - 1 - columns)
    return mirrored
