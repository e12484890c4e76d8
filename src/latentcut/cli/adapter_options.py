"""What the commands that serve another tool's protocol share: options, checks and words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from latentcut.integrations.serving import AdapterSettings

DEFAULT_HOST = "127.0.0.1"
TOKEN_VARIABLE = "LATENTCUT_TOKEN"
RISK = """\
Warning: {host} is not an address of this computer alone, and the connection is not encrypted. Use
this in a network you trust, or put a server with TLS in front of it."""

HostOption = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Address to listen on. Any other than the default lets other computers in.",
    ),
]
AllowHostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="NAME",
        help="Another name that clients call the server by; may be given several times.",
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="Let in only who sends the first line of this file; or of LATENTCUT_TOKEN.",
    ),
]


def wanted_token(token_file: Path | None) -> str | None:
    """
    The token from a file or the environment; None: clients need none.

    Raises:
        typer.BadParameter: The file's first line is empty.
        OSError: The file cannot be read.
    """
    if token_file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    lines = token_file.read_text(encoding="utf-8").splitlines()
    token = lines[0].strip() if lines else ""
    if not token:
        raise typer.BadParameter(f"the first line of {token_file} is empty")
    return token


def serve_adapter(
    make: Callable[[AdapterSettings], FastAPI],
    settings: AdapterSettings,
    token: str | None,
    advice: Sequence[str],
) -> None:
    """
    Listen, say what to do with the other tool, and answer until Ctrl+C.

    Args:
        make: Makes the app for the settings, whose port is known then.
        settings: With port 0 for any free one.
        token: What clients must know; None: nothing, which is for this computer alone.
        advice: Lines for the user; ``{url}`` becomes the address.

    Raises:
        typer.BadParameter: Other computers could use the server without a token.
        OSError: The address cannot be listened on.
    """
    from dataclasses import replace

    from latentcut.core.bundle import default_bundle_path, read_bundle
    from latentcut.web.serve import Server, listen

    if not settings.is_loopback:
        if token is None:
            raise typer.BadParameter(
                f"{settings.host} is not an address of this computer alone: give --token-file or "
                f"set {TOKEN_VARIABLE}",
                param_hint="--host",
            )
        typer.echo(RISK.format(host=settings.host), err=True)
    read_bundle(settings.bundle or default_bundle_path())
    with listen(settings.host, settings.port, num_ports=1) as sock:
        settings = replace(settings, port=sock.getsockname()[1])
        for line in advice:
            typer.echo(line.format(url=settings.url))
        typer.echo("Ctrl+C stops.")
        Server(make(settings), settings.limits).run(sockets=[sock])
    typer.echo("Stopped.")
