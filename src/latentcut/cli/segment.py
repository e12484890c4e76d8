"""``latentcut segment``: box and clicks on a picture to mask, candidates, cut-out, overlay."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from latentcut.cli.options import (
    BundleOption,
    JsonFlag,
    ThreadsOption,
    check_folder_target,
    check_png_target,
    parse_xy,
)
from latentcut.errors import NoClicks, OutputExists

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from latentcut.core.clicks import Click
    from latentcut.core.prediction import Prediction

    Picture = NDArray[np.bool_] | NDArray[np.uint8]

ORDER_KEY = "latentcut.click_order"
# options that are answered in the order in which they are written: is it on the thing?
SIGNS = {"positive": True, "negative": False, "scribble": True, "negative_scribble": False}

Points = list[tuple[float, float]]


class OrderedClicks(TyperCommand):
    """Remembers how clicks and scribbles alternate; Typer keeps only a list of each option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual, and note the name of each click option as it occurs."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        names = [parameter.name for parameter in order]
        ctx.meta[ORDER_KEY] = [name for name in names if name in SIGNS]
        return super().parse_args(ctx, args)


@dataclass(frozen=True)
class Targets:
    """Files and folders to write; None: not wanted."""

    mask: Path | None
    cutout: Path | None
    overlay: Path | None
    candidates: Path | None

    def check(self, image: Path) -> None:
        """Refuse what cannot be written, before anything is computed."""
        files = [path for path in (self.mask, self.cutout, self.overlay) if path is not None]
        for path in files:
            check_png_target(path)
            if path.resolve() == image.resolve():
                raise OutputExists(f"{path} is the picture itself; give another output")
        if len({path.resolve() for path in files}) < len(files):
            raise OutputExists("two outputs have the same name; give each its own")
        if self.candidates is not None:
            check_folder_target(self.candidates)


def segment(
    ctx: typer.Context,
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="PNG, JPEG, WebP, TIFF, BMP, GIF.")
    ],
    positive: Annotated[
        list[str] | None, typer.Option(metavar="X,Y", help="Click on the thing; may be repeated.")
    ] = None,
    negative: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y", help="Click on the background; may be repeated."),
    ] = None,
    scribble: Annotated[
        list[str] | None,
        typer.Option(metavar='"X,Y X,Y ..."', help="Stroke over the thing; may be repeated."),
    ] = None,
    negative_scribble: Annotated[
        list[str] | None,
        typer.Option(metavar='"X,Y X,Y ..."', help="Stroke over the background; may be repeated."),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="X0,Y0,X1,Y1", help="Box around the thing, answered before clicks."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="PNG", help="The selected mask: 255 inside, 0 outside.")
    ] = None,
    candidates: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for all masks: candidate_0.png, ... Made if new."),
    ] = None,
    cutout: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="The thing alone; the background is transparent."),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="The picture with the mask tinted and the clicks drawn."),
    ] = None,
    previous_mask: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Mask to start from, as --output writes it."),
    ] = None,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """
    Cut one thing out of a picture.

    Positions are pixels from the centre of the top-left pixel of the upright picture, x to the
    right, y down. A box is answered first, then clicks and scribbles one by one in the order in
    which they are written, as if a person made them. Nothing is written unless everything could be
    computed.

    Example: latentcut segment photo.jpg --positive 320,200 --negative 40,60 --output mask.png
    """
    given = {"positive": positive, "negative": negative}
    given |= {"scribble": scribble, "negative_scribble": negative_scribble}
    strokes = strokes_in_order(ctx.meta[ORDER_KEY], given)
    corners = None if box is None else parse_box(box)
    if corners is None and not strokes and previous_mask is None:
        raise NoClicks
    if corners is not None and previous_mask is not None:
        raise typer.BadParameter(
            "a box is answered anew, without a mask to start from; leave out one of the two",
            param_hint="--previous-mask",
        )
    targets = Targets(output, cutout, overlay, candidates)
    if targets == Targets(None, None, None, None) and not as_json:
        raise typer.BadParameter(
            "nothing would be written; give --output mask.png, another output or --json",
            param_hint="--output",
        )
    targets.check(image)

    from latentcut.core.images import read_image, write_image
    from latentcut.core.predictor import load

    started = time.perf_counter()
    pixels = read_image(image)
    start_mask = None if previous_mask is None else read_mask(previous_mask)
    read_ms = since_ms(started)
    started = time.perf_counter()
    predictor = load(bundle, threads)
    load_ms = since_ms(started)
    started = time.perf_counter()
    session = predictor.open(pixels, start_mask)
    times: dict[str, Any] = {"read": read_ms, "load": load_ms, "encode": since_ms(started)}
    prediction, click_ms = None, []
    if corners is not None:
        started = time.perf_counter()
        prediction = session.box(*corners)
        prediction.mask  # noqa: B018  # made when first asked for; belongs to the box's time
        times["box"] = since_ms(started)
    for points, is_positive in strokes:
        started = time.perf_counter()
        if len(points) == 1:
            prediction = session.click(*points[0], is_positive)
        else:
            prediction = session.scribble(points, is_positive)
        prediction.mask  # noqa: B018  # likewise
        click_ms.append(since_ms(started))
    if prediction is None:
        prediction = predictor.predict(session.encoded, (), start_mask)
    files = files_to_write(targets, pixels, prediction, session.clicks)

    if targets.candidates is not None:
        targets.candidates.mkdir(parents=True, exist_ok=True)
    for path, picture in files.items():
        write_image(path, picture)
    times["clicks"] = click_ms
    facts = facts_of(image, prediction, predictor.fingerprint, corners)
    facts |= {"files": written_files(targets, prediction.num_masks), "times_ms": times}
    typer.echo(json.dumps(facts) if as_json else in_words(facts))


