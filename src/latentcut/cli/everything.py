"""``latentcut everything``: all things in a picture, without a single click of one's own."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.export import counted, progress_bar
from latentcut.cli.options import (
    BundleOption,
    JsonFlag,
    ThreadsOption,
    check_file_target,
    check_png_target,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from latentcut.core.everything import FoundObject


def everything(
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="PNG, JPEG, WebP, TIFF, BMP, GIF.")
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="JSON", help="COCO file with a mask for each thing.")
    ] = None,
    overlay: Annotated[
        Path | None, typer.Option(metavar="PNG", help="The picture with all things outlined.")
    ] = None,
    points_per_side: Annotated[
        int, typer.Option(min=1, max=128, metavar="N", help="Clicks along the longer side.")
    ] = 12,
    min_score: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="IOU", help="Least expected IoU.")
    ] = None,
    max_objects: Annotated[
        int, typer.Option(min=1, metavar="N", help="Keep the best so many.")
    ] = 1000,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """
    Find all things in a picture.

    Clicks on a grid of places and keeps what is answered surely, the surest first. For whole
    folders: latentcut batch FOLDER --everything.

    Example: latentcut everything photo.jpg --output all.json --overlay all.png
    """
    if output is None and overlay is None and not as_json:
        raise typer.BadParameter(
            "nothing would be written; give --output all.json, --overlay all.png or --json",
            param_hint="--output",
        )
    if output is not None:
        check_file_target(output)
    if overlay is not None:
        check_png_target(overlay)

    from latentcut.core.everything import EverythingOptions
    from latentcut.core.files import write_atomically
    from latentcut.core.images import write_image
    from latentcut.core.predictor import load

    given = {} if min_score is None else {"min_score": min_score}
    options = EverythingOptions(points_per_side, max_objects=max_objects, **given)
    predictor = load(bundle, threads)
    encoded = predictor.encode(image)
    started = time.perf_counter()
    try:
        with progress_bar("everything") as bar:
            found = predictor.find_all(encoded, options, bar)
    except KeyboardInterrupt:
        interrupted("Interrupted; nothing was written")
    seconds = time.perf_counter() - started
    if output is not None:
        write_atomically(output, coco_of(image, found, encoded.size_hw, output.parent))
    if overlay is not None:
        write_image(overlay, overview(encoded.image, found))
    if as_json:
        typer.echo(json.dumps(facts_of(image, found, predictor.fingerprint, seconds)))
        return
    typer.echo(f"{counted(len(found), 'thing')} in {seconds:.1f} s")
    for path in (output, overlay):
        if path is not None:
            typer.echo(f"written     {path}")


def facts_of(
    image: Path, found: tuple[FoundObject, ...], fingerprint: str, seconds: float
) -> dict[str, Any]:
    """What there is to say, as plain values for JSON."""
    return {
        "image": str(image),
        "bundle": fingerprint,
        "seconds": round(seconds, 3),
        "objects": [
            {
                "expected_iou": round(thing.score, 5),
                "stability": round(thing.stability, 5),
                "click": [thing.click.x, thing.click.y],
                "area": thing.area,
                "box_xyxy": list(thing.box_xyxy),
                "rle": thing.rle,
            }
            for thing in found
        ],
    }


def coco_of(
    image: Path, found: tuple[FoundObject, ...], size_hw: tuple[int, int], folder: Path
) -> bytes:
    """A COCO file that lies in a folder."""
    from latentcut.formats.coco import coco_files
    from latentcut.formats.records import AnnotatedImage, Job, images_as_set, object_of_runs
    from latentcut.formats.runs import runs_of_rle

    height, width = size_hw
    objects = tuple(
        object_of_runs(
            runs_of_rle(thing.rle, height * width),
            size_hw,
            position=number,
            attributes={"expected_iou": round(thing.score, 5)},
        )
        for number, thing in enumerate(found)
    )
    way = Path(os.path.relpath(image, folder)).as_posix()
    picture = AnnotatedImage(path=way, width=width, height=height, objects=objects)
    (file,) = coco_files(Job(images_as_set([picture])))
    return file.data


def overview(image: NDArray[np.uint8], found: tuple[FoundObject, ...]) -> NDArray[np.uint8]:
    """The image with all things tinted and outlined, small ones on top of large ones."""
    from latentcut.cli.data_sheet import colour_of
    from latentcut.cli.pictures import draw_outline, tint

    painted = image
    for number, thing in enumerate(sorted(found, key=lambda thing: -thing.area)):
        painted = tint(painted, thing.mask, colour_of(number))
    for thing in found:
        painted = draw_outline(painted, thing.mask)
    return painted
