"""``latentcut label-studio``: the ML backend that Label Studio asks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentcut.cli.adapter_options import (
    DEFAULT_HOST,
    AllowHostOption,
    HostOption,
    serve_adapter,
)
from latentcut.cli.options import BundleOption, ThreadsOption

if TYPE_CHECKING:
    from fastapi import FastAPI

    from latentcut.integrations.serving import AdapterSettings

DEFAULT_PORT = 9090
DEFAULT_URL = "http://localhost:8080"
KEY_VARIABLE = "LABEL_STUDIO_API_KEY"
USER_VARIABLE, PASSWORD_VARIABLE = "BASIC_AUTH_USER", "BASIC_AUTH_PASS"
ADVICE = (
    "Label Studio can use {url} now: Settings, Model, Connect Model, with interactive",
    "preannotations switched on.",
)


def label_studio(
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65_535, metavar="N", help="Port. 0: any free one."),
    ] = DEFAULT_PORT,
    label_studio_url: Annotated[
        str,
        typer.Option(
            "--label-studio-url",
            metavar="URL",
            help="The Label Studio whose images are fetched, as this computer reaches it.",
        ),
    ] = DEFAULT_URL,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            metavar="FILE",
            help="Its first line is a key of a Label Studio user, old or new. Else that of "
            "LABEL_STUDIO_API_KEY, else the one that Label Studio sends.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="URL",
            help="Another server that images may come from, such as a bucket's; may be given "
            "several times. It never gets the key.",
        ),
    ] = None,
    basic_auth_file: Annotated[
        Path | None,
        typer.Option(
            "--basic-auth-file",
            metavar="FILE",
            help="Answer only who sends the name and password in its first line, name:password. "
            "Else those of BASIC_AUTH_USER and BASIC_AUTH_PASS.",
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance",
            min=0,
            max=100,
            metavar="PX",
            help="How far a polygon may lie from the outline, in pixels. 0 keeps every corner; "
            "brushes and bitmasks are exact always.",
        ),
    ] = 1.0,
    host: HostOption = DEFAULT_HOST,
    allow_host: AllowHostOption = None,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """
    Answer the smart keypoints, boxes and brushes of Label Studio, as its ML backend.

    Runs until Ctrl+C. Images are not kept on the disk.

    Example: latentcut label-studio --label-studio-url http://localhost:8080
    """
    from latentcut.integrations.label_studio.app import (
        LABEL_STUDIO_LIMITS,
        Connection,
        create_label_studio_app,
    )
    from latentcut.integrations.label_studio.fetching import Images
    from latentcut.integrations.serving import AdapterSettings

    key = first_line(api_key_file) or os.environ.get(KEY_VARIABLE) or None
    login = wanted_login(basic_auth_file)
    try:
        images = Images(label_studio_url, key, tuple(allow_origin or ()))
    except ValueError as error:
        message = "give an address such as http://localhost:8080, without a name or password"
        raise typer.BadParameter(message) from error
    connection = Connection(images, login, tolerance)

    def make(settings: AdapterSettings) -> FastAPI:
        return create_label_studio_app(settings, connection)

    settings = AdapterSettings(
        host=host,
        port=port,
        names=tuple(allow_host or ()),
        bundle=bundle,
        threads=threads,
        limits=LABEL_STUDIO_LIMITS,
    )
    if login is None and not settings.is_loopback:
        message = (
            f"{host} is not an address of this computer alone: give --basic-auth-file or set "
            f"{USER_VARIABLE} and {PASSWORD_VARIABLE}"
        )
        raise typer.BadParameter(message, param_hint="--host")
    serve_adapter(make, settings, None if login is None else login[1], ADVICE)


def wanted_login(path: Path | None) -> tuple[str, str] | None:
    """
    Name and password from a file or the environment; None: nobody must send any.

    Raises:
        typer.BadParameter: The file holds something else.
        OSError: The file cannot be read.
    """
    if path is None:
        name, password = os.environ.get(USER_VARIABLE), os.environ.get(PASSWORD_VARIABLE)
        return (name, password) if name and password else None
    name, colon, password = (first_line(path) or "").partition(":")
    if not (name and colon and password):
        raise typer.BadParameter(f"the first line of {path} is not name:password")
    return name, password


def first_line(path: Path | None) -> str | None:
    """
    The first line of a file, without spaces around it; None: there is no file.

    Raises:
        typer.BadParameter: It is empty, or has characters that a key does not have.
        OSError: The file cannot be read.
    """
    if path is None:
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines[0].strip() if lines else ""
    if not (line.isascii() and line.isprintable() and line):
        raise typer.BadParameter(f"the first line of {path} is empty, or no plain text")
    return line
