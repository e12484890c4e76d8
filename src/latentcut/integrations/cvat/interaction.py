"""
The interaction function that CVAT's agents run: the image once, then a mask per set of prompts.

    cvat-cli function run-agent ID --function-module latentcut.integrations.cvat.interaction

or, with the function made on the server as well, ``latentcut cvat-agent``. Needs the extra
``cvat``: importing this module imports cvat-sdk.
"""

from __future__ import annotations

from pathlib import Path

import cvat_sdk.auto_annotation as cvataa
from cvat_sdk import models
from PIL import Image

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Clicks
from latentcut.core.encoded import EncodedImage
from latentcut.core.predictor import Predictor
from latentcut.core.replay import replayed
from latentcut.errors import LatentcutError
from latentcut.integrations.cvat.masks import encode_mask
from latentcut.integrations.positions import box_at, click_at
from latentcut.web.memory import remembering_predictor

# no positive point is needed, because a box alone is a prompt, too
SPEC = cvataa.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)


class Interactor:
    """
    An interaction function in the sense of ``cvat_sdk.auto_annotation.InteractionFunction``.

    Args:
        bundle: Folder of the model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
    """

    def __init__(self, bundle: str | None = None, threads: int = 0) -> None:
        self._bundle, self._threads = bundle, threads
        self._predictor: Predictor | None = None

    @property
    def spec(self) -> cvataa.InteractionFunctionSpec:
        """Points of both signs and a box, each where wanted."""
        return SPEC

    @property
    def predictor(self) -> Predictor:
        """The model, loaded when it is first needed. Raises BundleBroken, FileMissing."""
        if self._predictor is None:
            path = None if self._bundle is None else Path(self._bundle)
            self._predictor = remembering_predictor(path, self._threads)
        return self._predictor

    def preprocess_image(
        self, context: cvataa.InteractionFunctionContext, image: Image.Image
    ) -> EncodedImage:
        """
        What does not depend on prompts; agents keep it for some minutes.

        Raises:
            BadFunctionError: The image is refused, and why; see ``read_image``.
        """
        try:
            return self.predictor.encode(image)
        except LatentcutError as error:
            raise cvataa.BadFunctionError(str(error)) from error

    def detect(
        self,
        context: cvataa.InteractionFunctionContext,
        pp_image: EncodedImage,
        prompts: cvataa.InteractionPrompts,
    ) -> list[cvataa.InteractionResultShape]:
        """
        The selected mask as one shape, with the expected IoU as its confidence.

        Raises:
            BadFunctionError: A prompt does not fit the image, and why. CVAT shows the text of
                this error and of no other.
        """
        clicks, box = prompts_of(prompts, pp_image.size_hw)
        try:
            prediction = replayed(self.predictor, pp_image, clicks, box)
        except LatentcutError as error:
            raise cvataa.BadFunctionError(str(error)) from error
        if prediction is None or not prediction.mask.any():
            return []
        expected_iou = float(prediction.expected_iou[prediction.selected])
        confidence = models.AttributeValRequest(
            spec_id=int(cvataa.InteractionResultAttributes.CONFIDENCE),
            value=f"{expected_iou:.3f}",
        )
        points = encode_mask(prediction.mask)
        return [cvataa.InteractionResultShape(type="mask", points=points, attributes=[confidence])]


def prompts_of(
    prompts: cvataa.InteractionPrompts, size_hw: tuple[int, int]
) -> tuple[Clicks, BoxXyxy | None]:
    """
    CVAT's prompts as clicks and a box.

    Args:
        prompts: Positions in pixels from the top-left corner of the image.
        size_hw: Height and width of the image, in pixels.
    """
    clicks = (
        *(click_at(point, True, size_hw) for point in prompts.pos_points),
        *(click_at(point, False, size_hw) for point in prompts.neg_points),
    )
    return clicks, None if prompts.bounding_box is None else box_at(*prompts.bounding_box)


def create(bundle: str | None = None, threads: int = 0) -> Interactor:
    """
    What cvat-cli calls, with the parameters given by ``-p bundle=str:DIR -p threads=int:N``.

    Args:
        bundle: Folder of the model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.
    """
    return Interactor(bundle, threads)
