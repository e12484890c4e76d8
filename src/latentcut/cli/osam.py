"""``latentcut osam`` and ``latentcut labelme``: osam's protocol, and labelme with this model."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from latentcut.cli.adapter_options import (
    DEFAULT_HOST,
    AllowHostOption,
    HostOption,
    TokenFileOption,
    serve_adapter,
    wanted_token,
)
from latentcut.cli.options import BundleOption, ThreadsOption
from latentcut.errors import MissingExtra

DEFAULT_PORT = 11_368
ADVICE = (
    'Programs that use osam can send POST {url}/api/generate with "model": "latentcut" now.',
    "A token, if you have set one, is sent as Authorization: Bearer.",
)
NEEDED = ("osam", "labelme")
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def osam(
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65_535, metavar="N", help="Port. 0: any free one."),
    ] = DEFAULT_PORT,
    host: HostOption = DEFAULT_HOST,
    allow_host: AllowHostOption = None,
    token_file: TokenFileOption = None,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """
    Answer points and boxes over HTTP in the protocol of osam.

    Runs until Ctrl+C. Images are not kept on the disk.

    Example: latentcut osam
    """
    from latentcut.integrations.osam.server import create_osam_app
    from latentcut.integrations.serving import AdapterSettings

    token = wanted_token(token_file)
    settings = AdapterSettings(
        host=host,
        port=port,
        token=token,
        names=tuple(allow_host or ()),
        bundle=bundle,
        threads=threads,
    )
    serve_adapter(create_osam_app, settings, token, ADVICE)


def labelme(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LABELME ARGUMENTS]",
            help="Image, label file or folder, and labelme's options.",
        ),
    ] = None,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """
    Open labelme with this model selected for its AI tools.

    Everything that is no option of this command is handed on to labelme.

    Example: latentcut labelme photos
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtra("latentcut labelme", "labelme")

    from latentcut.core.bundle import default_bundle_path, read_bundle
    from latentcut.integrations.osam.labelme import add_to_labelme, run_labelme

    read_bundle(bundle or default_bundle_path())
    add_to_labelme(bundle, threads)
    run_labelme(arguments or [])
