"""``latentcut annotate``: the annotation page for a folder of images, in the browser."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentcut.cli.options import BundleOption, ThreadsOption

if TYPE_CHECKING:
    from latentcut.web.settings import Settings
    from latentcut.web.workplace import Workplace

DEFAULT_PORT = 8750
DEFAULT_HOST = "127.0.0.1"
SHOWN_LEFT_OUT = 5

RISK = """\
Warning: {host} is not an address of this computer alone. Everyone who can reach it over the
network and gets to see the address below can look at these images and change the annotations;
the connection is not encrypted. Use this in a network you trust, or leave --host out."""


def annotate(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Images; sub-folders are included.")
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            min=0,
            max=65_535,
            metavar="N",
            help="Port; the next free one is taken if it is in use. 0: any.",
        ),
    ] = DEFAULT_PORT,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen on. Any other than the default lets other computers in.",
        ),
    ] = DEFAULT_HOST,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="FILE.db",
            help="Keep the project in this file, and exports beside it, instead of in the folder.",
        ),
    ] = None,
    samples: Annotated[
        bool,
        typer.Option("--samples", help="Try it on sample photos, copied to ./latentcut-samples."),
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address of the page.")
    ] = False,
    bundle: BundleOption = None,
    threads: ThreadsOption = 0,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one line of JSON with address and token, for scripts."),
    ] = False,
) -> None:
    """
    Annotate a folder of images in the browser.

    Runs until Ctrl+C. Every change is saved at once, in FOLDER/.latentcut; exports go to
    FOLDER/latentcut-export. The images are never changed. Nothing leaves this computer.

    Example: latentcut annotate photos
    """
    if (folder is None) != samples:
        raise typer.BadParameter("give a folder of images, or --samples to try it on ours")
    if project is not None and project.suffix != ".db":
        raise typer.BadParameter(
            f"{project} is no project file; give a name that ends in .db", param_hint="--project"
        )

    from latentcut.web.app import create_app
    from latentcut.web.serve import listen, serve
    from latentcut.web.settings import Settings

    with listen(host, port) as sock:
        settings = Settings(
            folder=folder or copied_samples(),
            project=project,
            host=host,
            port=sock.getsockname()[1],
            bundle=bundle,
            threads=threads,
        )
        app = create_app(settings)
        workplace: Workplace = app.state.workplace
        if not settings.is_loopback:
            typer.echo(RISK.format(host=host), err=True)
        facts = facts_of(settings, workplace)
        typer.echo(json.dumps(facts) if as_json else in_words(facts, wanted_port=port))
        if not no_browser:
            open_browser(settings.url)
        serve(app, settings, sock)
    if not as_json:
        typer.echo("Stopped. Everything is saved.")


def copied_samples() -> Path:
    """The sample photos in a folder of the user's own; what was made of them before stays."""
    from latentcut.cli.samples import SAMPLES
    from latentcut.core.files import write_atomically

    folder = Path("latentcut-samples")
    folder.mkdir(exist_ok=True)
    for photo in sorted(SAMPLES.glob("*.jpg")):
        if not (folder / photo.name).exists():
            write_atomically(folder / photo.name, photo.read_bytes())
    return folder


def facts_of(settings: Settings, workplace: Workplace) -> dict[str, Any]:
    """What there is to say about a server, as plain values for JSON."""
    return {
        "url": settings.url,
        "port": settings.port,
        "token": settings.token,
        "folder": str(workplace.folder.root),
        "project": str(settings.project_path),
        "num_images": len(workplace.scan.images),
        "left_out": list(workplace.scan.left_out),
    }


def in_words(facts: dict[str, Any], wanted_port: int) -> str:
    """The facts for a person."""
    count = facts["num_images"]
    lines = [f"{facts['folder']}: {count:,} {'image' if count == 1 else 'images'}"]
    left_out = facts["left_out"]
    lines += [f"left out  {line}" for line in left_out[:SHOWN_LEFT_OUT]]
    if len(left_out) > SHOWN_LEFT_OUT:
        lines.append(f"left out  {len(left_out) - SHOWN_LEFT_OUT:,} more")
    if wanted_port not in (0, facts["port"]):
        lines.append(f"port {wanted_port} is in use, so it is {facts['port']}")
    lines += [f"Open      {facts['url']}", "Ctrl+C stops. Every change is saved at once."]
    return "\n".join(lines)


def open_browser(url: str) -> None:
    """Open the page; in a thread, because some browsers return only when they are closed."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return  # there is none; the address is printed
    if type(browser) is not webbrowser.GenericBrowser:  # that one would run in this terminal
        threading.Thread(target=browser.open, args=(url,), daemon=True).start()
