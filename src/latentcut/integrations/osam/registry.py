"""
The model in osam's own registry, for programs that call osam in their process, like labelme.

    from latentcut.integrations.osam.registry import register

    register()
    osam.apis.generate(osam.types.GenerateRequest(model="latentcut", image=..., prompt=...))

Needs the extra ``labelme``: importing this module imports osam.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import osam
from numpy.typing import NDArray

from latentcut.core.encoded import EncodedImage
from latentcut.core.predictor import Predictor
from latentcut.errors import PromptUnusable
from latentcut.integrations.osam.prompts import find
from latentcut.web.memory import ByteLru, remembering_predictor
from latentcut.web.service import encoded_bytes

NAME = "latentcut:latest"
ENCODED_BYTES = 256_000_000


class LatentcutModel(osam.types.Model):  # type: ignore[misc]  # osam is no dependency of the types
    """The model as osam knows models. There is nothing to download: it comes with the package."""

    name = NAME
    metadata = osam.types.ModelMetadata(
        license_name="MIT License", license_url="", source_url="", license_spdx="MIT"
    )
    bundle: ClassVar[Path | None] = None
    threads: ClassVar[int] = 0

    _blobs: ClassVar[dict[str, osam.types.Blob]] = {}

    def __init__(self) -> None:
        self._predictor: Predictor = remembering_predictor(self.bundle, self.threads)
        self._encoded: ByteLru[EncodedImage] = ByteLru(ENCODED_BYTES, encoded_bytes)

    def generate(self, request: Any) -> Any:
        """
        Answer the points of a request.

        Args:
            request: ``osam.types.GenerateRequest`` with an image, uint8 (H0, W0) or (H0, W0, 3),
                and a prompt of points.

        Returns:
            ``osam.types.GenerateResponse`` with one annotation; none where the points mean
            nothing yet.

        Raises:
            PromptUnusable: There is no image or there are no points. osam's server answers that, as
                every ValueError, with 400.
            LatentcutError: As of ``Predictor.encode`` and ``Predictor.predict``.
        """
        if request.image is None:
            raise PromptUnusable("image", "it is missing; embeddings are not understood")
        prompt = request.prompt
        if prompt is None or prompt.points is None:
            raise PromptUnusable("prompt", "give points and point_labels; texts are not understood")
        encoded = self._opened(np.ascontiguousarray(request.image))
        points = [(float(x), float(y)) for x, y in prompt.points]
        labels = [int(label) for label in prompt.point_labels]
        found = find(self._predictor, encoded, points, labels)
        annotations = []
        if found is not None:
            corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), found.box_xyxy, strict=True))
            box = osam.types.BoundingBox(**corners)
            annotations.append(
                osam.types.Annotation(bounding_box=box, mask=found.mask, score=found.score)
            )
        return osam.types.GenerateResponse(model=request.model, annotations=annotations)

    def _opened(self, image: NDArray[np.uint8]) -> EncodedImage:
        """The encoded image of pixels, kept or new: osam's callers send all of them every time."""
        key = image.shape, hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded = self._predictor.encode(image)
            self._encoded.put(key, encoded)
        return encoded


def register(bundle: Path | None = None, threads: int = 0) -> type[LatentcutModel]:
    """
    Make osam know the model as "latentcut"; a second time changes only the settings.

    Args:
        bundle: Folder of the model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
    """
    LatentcutModel.bundle, LatentcutModel.threads = bundle, threads
    if LatentcutModel not in osam.apis.registered_model_types:
        osam.apis.registered_model_types.append(LatentcutModel)
    return LatentcutModel
