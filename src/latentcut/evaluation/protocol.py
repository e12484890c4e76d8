"""
Protocols, and one object under one of them: a user clicks, what is shown is scored.

``standard`` is Li, Chen & Koltun 2018, section 5. Choices, where the literature differs: the
user sees the *selected* mask, the oracle (best of M by ground truth) is only recorded; pixels of
the ignore mask never count; an object solved earlier is clicked on to the 20th click, so that
mean IoU after k clicks is over all objects; when no error is left the remaining IoUs repeat the
last one. ``ritm`` is what RITM's published code does (Sofiiuk et al. 2021), for numbers that
can be laid beside those of papers that used it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click, broken_clicks
from latentcut.core.metrics import MAX_CLICKS, iou
from latentcut.core.predictor import Predictor
from latentcut.datasets.dataset import Sample, read_sample_image
from latentcut.errors import BadConfig, nearest
from latentcut.evaluation.bundle_segmenter import BundleSegmenter
from latentcut.evaluation.metrics import boundary_f, diversity
from latentcut.evaluation.segmenter import Answer, Segmenter
from latentcut.simulation.users import User, make_user, rng_for

BOUNDARY_CLICKS = (1, 3, 5)  # after which the outline is judged


@dataclass(frozen=True)
class Protocol:
    """
    The rules of an evaluation.

    Attributes:
        name: What results call it.
        max_clicks: Clicks per object.
        stop_at: IoU of the selected mask at which clicking ends; None: it goes on.
        user: Who clicks unless another user is asked for; see ``simulation.users``.
        failure: ``unsolved``: no click reaches the threshold. ``noc-is-max``: the number of
            clicks equals ``max_clicks``, so an object solved by its last click counts, too.
        mask_threshold: Probability above which a pixel belongs to a mask, where the segmenter
            leaves that open (our bundles do).
        iou_rule: A number of clicks is the first after which the IoU is so against the
            threshold.
        rules: What else is fixed, in words.
    """

    name: str
    max_clicks: int = MAX_CLICKS
    stop_at: float | None = None
    user: str = "centre"
    failure: Literal["unsolved", "noc-is-max"] = "unsolved"
    mask_threshold: float = 0.5
    iou_rule: Literal[">="] = ">="
    rules: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


STANDARD = Protocol(
    "standard",
    rules="click in the largest 8-connected error region, at the pixel farthest from its "
    "boundary (image border included); missed object wins ties of area, the first pixel in "
    "row-major order ties of depth; selected mask shown; ignored pixels neither counted nor "
    "clicked",
)
RITM = Protocol(
    "ritm",
    stop_at=0.9,
    user="deepest",
    failure="noc-is-max",
    mask_threshold=0.49,
    rules="click at the deepest pixel over all errors that was not clicked before, positive "
    "only where missed object is deeper than included background; stops at the target IoU; "
    "selected mask shown; ignored pixels neither counted nor clicked; zooming in is the "
    "segmenter's business",
)
PROTOCOLS = {protocol.name: protocol for protocol in (STANDARD, RITM)}


def find_protocol(name: str, max_clicks: int | None = None) -> Protocol:
    """
    A protocol by name.

    Args:
        name: One of ``PROTOCOLS``.
        max_clicks: Another number of clicks per object than its own.

    Raises:
        BadConfig: There is none of that name.
    """
    if name not in PROTOCOLS:
        raise BadConfig(f"there is no protocol {name!r}: {nearest(name, PROTOCOLS)}")
    found = PROTOCOLS[name]
    return found if max_clicks is None else replace(found, max_clicks=max_clicks)


@dataclass(frozen=True)
class ObjectResult:
    """
    What happened on one object. IoUs and expected IoUs are per click and ``max_clicks`` long.

    Attributes:
        name: The sample.
        selected_ious: IoU of the selected mask after 1 .. 20 clicks.
        oracle_ious: IoU of the best of the M candidates, likewise.
        first_ious: IoU of candidate 0, likewise.
        expected_ious: The segmenter's own guess of the selected mask's IoU, likewise; None
            where it makes none.
        clicks_broken: Steps at which the selected mask did not obey its clicks.
        encode_s: Seconds to encode the image, reading excluded.
        click_s: Seconds from each click made to the selected mask at image resolution.
        image: File name of the picture.
        size_hw: Height and width of the picture, in pixels.
        area_share: Share of the picture that is the object, in [0, 1].
        clicks: The clicks made, each [x, y, positive], in image pixels.
        selected: Index of the selected candidate after each click made.
        diversity: Mean IoU between the candidates after each click made; None where M is 1.
        boundary_f: Boundary F of the selected mask after "1", "3" and "5" clicks.
        peak_mb: Most memory the process that worked had used by then, in 10^6 bytes; None
            where the system does not tell.
    """

    name: str
    selected_ious: list[float]
    oracle_ious: list[float]
    first_ious: list[float]
    expected_ious: list[float] | None
    clicks_broken: int
    encode_s: float
    click_s: list[float]
    image: str = ""
    size_hw: list[int] = field(default_factory=list)
    area_share: float | None = None
    clicks: list[list[float | bool]] = field(default_factory=list)
    selected: list[int] = field(default_factory=list)
    diversity: list[float] | None = None
    boundary_f: dict[str, float] = field(default_factory=dict)
    peak_mb: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def evaluate_object(
    predictor: Predictor, sample: Sample, max_clicks: int = MAX_CLICKS
) -> ObjectResult:
    """
    The standard protocol with one of our predictors; see ``evaluate_sample``.

    Args:
        predictor: Any predictor.
        sample: The object; its mask must not be empty outside the ignore mask.
        max_clicks: Number of clicks.

    Raises:
        DatasetBroken: Picture and mask differ in size.
    """
    return evaluate_sample(
        BundleSegmenter(predictor), sample, replace(STANDARD, max_clicks=max_clicks)
    )


def evaluate_sample(
    segmenter: Segmenter,
    sample: Sample,
    protocol: Protocol = STANDARD,
    user: str | None = None,
    seed: int = 0,
) -> ObjectResult:
    """
    Let a user segment one object.

    Args:
        segmenter: Who answers.
        sample: The object; its mask must not be empty outside the ignore mask.
        protocol: The rules.
        user: Who clicks; None: the protocol's own.
        seed: Of the chance that the user takes; together with the sample's name.

    Raises:
        DatasetBroken: Picture and mask differ in size.
        BadConfig: There is no such user.
    """
    clicker = make_user(user or protocol.user)
    image = read_sample_image(sample)
    started = time.perf_counter()
    conversation = segmenter.start(image)
    encode_s = time.perf_counter() - started

    gt_mask, ignore, rng = sample.gt_mask, sample.ignore_mask, rng_for(seed, sample.name)
    record = _Record(sample)
    clicks = [click for click in [clicker.first(gt_mask, ignore, rng)] if click is not None]
    while clicks:
        started = time.perf_counter()
        answer = conversation.answer(clicks)
        passed = time.perf_counter() - started
        reached = record.add(clicks, answer, passed)
        if protocol.stop_at is not None and reached >= protocol.stop_at:
            break
        click = _next(clicker, answer, sample, rng)
        if click is None or len(clicks) == protocol.max_clicks:
            break
        clicks.append(click)
    return record.result(protocol.max_clicks, encode_s)


def _next(clicker: User, answer: Answer, sample: Sample, rng: np.random.Generator) -> Click | None:
    return clicker.next(answer.mask, sample.gt_mask, sample.ignore_mask, rng)


class _Record:
    """The figures of one object, click by click."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.clicks: Sequence[Click] = ()
        self.selected: list[float] = []
        self.oracle: list[float] = []
        self.first: list[float] = []
        self.expected: list[float] | None = []
        self.diversity: list[float] | None = []
        self.indices: list[int] = []
        self.shown: NDArray[np.bool_] | None = None
        self.boundary_f: dict[str, float] = {}
        self.click_s: list[float] = []
        self.clicks_broken = 0

    def add(self, clicks: Sequence[Click], answer: Answer, passed_s: float) -> float:
        """Judge the answer to the newest click; the IoU of the selected mask."""
        gt_mask, ignore = self.sample.gt_mask, self.sample.ignore_mask
        self.clicks = clicks
        seconds = passed_s if answer.seconds is None else answer.seconds
        self.click_s.append(round(seconds, 5))
        ious = [iou(candidate, gt_mask, ignore) for candidate in answer.candidates]
        # not rounded: 0.899996 has not reached 0.9
        self.selected.append(ious[answer.selected])
        self.oracle.append(max(ious))
        self.first.append(ious[0])
        self.indices.append(answer.selected)
        self.clicks_broken += bool(broken_clicks(answer.mask, clicks))
        if answer.expected_iou is None:
            self.expected = None
        elif self.expected is not None:
            self.expected.append(round(float(answer.expected_iou[answer.selected]), 5))
        spread = diversity(answer.candidates, ignore)
        if spread is None:
            self.diversity = None
        elif self.diversity is not None:
            self.diversity.append(round(spread, 5))
        self.shown = answer.mask
        if len(clicks) in BOUNDARY_CLICKS:
            self.boundary_f[str(len(clicks))] = self._boundary_f()
        return ious[answer.selected]

    def _boundary_f(self) -> float:
        assert self.shown is not None
        sample = self.sample
        return round(boundary_f(self.shown, sample.gt_mask, sample.ignore_mask), 5)

    def _boundaries(self, max_clicks: int) -> dict[str, float]:
        """Where clicking ended earlier, the last mask's."""
        missing = [k for k in BOUNDARY_CLICKS if len(self.clicks) < k <= max_clicks]
        if missing and self.clicks:
            self.boundary_f |= dict.fromkeys(map(str, missing), self._boundary_f())
        return self.boundary_f

    def result(self, max_clicks: int, encode_s: float) -> ObjectResult:
        """The row; what was not clicked any more repeats the last figure."""
        for figures in (self.selected, self.oracle, self.first, self.expected):
            if figures is not None:
                figures += figures[-1:] * (max_clicks - len(figures))
        counted = ~self.sample.ignore_mask
        return ObjectResult(
            self.sample.name,
            self.selected,
            self.oracle,
            self.first,
            self.expected,
            self.clicks_broken,
            round(encode_s, 5),
            self.click_s,
            self.sample.image_path.name,
            list(self.sample.gt_mask.shape),
            round(float((self.sample.gt_mask & counted).mean()), 6),
            [[_plain(c.x), _plain(c.y), c.positive] for c in self.clicks],
            self.indices,
            self.diversity,
            self._boundaries(max_clicks),
            peak_memory_mb(),
        )


def _plain(value: float) -> float:
    return int(value) if value.is_integer() else value


def clicks_of(row: dict[str, Any]) -> list[Click]:
    """The clicks of a stored row, in order."""
    return [Click(float(x), float(y), bool(positive)) for x, y, positive in row["clicks"]]


def peak_memory_mb() -> float | None:
    """The most memory this process has had so far, in 10^6 bytes; None where nobody counts."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)
