"""The edge to the terminal: what went wrong becomes one line and an exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from latentcut.errors import LatentcutError

EXIT_ERROR = 1  # usage errors are 2, by Typer
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class Edge(TyperGroup):
    """The group of all commands; the only place where their errors are caught."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn its errors into ``Error: ...`` on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except LatentcutError as error:  # first: some of them are OSErrors too
            text = str(error)
        except BrokenPipeError:  # the reader of our output has gone; Typer ends quietly
            raise
        except OSError as error:
            text = describe_os_error(error)
        except KeyboardInterrupt:
            interrupted("Interrupted")
        typer.echo(f"Error: {text}", err=True)
        raise typer.Exit(EXIT_ERROR)


def describe_os_error(error: OSError) -> str:
    """What the system said, with the file it said it about; a temporary one is its folder."""
    reason = error.strerror or str(error) or type(error).__name__
    file = error.filename2 or error.filename
    if file is None:
        return reason
    path = Path(os.fsdecode(file))
    return f"{path.parent if path.name.startswith('.latentcut-') else path}: {reason}"


def interrupted(text: str) -> NoReturn:
    """Say one line on stderr and leave with the exit code of an interrupt."""
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_INTERRUPTED)
