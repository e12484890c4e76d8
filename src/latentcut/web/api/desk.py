"""What the routes work with: the model, what clients sent, and the figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import TypeVar

import anyio
import anyio.to_thread
import cv2
import numpy as np

from latentcut import __version__
from latentcut.core.bundle import BundleInfo, default_bundle_path, read_bundle
from latentcut.core.encoded import EncodedImage
from latentcut.core.images import DEFAULT_LIMITS, ImageLimits, read_image
from latentcut.core.masks import CocoRle, coco_rle, mask_from_coco_rle
from latentcut.core.prediction import Prediction
from latentcut.core.predictor import BoolArray, Predictor
from latentcut.core.replay import replayed
from latentcut.errors import FileMissing, NotKept, PathNotServed, ServerBusy
from latentcut.web.api.answers import (
    CandidateMask,
    KeptImageAnswer,
    ModelAnswer,
    PredictionAnswer,
    candidate_url,
    drawn,
)
from latentcut.web.api.metrics import Metrics
from latentcut.web.api.prompts import PromptsBody, StoredMasks
from latentcut.web.api.settings import ApiSettings
from latentcut.web.api.spool import Spool
from latentcut.web.folder import ImageFolder
from latentcut.web.inference import Priority
from latentcut.web.memory import remembering_predictor
from latentcut.web.service import PredictionService

T = TypeVar("T")

MAX_IMAGES = 20_000  # files kept
MAX_MASKS = 20_000
MASKS_SHARE = 4  # masks may take this part of what images may
ID_DIGITS = 32  # of a digest, in the name of a candidate
MAX_REPLAYED = 20  # clicks without a mask so far that are also answered one by one
NUM_DRAWING = 3  # images decoded and answers written at a time, in threads of their own
STOP_TIMEOUT_S = 4.0
CARD_NAME, MAX_CARD_BYTES = "README.md", 200_000
NO_LICENCE = "code: MIT; weights: depends on the data they were trained on, see the model card"


class Desk:
    """
    Everything behind the routes.

    Args:
        settings: What the server was told.
        load_model: Makes the predictor; None: of the bundle in the settings.

    Raises:
        FileMissing: There is no such bundle, or a root is no folder.
        BundleBroken: The bundle is none.
    """

    def __init__(
        self, settings: ApiSettings, load_model: Callable[[], Predictor] | None = None
    ) -> None:
        self.settings, self.metrics = settings, Metrics()
        self.bundle_path = settings.bundle or default_bundle_path()
        bundle = read_bundle(self.bundle_path)
        self.info: BundleInfo = bundle.info
        self.fingerprint = bundle.fingerprint
        self.model_version = f"latentcut-{__version__}-{bundle.fingerprint[:12]}"
        self.roots = tuple(ImageFolder(root) for root in settings.roots)
        self.images = Spool(settings.spool / "images", settings.spool_bytes, MAX_IMAGES)
        mask_bytes = settings.spool_bytes // MASKS_SHARE
        self.masks = Spool(settings.spool / "masks", mask_bytes, MAX_MASKS, ID_DIGITS)
        self.service = PredictionService(
            load_model or partial(remembering_predictor, self.bundle_path, settings.threads),
            settings.limits.waiting,
            settings.limits.opened_bytes,
            self.metrics.timed,
        )

    def start(self) -> None:
        """Begin to answer. To be called in the event loop."""
        self._drawing = anyio.CapacityLimiter(NUM_DRAWING)
        self.service.start()

    def stop(self) -> None:
        """End after the run in progress."""
        self.service.stop(STOP_TIMEOUT_S)

    async def aside(self, work: Callable[[], T]) -> T:
        """Work on a thread beside the event loop and the model, a few at a time."""
        return await anyio.to_thread.run_sync(work, limiter=self._drawing)

    # ------------------------------------------------------------ images

    def keep_image(self, data: bytes) -> KeptImageAnswer:
        """
        Check an image and keep it.

        Raises:
            UnreadableImage, UnsupportedImage, ImageTooLarge: See ``read_image``.
        """
        height, width = read_image(data, self.limits).shape[:2]
        digest = self.images.put(data)
        self.service.queue.prepare([partial(self.service.opened, digest, self.reader(digest))])
        return KeptImageAnswer(image_id=digest, width=width, height=height, sha256=digest)

    def file_at(self, path: str) -> bytes:
        """
        The bytes of an image inside one of the roots.

        Args:
            path: Relative to a root, or absolute and inside one.

        Raises:
            PathNotServed: It is not inside a root.
            FileMissing: It is not there.
            UnreadableImage: It cannot be opened.
        """
        given, is_inside = PurePath(path), False
        for folder in self.roots:
            if given.is_absolute() and not given.is_relative_to(folder.root):
                continue
            is_inside = ".." not in given.parts
            relative = given.relative_to(folder.root) if given.is_absolute() else given
            try:
                return folder.bytes_of(relative.as_posix())
            except FileMissing:
                continue
        if is_inside:
            raise FileMissing(path, "an image file in a folder that the server was started with")
        raise PathNotServed(path, bool(self.roots))

    def require_image(self, image_id: str) -> None:
        """Raise NotKept unless an image is kept; it is the most recently used from now on."""
        if not self.images.has(image_id):
            raise missing_image(image_id)

    def reader(self, image_id: str) -> Callable[[], bytes]:
        """Reads an image when it is called; raises NotKept then."""

        def read() -> bytes:
            data = self.images.get(image_id)
            if data is None:
                raise missing_image(image_id)
            return data

        return read

    # ------------------------------------------------------------ predictions

    async def predict(self, image_id: str, prompts: PromptsBody) -> PredictionAnswer:
        """
        The candidates for prompts on a kept image.

        Raises:
            NotKept: There is no such image, or no candidate of the name in ``previous``.
            NoClicks, ClickOutsideImage, BadBox, BadMask, MaskSizeMismatch: What was given.
            ServerBusy: Too much waits already.
        """
        begun = time.perf_counter()
        self.require_image(image_id)
        previous = await self.aside(partial(self.previous_mask, prompts))

        def question(model: Predictor, encoded: EncodedImage) -> Prediction:
            clicks = prompts.clicks_on(encoded.size_hw)
            if previous is None and len(clicks) <= MAX_REPLAYED:
                answer = replayed(model, encoded, clicks, prompts.box)
                if answer is not None:
                    return answer
            return model.predict(encoded, clicks, previous, box=prompts.box)

        prediction = await self.ask(image_id, question)
        answer = await self.aside(partial(self.answer, image_id, prompts, prediction))
        answer.took_ms = round(1000 * (time.perf_counter() - begun), 1)
        return answer

    async def ask(
        self,
        image_id: str,
        question: Callable[[Predictor, EncodedImage], T],
        priority: Priority = Priority.ACTION,
    ) -> T:
        """
        A question to the model about a kept image, in the figures.

        Raises:
            ServerBusy: Too much waits already. Background work, which tries again, is not counted.
            LatentcutError: What the question raises.
        """
        try:
            read = self.reader(image_id)
            asked = self.service.submit_about(image_id, read, question, priority)
            self.metrics.waiting.set(self.service.queue.num_waiting)
            return await asyncio.wrap_future(asked)
        except ServerBusy:
            if priority is not Priority.BACKGROUND:
                self.metrics.refused.inc()
            raise
        finally:
            self.metrics.waiting.set(self.service.queue.num_waiting)

    def previous_mask(self, prompts: PromptsBody) -> BoolArray | None:
        """The mask to start from, bool (H0, W0). Raises NotKept, BadMask."""
        if prompts.previous is None:
            return None
        if isinstance(prompts.previous, str):
            return mask_from_coco_rle(self.stored(prompts.previous))
        return mask_from_coco_rle(prompts.previous.plain())

    def answer(
        self, image_id: str, prompts: PromptsBody, prediction: Prediction
    ) -> PredictionAnswer:
        """A prediction in the form that was asked for; its masks are kept."""
        everyone = range(prediction.num_masks) if prompts.candidates else [prediction.selected]
        codes = {index: coco_rle(prediction.candidate(index)) for index in everyone}
        names = self.keep_masks(codes)
        drawings = [
            CandidateMask(
                id=names[index],
                index=index,
                score=round(float(prediction.scores[index]), 6),
                expected_iou=round(float(prediction.expected_iou[index]), 6),
                **dict(
                    drawn(
                        prediction.candidate(index),
                        code,
                        prompts.format,
                        candidate_url(image_id, names[index]),
                    )
                ),
            )
            for index, code in codes.items()
        ]
        return PredictionAnswer(
            image_id=image_id,
            selected=prediction.selected,
            clicks_satisfied=prediction.clicks_satisfied,
            candidates=drawings,
            model_version=self.model_version,
            took_ms=0.0,
        )

    # ------------------------------------------------------------ masks

    def keep_masks(self, codes: dict[int, CocoRle]) -> dict[int, str]:
        """Keep masks of one image; the name of each."""
        size = next(iter(codes.values()))["size"] if codes else [1, 1]
        counts = {index: code["counts"] for index, code in codes.items()}
        stored = StoredMasks(size=(size[0], size[1]), counts=counts)
        digest = self.masks.put(stored.model_dump_json().encode())
        return {index: f"{digest}-{index}" for index in codes}

    def stored(self, name: str) -> CocoRle:
        """A mask by its name. Raises NotKept."""
        digest, _, index = name.partition("-")
        data = self.masks.get(digest)
        rle = None if data is None else StoredMasks.model_validate_json(data).rle(int(index))
        if rle is None:
            raise NotKept("candidate", name, "send the mask itself as previous")
        return rle

    def candidate_png(self, name: str) -> bytes:
        """A mask as PNG, 8-bit grey, 0 and 255. Raises NotKept."""
        mask = mask_from_coco_rle(self.stored(name))
        _, data = cv2.imencode(".png", mask.astype(np.uint8) * 255)
        return data.tobytes()

    # ------------------------------------------------------------ facts

    def model(self) -> ModelAnswer:
        """The model and what it accepts."""
        card = self.bundle_path / CARD_NAME
        has_card = card.is_file() and card.stat().st_size <= MAX_CARD_BYTES
        return ModelAnswer(
            name=self.info.name,
            version=__version__,
            model_version=self.model_version,
            fingerprint=self.fingerprint,
            num_masks=self.info.num_masks,
            licence=str(self.info.provenance.get("licence", NO_LICENCE)),
            card=card.read_text(encoding="utf-8", errors="replace") if has_card else None,
            max_image_bytes=self.limits.max_bytes,
            max_image_pixels=self.limits.max_pixels,
        )

    @property
    def limits(self) -> ImageLimits:
        """What images are accepted: as much as a body may hold."""
        return ImageLimits(
            max_bytes=self.settings.limits.body_bytes, max_pixels=DEFAULT_LIMITS.max_pixels
        )


def missing_image(image_id: str) -> NotKept:
    """The error for an image that is not kept."""
    return NotKept("image", image_id, "send it with POST /api/v1/images")
