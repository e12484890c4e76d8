"""``latentcut train``: make a model from data sets; also the command that torchrun starts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.mixing import MixOption, MixShareOption, pair_mixes
from latentcut.cli.options import check_folder_target
from latentcut.errors import FileMissing, MissingExtra

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from latentcut.training.config import Config

EXTRA_MODULES = ("torch", "safetensors", "onnx")
CHECKPOINT_NAME = "checkpoint.safetensors"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="TOML file, see configs/.")],
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder that holds the data sets of the config.")
    ],
    output: Annotated[
        Path,
        typer.Option(metavar="RUN", help="Run folder; if it holds a checkpoint, the run goes on."),
    ],
    backbones: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with the pretrained encoder of the config."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override; may be repeated."),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            metavar="START",
            help="Start a new run from a checkpoint's averaged weights, or from a bundle.",
        ),
    ] = None,
    mix: MixOption = None,
    mix_share: MixShareOption = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Start the encoder from random weights.")
    ] = False,
) -> None:
    """
    Train a model, or go on with a run that was stopped.

    A run may be stopped at any moment: the same command goes on from its last checkpoint.

    Two processes: torchrun --standalone --nproc-per-node 2 -m latentcut train CONFIG ...
    """
    from latentcut.training.config import load_config
    from latentcut.training.paper.family import is_paper_config

    if not data.is_dir():
        raise FileMissing(data, "a folder of data sets")
    check_folder_target(output)
    if is_paper_config(config):
        refuse_for_paper_family(
            {
                "--start-from": start_from is not None,
                "--from-scratch": from_scratch,
                "--mix": bool(mix),
                "--mix-share": bool(mix_share),
            }
        )
        return train_paper_family(config, data, output, backbones, settings or ())
    resolved = load_config(config, settings or ())
    backbone = find_backbone(resolved, backbones, output, start_from, from_scratch=from_scratch)
    if mix and start_from is None:
        raise typer.BadParameter(
            "there is nothing to mix it into: give --start-from, too", param_hint="--mix"
        )
    pairs = pair_mixes(mix, mix_share)
    try:
        from latentcut.training.checkpoint import Mix
        from latentcut.training.loop import train as run
        from latentcut.training.start import check_start
        from latentcut.training.validation import build_validation
    except ModuleNotFoundError as error:
        raise missing_extra(error, "latentcut train") from error

    if start_from is not None:
        check_start(start_from)
    if is_main():
        typer.echo(config_as_toml(resolved))
    validate = None
    if is_main() and resolved.train.validate_every > 0:
        validate = build_validation(data, resolved)
    mixes = [Mix(*pair) for pair in pairs]
    checkpoint = run_to_end(
        lambda: run(resolved, data, backbone, output, validate, start_from, mixes),
        output,
        resolved.train.steps,
    )
    if is_main():
        bundle = output / "bundle"
        typer.echo(f"next: latentcut bundle {checkpoint} --output {bundle} --data {data}")
    return None


def refuse_for_paper_family(given: Mapping[str, bool]) -> None:
    """
    Stop at options that the paper's family has no use for, instead of passing over them.

    Args:
        given: Option -> whether it was given.

    Raises:
        typer.BadParameter: One was.
    """
    for option in (option for option, is_given in given.items() if is_given):
        raise typer.BadParameter(
            "the paper's family trains f and g from random weights on frozen features: "
            f"{option} has no meaning for it",
            param_hint=option,
        )


def train_paper_family(
    config: Path, data: Path, output: Path, backbones: Path | None, settings: Sequence[str]
) -> None:
    """
    Train f, then g, of the paper's family.

    Raises:
        typer.BadParameter: The features need weights and no folder was given.
        FileMissing: The folder does not hold them.
    """
    from latentcut.nets.paper.weights import feature_weights

    try:
        from latentcut.training.paper.config import load_paper_config
        from latentcut.training.paper.loop import train_paper
    except ModuleNotFoundError as error:
        raise missing_extra(error, "latentcut train") from error

    resolved = load_paper_config(config, settings)
    kind = resolved.features.kind
    weights = None
    if kind != "none" and not (output / CHECKPOINT_NAME).is_file():
        if backbones is None:
            raise typer.BadParameter(
                f"features.kind = {kind!r} needs pretrained weights: give --backbones with the "
                "folder that holds them, or another --set features.kind=... (vgg16, mobilenetv2, "
                "none); torchvision's VGG-19 comes with latentcut download vgg19",
                param_hint="--backbones",
            )
        weights = feature_weights(kind, backbones)
    if is_main():
        typer.echo(config_as_toml(resolved))
    checkpoint = run_to_end(
        lambda: train_paper(resolved, data, weights, output),
        output,
        resolved.train.f_steps + resolved.train.g_steps,
    )
    if is_main():
        typer.echo(f"next: latentcut evaluate --predictor checkpoint:{checkpoint} --data DATASET")


def is_main() -> bool:
    """Whether this process prints: the only one, or torchrun's first."""
    return os.environ.get("RANK", "0") == "0"


