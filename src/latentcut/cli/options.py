"""What several commands take, and the checks that come before any computing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Annotated

import typer

from latentcut.errors import FileMissing, OutputExists, UnsupportedImage

BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle", metavar="DIR", help="Bundle folder (default: the one inside the package)."
    ),
]
ThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads", min=0, metavar="N", help="Threads per prediction; 0: one for every core."
    ),
]
JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object to stdout instead of text.")
]

EngineOption = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="Who works: local, or ray (a Ray cluster).")
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="ADDRESS",
        help="Cluster of --engine ray, such as auto or ray://head:10001 (default: RAY_ADDRESS, "
        "else one of its own).",
    ),
]


def check_engine(engine: str, ray_address: str | None) -> None:
    """
    Whether there is such an engine, asked before the work begins.

    Raises:
        BadConfig: There is none.
        typer.BadParameter: An address is given for an engine that has none.
    """
    from latentcut.engines.find import check_engine_name

    check_engine_name(engine)
    if ray_address is not None and engine != "ray":
        raise typer.BadParameter("it belongs to --engine ray", param_hint="--ray-address")


def parse_xy(text: str, option: str) -> tuple[float, float]:
    """
    A position written as ``X,Y``.

    Raises:
        typer.BadParameter: It is written otherwise.
    """
    parts = text.split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no position; write X,Y in pixels, for example {option} 320,200",
            param_hint=option,
        ) from error
    return x, y


def with_name(path: Path) -> Path:
    """The same place under a path that ends in a name: ``.`` and ``..`` do not."""
    return path.resolve() if path.name in ("", "..") else path


def check_png_target(path: Path) -> None:
    """
    Whether a PNG can be written there, asked before the work begins.

    Raises:
        UnsupportedImage: The name does not end in .png.
        FileMissing: The folder does not exist.
        OutputExists: The path is a folder.
        PermissionError: The folder is not writable.
    """
    if path.suffix.lower() != ".png":
        raise UnsupportedImage(str(path), "no PNG name", "give one that ends in .png")
    check_file_target(path)


def check_file_target(path: Path) -> None:
    """Whether a file can be written there; see ``check_png_target``."""
    if not path.parent.is_dir():
        raise FileMissing(path.parent, f"a folder, so {path.name} cannot be written there")
    if path.is_dir():
        raise OutputExists(f"{path} is a folder; give the name of a file")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))


def check_folder_target(path: Path) -> None:
    """Whether a folder is there or can be made. Raises OutputExists."""
    if path.exists() and not path.is_dir():
        raise OutputExists(f"{path} is a file; give the name of a folder")
