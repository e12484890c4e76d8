"""The seam between predictor and network: arrays in, arrays out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Features = tuple[FloatArray, ...]  # of one image; only the backend that made them reads them


class Backend(Protocol):
    """
    A network that encodes an image once and answers clicks on it.

    Implementations are thread-safe and keep no state between calls.
    """

    num_masks: int

    def encode(self, image: NDArray[np.uint8]) -> Features:
        """Features of an image: uint8 RGB (H, W, 3), H and W multiples of 16."""
        ...

    def decode(
        self,
        features: Features,
        guidance: FloatArray,
        index: NDArray[np.int64],
        sign: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """
        Answer clicks.

        Args:
            features: As returned by ``encode``.
            guidance: float32 (7, H / 4, W / 4), as of ``guidance.guidance_maps``.
            index: int64 (K,), as of ``guidance.embedding_clicks``.
            sign: float32 (K,), likewise.

        Returns:
            Logits float32 (M, H / 2, W / 2), positive inside; scores float32 (M,), any real.
        """
        ...
