"""
The entry point: assembles the commands.

Every command imports its rooms inside its function, so that ``latentcut --help`` answers at
once and works in an installation without extras.
"""

from __future__ import annotations

from typing import Annotated

import typer

from latentcut import __version__
from latentcut.cli.annotate import annotate
from latentcut.cli.batch import batch
from latentcut.cli.bundle import bundle
from latentcut.cli.cvat_agent import cvat_agent, cvat_nuclio
from latentcut.cli.data import data
from latentcut.cli.demo import demo
from latentcut.cli.doctor import doctor
from latentcut.cli.download import download
from latentcut.cli.edge import Edge
from latentcut.cli.evaluate import evaluate
from latentcut.cli.everything import everything
from latentcut.cli.export import export
from latentcut.cli.import_ import import_
from latentcut.cli.label_studio import label_studio
from latentcut.cli.osam import PASSED_ON, labelme, osam
from latentcut.cli.report import report
from latentcut.cli.reproduce import reproduce
from latentcut.cli.segment import OrderedClicks, segment
from latentcut.cli.serve import serve
from latentcut.cli.train import train
from latentcut.cli.xanylabeling import xanylabeling

app = typer.Typer(
    name="latentcut",
    cls=Edge,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # paragraphs flow; in plain mode every line of a docstring ends
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Click on a thing in a picture and get its outline: six answers at once, the likeliest "
    "one selected.",
)


def print_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"latentcut {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=print_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Options that belong to no command."""


app.command("annotate")(annotate)
app.command("segment", cls=OrderedClicks)(segment)
app.command("everything")(everything)
app.command("serve")(serve)
app.command("batch")(batch)
app.command("export")(export)
app.command("import")(import_)
app.command("demo")(demo)
app.command("evaluate")(evaluate)
app.command("report")(report)
app.command("train")(train)
app.add_typer(reproduce, name="reproduce")
app.command("download")(download)
app.command("bundle")(bundle)
app.command("doctor")(doctor)
app.add_typer(data, name="data")
app.command("cvat-agent")(cvat_agent)
app.command("cvat-nuclio")(cvat_nuclio)
app.command("label-studio")(label_studio)
app.command("xanylabeling")(xanylabeling)
app.command("labelme", context_settings=PASSED_ON)(labelme)
app.command("osam")(osam)


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    app(prog_name="latentcut")
