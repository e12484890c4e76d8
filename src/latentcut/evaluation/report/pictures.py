"""
Pictures of cases: an object, its clicks, what was answered.

Rows hold no masks, so answers are asked for again: the same clicks give the same masks. A case
is one JPEG and outlines drawn over it as paths, which stay sharp at any size and cost a few
kilobytes each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentcut.core.clicks import Click
from latentcut.core.metrics import iou
from latentcut.datasets.dataset import Dataset, ObjectRef, Sample, read_sample_image
from latentcut.errors import DatasetBroken
from latentcut.evaluation.protocol import clicks_of
from latentcut.evaluation.report.drawing import (
    UNITS,
    Box,
    jpeg_of,
    moved,
    outline_path,
    shown_part,
    smaller,
)
from latentcut.evaluation.segmenter import Answer, Segmenter

RgbImage = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

KINDS = ("worst", "median", "best")
SHOWN_CLICKS = (1, 3)  # and the last one
SAME_IOU = 0.005  # more than rounding differs between machines

# Size and quality of all JPEGs together: the first pair that keeps to the limit is taken.
MAX_PICTURE_BYTES = 1_500_000
JPEG_STEPS = ((512, 82), (448, 80), (384, 76), (320, 72), (256, 66), (200, 60))


@dataclass(frozen=True)
class Tile:
    """
    One view of a case.

    Attributes:
        caption: What it is, such as "3 clicks".
        aside: Its figures.
        mask: Outline of the answer as an SVG path; empty: none is shown.
        clicks: The clicks made until then, in the units of the outlines.
        selected: Whether it is the candidate that was shown to the user.
    """

    caption: str
    aside: str
    mask: str
    clicks: tuple[Click, ...] = ()
    selected: bool = False


@dataclass(frozen=True)
class CasePicture:
    """
    One object as one segmenter answered it.

    Attributes:
        dataset: Name of the data set.
        predictor: Name of the segmenter.
        kind: "worst", "median" or "best".
        name: The object.
        facts: What else is to be said of it.
        jpeg: The shown part of the picture.
        size_wh: Its size in the units of the outlines.
        gt_outline: Ground truth as an SVG path.
        steps: The picture itself and the shown mask after 1, 3 and the last click.
        candidates: All candidates after the first click; empty where there is only one.
    """

    dataset: str
    predictor: str
    kind: str
    name: str
    facts: str
    jpeg: bytes
    size_wh: tuple[int, int]
    gt_outline: str
    steps: tuple[Tile, ...]
    candidates: tuple[Tile, ...]


class Drawn(NamedTuple):
    """A case before its JPEG is made: all cases share one limit."""

    case: CasePicture
    part: RgbImage


def case_pictures(
    result: Mapping[str, Any],
    datasets: Mapping[str, Dataset],
    segmenters: Mapping[str, Segmenter],
) -> tuple[list[CasePicture], list[str]]:
    """
    The worst, the median and the best object of every run, by mean IoU over all clicks.

    Of several users, the first one's runs are shown.

    Args:
        result: As written by ``latentcut evaluate --json``.
        datasets: By name; a run whose data set is missing here has no pictures.
        segmenters: By name, likewise.

    Returns:
        The pictures, in the order of the runs, and remarks on what could not be shown.

    Raises:
        DatasetBroken: An object of the result is not in its data set.
    """
    drawn: list[Drawn] = []
    remarks: list[str] = []
    known = {p["name"]: p["fingerprint"] for p in result["predictors"]}
    for run in first_users(result["runs"]):
        dataset, segmenter = datasets.get(run["dataset"]), segmenters.get(run["predictor"])
        if dataset is None or segmenter is None or not run["rows"]:
            continue
        if segmenter.fingerprint != known[run["predictor"]]:
            remarks.append(
                f"No pictures of {run['predictor']}: what has this name now is not what was "
                f"evaluated (fingerprints {segmenter.fingerprint[:12]} and "
                f"{known[run['predictor']][:12]})."
            )
            continue
        shown, differing = _cases(run, dataset, segmenter)
        drawn += shown
        remarks += differing
    return _with_jpegs(drawn), list(dict.fromkeys(remarks))


def first_users(runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of every data set and predictor the first run that has rows."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for run in runs:
        if run["rows"]:
            found.setdefault((run["dataset"], run["predictor"]), run)
    return list(found.values())


def choose_cases(rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """
    The rows to show, by kind: worst, median and best mean IoU over all clicks.

    Args:
        rows: Of one run. With fewer than three rows the last kinds are missing.
    """
    clicked = [row for row in rows if row.get("clicks")]
    by_area = sorted(clicked, key=lambda row: (float(np.mean(row["selected_ious"])), row["name"]))
    if not by_area:
        return {}
    places = {"worst": 0, "median": (len(by_area) - 1) // 2, "best": len(by_area) - 1}
    chosen: dict[str, Mapping[str, Any]] = {}
    for kind in KINDS:
        row = by_area[places[kind]]
        if all(row is not other for other in chosen.values()):
            chosen[kind] = row
    return chosen


def _cases(
    run: Mapping[str, Any], dataset: Dataset, segmenter: Segmenter
) -> tuple[list[Drawn], list[str]]:
    """The cases of one run, and a remark for each that does not give the same IoU again."""
    chosen = choose_cases(run["rows"])
    refs = _find(dataset, {row["name"] for row in chosen.values()})
    drawn, remarks = [], []
    for kind, row in chosen.items():
        case, last_iou = draw_case(row, dataset.sample(refs[row["name"]]), segmenter)
        labels = {"dataset": run["dataset"], "predictor": run["predictor"], "kind": kind}
        drawn.append(Drawn(replace(case.case, **labels), case.part))
        stored = row["selected_ious"][len(row["clicks"]) - 1]
        if abs(last_iou - stored) > SAME_IOU:
            remarks.append(
                f"{run['predictor']} on {row['name']} of {run['dataset']}: asked again for this "
                f"report, it reached IoU {last_iou:.3f}; the tables hold {stored:.3f}."
            )
    return drawn, remarks


def _find(dataset: Dataset, names: set[str]) -> dict[str, ObjectRef]:
    """Objects by name. Raises DatasetBroken."""
    found: dict[str, ObjectRef] = {}
    for ref in dataset.objects():
        if ref.name in names:
            found[ref.name] = ref
            if len(found) == len(names):
                return found
    missing = ", ".join(sorted(names - set(found)))
    raise DatasetBroken(
        f"{dataset.path} has no object {missing}: it is not the data set of this result"
    )


def draw_case(row: Mapping[str, Any], sample: Sample, segmenter: Segmenter) -> tuple[Drawn, float]:
    """
    Ask for the answers to a row's clicks again and draw them.

    Args:
        row: A row of a result, with at least one click.
        sample: Its object.
        segmenter: Who answered.

    Returns:
        The case without its JPEG, and the IoU after the last click.

    Raises:
        DatasetBroken: Picture and mask differ in size.
    """
    image, clicks = read_sample_image(sample), clicks_of(dict(row))
    kept = _answers(segmenter, image, clicks)
    seen = _Seen(sample, [answer.mask for answer in kept.values()], clicks)
    box, first, last = seen.box, kept[min(kept)], kept[len(clicks)]
    case = CasePicture(
        dataset="",
        predictor="",
        kind="",
        name=row["name"],
        facts=_facts(row, image, box),
        jpeg=b"",
        size_wh=seen.size_wh,
        gt_outline=seen.outline(sample.gt_mask),
        steps=(Tile("ground truth", in_clicks(len(clicks)), ""), *seen.steps(kept)),
        candidates=seen.candidates(first) if len(first.candidates) > 1 else (),
    )
    part = image[box.top : box.bottom, box.left : box.right]
    # of large pictures only what a JPEG can show: all cases are kept until the last is drawn
    return Drawn(case, smaller(part, JPEG_STEPS[0][0])), seen.iou_of(last.mask)


def in_clicks(number: int) -> str:
    """A number of clicks in words."""
    return f"{number} click{'s' * (number != 1)}"


class _Seen:
    """The part of a picture that is shown, and answers as tiles of it."""

    def __init__(self, sample: Sample, masks: Sequence[BoolArray], clicks: Sequence[Click]) -> None:
        self.sample = sample
        self.box = shown_part([sample.gt_mask, *masks], clicks)
        width, height = self.box.right - self.box.left, self.box.bottom - self.box.top
        scale = UNITS / max(width, height)
        self.size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
        self.clicks = tuple(moved(click, self.box, scale) for click in clicks)

    def outline(self, mask: BoolArray) -> str:
        box = self.box
        return outline_path(mask[box.top : box.bottom, box.left : box.right], self.size_wh)

    def iou_of(self, mask: BoolArray) -> float:
        return iou(mask, self.sample.gt_mask, self.sample.ignore_mask)

    def steps(self, kept: Mapping[int, Answer]) -> list[Tile]:
        """The shown masks, by number of clicks."""
        return [
            Tile(
                in_clicks(number),
                f"IoU {self.iou_of(answer.mask):.3f}",
                self.outline(answer.mask),
                self.clicks[:number],
            )
            for number, answer in kept.items()
        ]

    def candidates(self, answer: Answer) -> tuple[Tile, ...]:
        """All masks of the answer to the first click."""
        return tuple(
            Tile(
                f"candidate {index}",
                _figures(answer, index, self.iou_of(mask)),
                self.outline(mask),
                self.clicks[:1],
                selected=index == answer.selected,
            )
            for index, mask in enumerate(answer.candidates)
        )


def _answers(segmenter: Segmenter, image: RgbImage, clicks: Sequence[Click]) -> dict[int, Answer]:
    """The answers that are shown, by number of clicks; all clicks are made, one by one."""
    conversation = segmenter.start(image)
    kept: dict[int, Answer] = {}
    for number in range(1, len(clicks) + 1):
        answer = conversation.answer(clicks[:number])
        if number in SHOWN_CLICKS or number == len(clicks):
            kept[number] = answer
    return kept


def _figures(answer: Answer, index: int, reached: float) -> str:
    told = f"IoU {reached:.2f}"
    if answer.expected_iou is not None:
        told += f", expected {float(answer.expected_iou[index]):.2f}"
    return told


def _facts(row: Mapping[str, Any], image: RgbImage, box: Box) -> str:
    height, width = image.shape[:2]
    told = f"mean IoU over all clicks {float(np.mean(row['selected_ious'])):.3f}"
    if row.get("area_share") is not None:
        told += f"; the object is {100 * row['area_share']:.2g} % of the picture"
    if (box.right - box.left, box.bottom - box.top) != (width, height):
        told += (
            f"; shown are {box.right - box.left} × {box.bottom - box.top} px of {width} × {height}"
        )
    return told


def _with_jpegs(drawn: Sequence[Drawn]) -> list[CasePicture]:
    """All cases with their JPEGs, which together with the outlines keep to the limit."""
    outlines = sum(_outline_bytes(case) for case, _ in drawn)
    jpegs: list[bytes] = []
    for side, quality in JPEG_STEPS:
        jpegs = [jpeg_of(part, side, quality) for _, part in drawn]
        if outlines + sum(4 * -(-len(jpeg) // 3) for jpeg in jpegs) <= MAX_PICTURE_BYTES:
            break
    return [replace(case, jpeg=jpeg) for (case, _), jpeg in zip(drawn, jpegs, strict=True)]


def _outline_bytes(case: CasePicture) -> int:
    """In the page: outlines of candidates are there twice, as edge and as what is outside."""
    candidates = 2 * sum(len(tile.mask) for tile in case.candidates)
    return len(case.gt_outline) + sum(len(tile.mask) for tile in case.steps) + candidates
