"""``latentcut bundle``: a checkpoint becomes the folder that users load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentcut.cli.mixing import MixOption, MixShareOption, pair_mixes
from latentcut.cli.options import with_name
from latentcut.cli.train import missing_extra
from latentcut.errors import BadConfig, FileMissing

if TYPE_CHECKING:
    from latentcut.core.bundle import BundleInfo, FrameInfo


def bundle(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="RUN/checkpoint.safetensors")
    ],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Bundle folder: new, or a bundle to replace.")
    ],
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What the bundle calls itself (default: the folder's name)."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the training sets: scores are calibrated on images held out of them.",
        ),
    ] = None,
    first_px: Annotated[
        int | None, typer.Option(metavar="PX", help="Longer side at which an image is shown.")
    ] = None,
    zoom_px: Annotated[
        int | None, typer.Option(metavar="PX", help="Longer side at which a crop is shown.")
    ] = None,
    zoom_factor: Annotated[
        float | None, typer.Option(metavar="F", help="Side of a crop over side of the thing.")
    ] = None,
    click_look_share: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            help="Answer first clicks in a crop around them, too: its side over the image's "
            "longer side (default: never).",
        ),
    ] = None,
    click_look_px: Annotated[
        int | None, typer.Option(metavar="PX", help="Longer side at which that crop is shown.")
    ] = None,
    mix: MixOption = None,
    mix_share: MixShareOption = None,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror", help="Always ask about the mirror image, too: better, in twice the time."
        ),
    ] = False,
) -> None:
    """
    Export a checkpoint's averaged weights as a bundle: two graphs and model.json.

    The graphs are compared with torch before anything is written.
    """
    from latentcut.core.bundle import FrameInfo

    given = {
        "first_px": first_px,
        "zoom_px": zoom_px,
        "zoom_factor": zoom_factor,
        "click_look_share": click_look_share,
        "click_look_px": click_look_px,
    }
    settings = {key: value for key, value in given.items() if value is not None}
    frame = frame_of(settings | {"mirror": mirror})
    if data is not None and not data.is_dir():
        raise FileMissing(data, "a folder of data sets")
    pairs = pair_mixes(mix, mix_share)
    try:
        from latentcut.training.bundling import make_bundle
        from latentcut.training.checkpoint import Mix
    except ModuleNotFoundError as error:
        raise missing_extra(error, "latentcut bundle") from error

    folder = with_name(output)
    mixes = [Mix(*pair) for pair in pairs]
    info = make_bundle(checkpoint, folder, name or folder.name, data, frame, mixes=mixes)
    typer.echo(summary_of(info, output, frame == FrameInfo()))


def frame_of(given: dict[str, int | float]) -> FrameInfo:
    """
    How images are shown, from the options that were given.

    Raises:
        BadConfig: A value is not allowed.
    """
    from pydantic import ValidationError

    from latentcut.core.bundle import FrameInfo

    try:
        return FrameInfo.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        reason = first["msg"][0].lower() + first["msg"][1:]
        raise BadConfig(f"--{option} {first['input']}: {reason}") from error


def summary_of(info: BundleInfo, output: Path, is_default_frame: bool) -> str:
    """What was written, for a person."""
    facts = info.provenance
    num_bytes = sum(file.num_bytes for file in info.files.values())
    frame = info.frame
    calibrated = facts["calibration"]["objects"]
    calibration = f"on {calibrated} held-out objects" if calibrated else "none (give --data)"
    return "\n".join(
        [
            f"bundle       {info.name} in {output}, {num_bytes / 1e6:.1f} MB",
            f"model        {info.num_masks} masks, {facts['parameters']:,} parameters, "
            f"step {facts['step']}",
            f"frame        image {frame.first_px} px, crop {frame.zoom_px} px, "
            f"factor {frame.zoom_factor:g}"
            + (f", click look {frame.click_look_share:g}" if frame.click_look_share else "")
            + (", and mirrored" if frame.mirror else "")
            + (" (defaults)" if is_default_frame else ""),
            f"parity       torch and ONNX Runtime differ by {facts['torch_onnx_difference']:.1e}",
            f"calibration  {calibration}",
            f"next: latentcut evaluate --data DIR --bundle {output}",
        ]
    )