def strokes_in_order(
    order: list[str], given: dict[str, list[str] | None]
) -> list[tuple[Points, bool]]:
    """
    Clicks (of one point) and scribbles, each with its sign, in the order of their options.

    Args:
        order: Names of the options as they were written.
        given: What was written, by option.

    Raises:
        typer.BadParameter: Something is no position.
    """
    rest = {}
    for name, texts in given.items():
        option = "--" + name.replace("_", "-")
        split = [text.split() if "scribble" in name else [text] for text in texts or []]
        rest[name] = iter([[parse_xy(part, option) for part in parts] for parts in split])
    return [(next(rest[name]), SIGNS[name]) for name in order]


def parse_box(text: str) -> tuple[float, float, float, float]:
    """
    A box written as ``X0,Y0,X1,Y1``.

    Raises:
        typer.BadParameter: It is written otherwise.
    """
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no box; write X0,Y0,X1,Y1 in pixels, the left, top, right and bottom "
            "edge, for example --box 200,80,420,360",
            param_hint="--box",
        ) from error
    return x0, y0, x1, y1


def read_mask(path: Path) -> NDArray[np.bool_]:
    """
    A mask from a picture: the pixels brighter than half of its brightest one.

    So 0 and 255, 0 and 1, and a palette with black background are all read as meant.
    """
    from latentcut.core.images import read_image

    brightness = read_image(path).max(axis=2)  # (H0, W0)
    mask: NDArray[np.bool_] = brightness > brightness.max() / 2
    return mask


def files_to_write(
    targets: Targets, image: NDArray[np.uint8], prediction: Prediction, clicks: tuple[Click, ...]
) -> dict[Path, Picture]:
    """Every wanted file and its pixels."""
    files: dict[Path, Picture] = {}
    if targets.mask is not None:
        files[targets.mask] = prediction.mask
    if targets.cutout is not None or targets.overlay is not None:
        from latentcut.cli.pictures import cutout_picture, overlay_picture

        if targets.cutout is not None:
            files[targets.cutout] = cutout_picture(image, prediction.mask)
        if targets.overlay is not None:
            files[targets.overlay] = overlay_picture(image, prediction.mask, clicks)
    if targets.candidates is not None:
        for index in range(prediction.num_masks):
            files[targets.candidates / f"candidate_{index}.png"] = prediction.candidate(index)
    return files


def written_files(targets: Targets, num_masks: int) -> dict[str, Any]:
    """The written files by role, for JSON."""
    single = {"mask": targets.mask, "cutout": targets.cutout, "overlay": targets.overlay}
    files: dict[str, Any] = {role: str(path) for role, path in single.items() if path is not None}
    if targets.candidates is not None:
        folder = targets.candidates
        files["candidates"] = [str(folder / f"candidate_{m}.png") for m in range(num_masks)]
    return files


def facts_of(
    image: Path,
    prediction: Prediction,
    fingerprint: str,
    corners: tuple[float, float, float, float] | None,
) -> dict[str, Any]:
    """What there is to say about a prediction, as plain values for JSON."""
    from latentcut.core.masks import box_xywh_coco, coco_rle, mask_area

    height, width = prediction.mask.shape
    return {
        "image": {"path": str(image), "width": width, "height": height},
        "bundle": fingerprint,
        "given_box": None if corners is None else list(corners),
        "clicks": [{"x": c.x, "y": c.y, "positive": c.positive} for c in prediction.clicks],
        "selected": prediction.selected,
        "scores": [round(float(score), 5) for score in prediction.scores],
        "expected_iou": [round(float(value), 5) for value in prediction.expected_iou],
        "clicks_satisfied": prediction.clicks_satisfied,
        "area": mask_area(prediction.mask),
        "box_xywh": list(box_xywh_coco(prediction.mask)),
        "rle": coco_rle(prediction.mask),
    }


def in_words(facts: dict[str, Any]) -> str:
    """The facts for a person."""
    size, times, chosen = facts["image"], facts["times_ms"], facts["selected"]
    x, y, width, height = facts["box_xywh"]
    share = 100 * facts["area"] / (size["width"] * size["height"])
    obeyed = "every click is obeyed"
    if not facts["clicks_satisfied"]:
        obeyed = "NOT every click is obeyed: clicks of both signs lie in one pixel"
    box = f"box {times['box']:.0f} ms, " if "box" in times else ""
    each = " + ".join(f"{ms:.0f}" for ms in times["clicks"]) or "none"
    lines = [
        f"picture     {size['path']}, {size['width']} x {size['height']} px",
        f"mask        {facts['area']:,} px ({share:.1f} %), "
        f"box x {x}, y {y}, {width} x {height} px",
        f"selected    candidate {chosen} of 0 to {len(facts['scores']) - 1}: "
        f"score {facts['scores'][chosen]:.2f}, expected IoU {facts['expected_iou'][chosen]:.2f}; "
        + obeyed,
        f"times       model {times['load']:.0f} ms, picture {times['encode']:.0f} ms, "
        f"{box}clicks {each} ms",
    ]
    for role, paths in facts["files"].items():
        if isinstance(paths, list):
            paths = f"{Path(paths[0]).parent}, {len(paths)} files {Path(paths[0]).name}, ..."
        lines.append(f"{role:<12}{paths}" if role != "mask" else f"written     {paths}")
    return "\n".join(lines)


def since_ms(started: float) -> float:
    """Milliseconds since a reading of ``time.perf_counter``."""
    return round(1000 * (time.perf_counter() - started), 1)
