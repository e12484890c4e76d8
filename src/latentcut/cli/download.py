"""``latentcut download``: the one command that fetches something, and only when asked to."""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any

import typer

from latentcut.cli.edge import interrupted
from latentcut.cli.options import check_folder_target
from latentcut.errors import CheckpointBroken

CHUNK_BYTES = 1 << 20


def download(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="vgg19: 548 MiB, for the paper's f.")],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder to put it into; made if need be.")
    ],
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Another place that has the same file.")
    ] = None,
) -> None:
    """
    Fetch pretrained weights that are too large for the package, and check their sha256.

    An interrupted download goes on where it stopped when the same command is given again.
    """
    from latentcut.nets.paper.weights import VGG19_FILE, VGG19_SHA256, VGG19_URL

    if what != "vgg19":
        raise typer.BadParameter(f"{what!r} is unknown; there is vgg19", param_hint="WHAT")
    check_folder_target(output)
    output.mkdir(parents=True, exist_ok=True)
    target = output / VGG19_FILE
    try:
        fetch(url or VGG19_URL, target, VGG19_SHA256)
    except KeyboardInterrupt:
        interrupted("Interrupted; the same command goes on from there")
    typer.echo(f"{target} (sha256 is right)")


def fetch(url: str, target: Path, sha256: str) -> None:
    """
    Get a file, or the rest of it; it has its name only when its checksum is right.

    Args:
        url: http, https or file.
        target: What was fetched so far lies beside it as ``.part``.
        sha256: Of the whole file.

    Raises:
        CheckpointBroken: The file is there or has come whole, and its checksum is another one.
        OSError: The network or the disk failed; what has come is kept.
    """
    from latentcut.nets.paper.weights import check_sha256

    if target.exists():
        return check_sha256(target, sha256)
    part = target.with_name(target.name + ".part")
    receive(url, part)
    try:
        check_sha256(part, sha256)
    except CheckpointBroken:
        part.unlink()  # going on from wrong bytes would never get right
        raise
    part.replace(target)
    return None


def receive(url: str, part: Path) -> None:
    """
    Append what is missing to a file, under a progress bar.

    Raises:
        OSError: The address is none, the server refused, or the connection broke off.
    """
    import urllib.error
    import urllib.request

    have = part.stat().st_size if part.exists() else 0
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        with urllib.request.urlopen(request) as answer:
            # a server may ignore the range and send all of it
            store(answer, part, have if getattr(answer, "status", None) == 206 else 0)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is left to send: the part is whole
            return
        raise OSError(f"{url}: HTTP Error {error.code}: {error.reason}") from error
    except (urllib.error.URLError, HTTPException, ValueError) as error:
        raise OSError(f"{url}: {getattr(error, 'reason', error)}") from error


def store(answer: Any, part: Path, start: int) -> None:
    """Write an answer behind the first ``start`` bytes. Raises OSError if it ends early."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    expected = int(answer.headers.get("Content-Length") or 0)
    columns = (BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn())
    console = Console(stderr=True)
    came = 0
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("", total=start + expected or None, completed=start)
        with part.open("ab" if start else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                came += len(chunk)
                progress.update(bar, advance=len(chunk))
    if came < expected:
        raise OSError(
            f"the connection broke off after {came:,} of {expected:,} bytes; "
            "the same command goes on from there"
        )
