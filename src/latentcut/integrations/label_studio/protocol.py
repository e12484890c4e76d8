"""
What Label Studio sends, and the clicks, boxes and brushes in it.

Names as Label Studio 1.23 uses them (ml/api_connector.py). Positions are percents of the
picture, counted from its edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from latentcut.core.box_prompt import BoxXyxy
from latentcut.core.clicks import Clicks
from latentcut.core.images import read_image
from latentcut.errors import PromptUnusable
from latentcut.integrations.label_studio.brush_rle import MASK_LEVEL, BoolArray, decode_brush
from latentcut.integrations.positions import box_at, click_at
from latentcut.integrations.serving import image_of

MAX_PROMPTS = 1000
MAX_TASKS = 1000
KEYPOINT, BOX, BRUSH, BITMASK = "keypoint", "rectangle", "brush", "bitmask"


class Message(BaseModel):
    """A request; Label Studio sends more than is used here."""

    model_config = ConfigDict(extra="ignore")


class SetupRequest(Message):
    """Sent when a backend is connected."""

    project: str = ""
    schema_: str = Field(default="", alias="schema")
    access_token: str | None = Field(default=None, repr=False)


class PromptValue(Message):
    """Where a prompt is, in percent; the size of a keypoint is that of its dot."""

    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    rotation: float = 0.0
    rle: list[int] | None = None
    imageDataURL: str | None = None  # noqa: N815
    keypointlabels: list[str] = []
    rectanglelabels: list[str] = []
    brushlabels: list[str] = []
    bitmasklabels: list[str] = []

    @property
    def labels(self) -> list[str]:
        """What the region is called; one at the most is meant."""
        mine = self.keypointlabels or self.rectanglelabels
        return mine or self.brushlabels or self.bitmasklabels


class Prompt(Message):
    """A region of the object in work, as the page drew it."""

    type: str = ""
    value: PromptValue = PromptValue()
    is_positive: bool | None = None
    image_rotation: float = 0.0
    original_width: int | None = None
    original_height: int | None = None


class Context(Message):
    """All prompts of one object, every time."""

    result: list[Prompt] = Field(default=[], max_length=MAX_PROMPTS)


class Params(Message):
    """Of a prediction; without a context nobody has clicked."""

    context: Context | None = None


class Task(Message):
    """An image and what goes with it."""

    id: int | None = None
    data: dict[str, Any] = {}


class PredictRequest(Message):
    """A prediction."""

    tasks: list[Task] = Field(default=[], max_length=MAX_TASKS)
    label_config: str = ""
    params: Params | None = None

    @property
    def prompts(self) -> list[Prompt]:
        """What was clicked, of the kinds that mean something here."""
        if self.params is None or self.params.context is None:
            return []
        found = self.params.context.result
        return [prompt for prompt in found if kind_of(prompt) is not None]


@dataclass(frozen=True, eq=False)
class Prompts:
    """
    Prompts in the image's pixels.

    Attributes:
        clicks: In the order they were made.
        box: The last one dragged.
        mask: Brushes or bitmasks to start from, bool (H, W).
    """

    clicks: Clicks
    box: BoxXyxy | None
    mask: BoolArray | None


def kind_of(prompt: Prompt) -> str | None:
    """Keypoint, rectangle, brush or bitmask, with labels or not; None for other regions."""
    kind = prompt.type.removesuffix("labels")
    return kind if kind in (KEYPOINT, BOX, BRUSH, BITMASK) else None


def label_of(prompts: list[Prompt]) -> str | None:
    """The label that the object is drawn with: of the newest prompt that has one."""
    return next((prompt.value.labels[0] for prompt in prompts[::-1] if prompt.value.labels), None)


def prompts_in(prompts: list[Prompt], size_hw: tuple[int, int]) -> Prompts:
    """
    Prompts of an image.

    Args:
        prompts: Of kinds that are known, in the order they were made.
        size_hw: Height and width of the image, upright, in pixels.

    Raises:
        PromptUnusable: The picture is shown turned or in another size, a box is turned, or a
            brush does not fit.
    """
    clicks, box, mask = [], None, None
    for prompt in prompts:
        _check_view(prompt, size_hw)
        kind, value = kind_of(prompt), prompt.value
        if kind == KEYPOINT:
            point = _pixels(value.x, value.y, size_hw)
            clicks.append(click_at(point, bool(prompt.is_positive), size_hw))
        elif kind == BOX:
            if value.rotation % 360 != 0:
                raise PromptUnusable("a box", "it is turned: draw it upright")
            corner = _pixels(value.x + value.width, value.y + value.height, size_hw)
            box = box_at(_pixels(value.x, value.y, size_hw), corner)
        elif (painted := _painted(value, size_hw)) is not None:
            mask = painted if mask is None else mask | painted
    return Prompts(tuple(clicks), box, mask)


def _check_view(prompt: Prompt, size_hw: tuple[int, int]) -> None:
    """Raise PromptUnusable where the page showed the picture otherwise than it is."""
    if prompt.image_rotation % 360 != 0:
        reason = f"it is shown turned by {prompt.image_rotation:g} degrees: turn it back"
        raise PromptUnusable("the picture", reason)
    height, width = size_hw
    shown = prompt.original_width or width, prompt.original_height or height
    if shown != (width, height):
        reason = f"it is shown with {shown[0]} x {shown[1]} pixels, and has {width} x {height}"
        raise PromptUnusable("the picture", reason)


def _painted(value: PromptValue, size_hw: tuple[int, int]) -> BoolArray | None:
    """The mask of a brush or bitmask, bool (H, W); None: it holds none."""
    if value.rle is not None:
        return decode_brush(value.rle, size_hw)
    if value.imageDataURL is None:
        return None
    pixels = read_image(image_of(value.imageDataURL))
    if pixels.shape[:2] != size_hw:
        raise PromptUnusable("a bitmask", "it does not have the size of the picture")
    # the page paints black on nothing, and what is transparent is laid on white when read
    painted: BoolArray = pixels[:, :, 0] < MASK_LEVEL
    return painted


def _pixels(x: float, y: float, size_hw: tuple[int, int]) -> tuple[float, float]:
    """Percents as pixels from the top-left corner of the image."""
    height, width = size_hw
    return x / 100 * width, y / 100 * height