def run_to_end(run: Callable[[], Path], output: Path, steps: int) -> Path:
    """Run a training; say where its checkpoint is, and leave with 130 if it was interrupted."""
    from latentcut.training.checkpoint import read_facts

    try:
        checkpoint = run()
    except KeyboardInterrupt:  # asked twice
        interrupted(f"Interrupted; the same command goes on from the last checkpoint in {output}")
    step = int(read_facts(checkpoint)["step"])
    if is_main():
        typer.echo(f"checkpoint: {checkpoint} (step {step} of {steps})")
        if step < steps:
            interrupted(
                f"Interrupted at step {step} of {steps}; the same command goes on from there"
            )
    return checkpoint


def find_backbone(
    config: Config,
    backbones: Path | None,
    output: Path,
    start_from: Path | None,
    *,
    from_scratch: bool,
) -> Path | None:
    """
    The pretrained encoder, or None where other weights replace it anyway.

    Raises:
        typer.BadParameter: It was neither given nor waived, or both.
        FileMissing: The folder does not hold it.
    """
    if backbones is not None and from_scratch:
        raise typer.BadParameter(
            "give either --backbones or --from-scratch, not both", param_hint="--backbones"
        )
    if backbones is not None:
        path = backbones / config.model.backbone
        if not path.is_file():
            raise FileMissing(path, "a backbone file (.safetensors; its name is model.backbone)")
        return path
    has_weights = start_from is not None or (output / CHECKPOINT_NAME).is_file()
    if not (from_scratch or has_weights):
        raise typer.BadParameter(
            f"training starts from {config.model.backbone}: give --backbones with the folder that "
            "holds it, or --from-scratch to start from random weights (much slower to learn)",
            param_hint="--backbones",
        )
    return None


def missing_extra(error: ModuleNotFoundError, what: str) -> ImportError:
    """MissingExtra if a package of the extra is not there; any other failed import as it is."""
    root = (error.name or "").partition(".")[0]
    return MissingExtra(what, "train") if root in EXTRA_MODULES else error


def config_as_toml(config: DataclassInstance) -> str:
    """The whole config, defaults included, as TOML that ``train`` reads again."""
    from latentcut.training.config import config_to_dict

    lines = []
    for section, entries in config_to_dict(config).items():
        lines += [f"[{section}]", *(f"{k} = {toml_value(v)}" for k, v in entries.items()), ""]
    return "\n".join(lines)


def toml_value(value: Any) -> str:
    """One value in TOML's spelling; JSON's is the same for strings, numbers and booleans."""
    if isinstance(value, Mapping):
        pairs = (
            f"{k if BARE_KEY.fullmatch(k) else json.dumps(k)} = {toml_value(v)}"
            for k, v in value.items()
        )
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return json.dumps(value)
