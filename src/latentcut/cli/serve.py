"""``latentcut serve``: the stateless HTTP API, on as many processes as wanted."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from latentcut.cli.options import BundleOption, ThreadsOption

DEFAULT_PORT = 8760
DEFAULT_HOST = "127.0.0.1"
TOKEN_VARIABLE = "LATENTCUT_TOKEN"
MIN_TOKEN_CHARACTERS = 16
NEEDED = ("prometheus_client", "python_multipart")

RISK = """\
Warning: {host} is not an address of this computer alone, and the connection is not encrypted. Use
this in a network you trust, or put a server with TLS in front of it."""


def serve(
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen on. Any other than the default lets other computers in.",
        ),
    ] = DEFAULT_HOST,
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65_535, metavar="N", help="Port. 0: any free one."),
    ] = DEFAULT_PORT,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, metavar="N", help="Processes that answer.")
    ] = 1,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Read the token from the first line of a file instead of LATENTCUT_TOKEN.",
        ),
    ] = None,
    token: Annotated[
        bool,
        typer.Option(
            "--token/--no-token",
            help="Whether clients need the token. Without one only on this computer alone.",
        ),
    ] = True,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Another name that clients call the server by; may be given several times.",
        ),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="Let clients name images in this folder by path; may be given several times.",
        ),
    ] = None,
    max_waiting: Annotated[
        int,
        typer.Option(
            "--max-waiting",
            min=1,
            metavar="N",
            help="Requests that may wait in each process; more are answered 503 at once.",
        ),
    ] = 16,
    spool_mb: Annotated[
        int,
        typer.Option(
            "--spool-mb", min=1, metavar="N", help="Room for images of clients on the disk, in MB."
        ),
    ] = 1000,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one line of JSON with address and token, for scripts."),
    ] = False,
) -> None:
    """
    Answer clicks over HTTP, for other programs.

    Runs until Ctrl+C. The token is that of LATENTCUT_TOKEN or --token-file, else a new one is
    made and printed. Images of clients are kept in a temporary folder, which is removed at the
    end. All threads are shared out among the processes.

    Example: latentcut serve --workers 2
    """
    check_packages()
    known = wanted_token(token_file) if token else None

    from dataclasses import replace

    from latentcut.web.api.settings import ApiSettings
    from latentcut.web.api.workers import serve_workers, temporary_spool
    from latentcut.web.serve import listen

    settings = ApiSettings(
        host=host,
        token=known or (secrets.token_urlsafe(32) if token else None),
        names=tuple(allow_host or ()),
        roots=tuple(root or ()),
        bundle=bundle,
        threads=threads,
        workers=workers,
        spool_bytes=spool_mb * 1_000_000,
    )
    settings = replace(settings, limits=replace(settings.limits, waiting=max_waiting))
    if not settings.is_loopback:
        if not token:
            raise typer.BadParameter(
                f"{host} is not an address of this computer alone: everyone could use the server",
                param_hint="--no-token",
            )
        typer.echo(RISK.format(host=host), err=True)
    check_settings(settings.roots, bundle)
    with temporary_spool() as spool, listen(host, port, num_ports=1) as sock:
        settings = replace(settings, spool=spool, port=sock.getsockname()[1])
        facts = {
            "url": settings.url,
            "port": settings.port,
            "token": settings.token,
            "workers": workers,
        }
        typer.echo(json.dumps(facts) if as_json else in_words(facts, is_new=known is None))
        serve_workers(settings, sock, lambda note: typer.echo(note, err=True))
    if not as_json:
        typer.echo("Stopped.")


def check_packages() -> None:
    """Raise MissingExtra where the packages of the server are not installed."""
    from latentcut.errors import MissingExtra

    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtra("latentcut serve", "serve")


def check_settings(roots: tuple[Path, ...], bundle: Path | None) -> None:
    """Find out before anything is started. Raises FileMissing, BundleBroken."""
    from latentcut.core.bundle import default_bundle_path, read_bundle
    from latentcut.web.folder import ImageFolder

    read_bundle(bundle or default_bundle_path())
    for root in roots:
        ImageFolder(root)


def wanted_token(token_file: Path | None) -> str | None:
    """
    The token that was given; None: none was.

    Raises:
        typer.BadParameter: It is too short to keep anybody out, or no plain text.
        OSError: The file cannot be read.
    """
    if token_file is not None:
        given, where = token_file.read_text(encoding="utf-8").partition("\n")[0], "--token-file"
    elif TOKEN_VARIABLE in os.environ:
        given, where = os.environ[TOKEN_VARIABLE], TOKEN_VARIABLE
    else:
        return None
    found = given.strip()
    if len(found) < MIN_TOKEN_CHARACTERS or not (found.isascii() and found.isprintable()):
        raise typer.BadParameter(
            f"a token has at least {MIN_TOKEN_CHARACTERS} characters, all of them plain ASCII",
            param_hint=where,
        )
    return found


def in_words(facts: dict[str, object], is_new: bool) -> str:
    """The facts for a person."""
    count = facts["workers"]
    lines = [
        f"Answers   {facts['url']}/api/v1 with {count} {'worker' if count == 1 else 'workers'}"
    ]
    if facts["token"] is None:
        lines.append("Token     none: every program on this computer can use it")
    elif is_new:
        lines.append(f"Token     {facts['token']}")
        lines.append(f"          a new one for each start; set {TOKEN_VARIABLE} to choose your own")
    else:
        lines.append("Token     the one that was given")
    return "\n".join([*lines, "Ctrl+C stops. What clients send is forgotten at the end."])
