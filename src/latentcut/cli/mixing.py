"""``--mix`` and ``--mix-share``: other checkpoints whose weights are mixed into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentcut.errors import FileMissing

MixOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--mix",
        metavar="CHECKPOINT",
        help="Mix in the weights of another stage of the same training first; may be repeated.",
    ),
]
MixShareOption = Annotated[
    list[float] | None,
    typer.Option(
        "--mix-share",
        min=0,
        max=1,
        metavar="S",
        help="How much of --mix (default: 0.5); one for each.",
    ),
]


def pair_mixes(mix: list[Path] | None, mix_share: list[float] | None) -> list[tuple[Path, float]]:
    """
    Each checkpoint that is mixed in, in order, with its share.

    Raises:
        typer.BadParameter: Some have a share and some have none, or there are too many.
        FileMissing: A checkpoint is not there.
    """
    checkpoints = mix or []
    shares = mix_share or [0.5] * len(checkpoints)
    if len(shares) != len(checkpoints):
        raise typer.BadParameter(
            f"give one for each --mix: {len(checkpoints)} of those, {len(shares)} shares",
            param_hint="--mix-share",
        )
    for checkpoint in checkpoints:
        check_checkpoint(checkpoint)
    return list(zip(checkpoints, shares, strict=True))


def check_checkpoint(path: Path) -> None:
    """
    Whether there is a checkpoint, asked before the work begins.

    Raises:
        FileMissing: There is none.
    """
    if not path.is_file():
        raise FileMissing(path, "a checkpoint (.safetensors)")
