"""``latentcut cvat-agent`` and ``latentcut cvat-nuclio``: CVAT, with its agents or without."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from latentcut.cli.options import BundleOption, ThreadsOption, check_folder_target
from latentcut.errors import MissingExtra

DEFAULT_NAME = "latentcut"
NEEDED = ("cvat_sdk", "cvat_cli")


def cvat_agent(
    server: Annotated[
        str, typer.Option("--server", metavar="URL", help="Address of CVAT: https://app.cvat.ai.")
    ],
    function: Annotated[
        str,
        typer.Option(
            "--function", metavar="NAME", help="What CVAT lists it as; made if it is not there."
        ),
    ] = DEFAULT_NAME,
    function_id: Annotated[
        int | None,
        typer.Option(
            "--function-id", min=1, metavar="N", help="Number of a function instead of its name."
        ),
    ] = None,
    organization: Annotated[
        str | None,
        typer.Option(
            "--organization", metavar="SLUG", help="Short name of an organization to belong to."
        ),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            "--auth",
            metavar="USER",
            help="Log in with a password, which is asked for or taken from the variable PASS, "
            "instead of the token in CVAT_ACCESS_TOKEN.",
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Do not check the server's certificate.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Answer the requests that wait, and end.")
    ] = False,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """
    Answer clicks in CVAT, for CVAT Online and CVAT Enterprise.

    Runs until Ctrl+C, on this computer; CVAT needs no access to it. A CVAT without agents gets
    the model by ``latentcut cvat-nuclio`` instead.

    Example: latentcut cvat-agent --server https://app.cvat.ai
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtra("latentcut cvat-agent", "cvat")

    from latentcut.core.bundle import default_bundle_path, read_bundle
    from latentcut.integrations.cvat.agent import (
        Connection,
        find_function,
        make_function,
        run_agent,
    )

    read_bundle(bundle or default_bundle_path())  # what is wrong with it is said before CVAT is
    connection = Connection(server, auth, organization, insecure)
    if function_id is None:
        function_id = find_function(connection, function)
    if function_id is None:
        function_id = make_function(connection, function)
    typer.echo(f"Function {function_id} of {server}. In CVAT: AI tools, Interactors, {function}.")
    typer.echo("Ctrl+C stops.")
    folder = None if bundle is None else str(bundle.resolve())
    try:
        run_agent(connection, function_id, folder, threads, once)
    except KeyboardInterrupt:
        typer.echo("Stopped.")


def cvat_nuclio(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to; files of that name are replaced.")
    ],
) -> None:
    """
    Write the serverless function for a CVAT that you host yourself.

    Example: latentcut cvat-nuclio latentcut-nuclio
    """
    from latentcut.integrations.cvat.nuclio import write_recipe

    check_folder_target(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_recipe(folder)
    typer.echo(f"{folder}: function.yaml, main.py")
    typer.echo(f"Deploy it with: nuctl deploy --project-name cvat --path {folder} --platform local")
