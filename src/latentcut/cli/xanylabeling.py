"""``latentcut xanylabeling``: the remote server that X-AnyLabeling asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from fastapi import FastAPI

    from latentcut.integrations.serving import AdapterSettings

DEFAULT_PORT = 8000
ADVICE = (
    "X-AnyLabeling can use {url} now: choose the model Remote-Server and this address.",
    "A token, if you have set one, is its API key.",
)


def xanylabeling(
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
    Answer points and boxes of X-AnyLabeling, as its remote server.

    Runs until Ctrl+C. Images are not kept on the disk.

    Example: latentcut xanylabeling
    """
    from latentcut.integrations.serving import AdapterSettings
    from latentcut.integrations.xanylabeling import create_xanylabeling_app

    token = wanted_token(token_file)

    def make(settings: AdapterSettings) -> FastAPI:
        return create_xanylabeling_app(settings, token)

    names = tuple(allow_host or ())
    settings = AdapterSettings(host=host, port=port, names=names, bundle=bundle, threads=threads)
    serve_adapter(make, settings, token, ADVICE)
