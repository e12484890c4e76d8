"""
Write the reference pages from the code: commands, config keys and errors.

    python docs/generate_reference.py

A test fails when a page differs from what this script writes.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
NOTE = "<!-- written by docs/generate_reference.py: edit the code, not this page -->\n"


def command_page() -> str:
    """Every command with its arguments and options."""
    from typer.main import get_command

    from latentcut.cli.app import app

    lines = ["# Command line", "", NOTE]
    for name, command in all_commands("latentcut", get_command(app)):
        lines += [f"## {name}", "", inspect.cleandoc(command.help or ""), ""]
        lines += ["| argument or option | meaning |", "|---|---|"]
        for parameter in command.params:
            if parameter.name == "help":
                continue
            is_option = parameter.param_type_name == "option"
            spelled = ", ".join(f"`{o}`" for o in parameter.opts)
            label = spelled if is_option else f"`{parameter.name.upper()}`"
            meaning = " ".join((getattr(parameter, "help", None) or "").split())
            lines.append(f"| {label} | {meaning.replace('|', chr(92) + '|')} |")
        lines.append("")
    return "\n".join(lines)


def all_commands(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    """Every command below a group, by its full name."""
    for word, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from all_commands(f"{name} {word}", command)
        else:
            yield f"{name} {word}", command


def config_page() -> str:
    """Every config key of the practical family."""
    from latentcut.training.config import Config

    lines = ["# Configuration", "", NOTE, "A TOML file holds what differs from these defaults."]
    lines += ["The paper's own networks have [another one](config_paper.md).", ""]
    return "\n".join([*lines, *section_tables(Config)])


def paper_config_page() -> str:
    """Every config key of the paper's family."""
    from latentcut.training.paper.config import PaperConfig

    lines = ["# Configuration of the paper's networks", "", NOTE]
    lines += [
        "A file with the section `[family]` is read by these keys. See [paper](../paper.md).",
        "",
    ]
    return "\n".join([*lines, *section_tables(PaperConfig)])


def section_tables(config: type) -> Iterator[str]:
    """Every section with its keys: type, default and the comment behind it."""
    for section in dataclasses.fields(config):
        kind = type(section.default_factory())  # every section has one
        yield from (f"## [{section.name}]", "", inspect.cleandoc(kind.__doc__ or ""), "")
        yield from ("| key | type | default | meaning |", "|---|---|---|---|")
        sources = [inspect.getsource(k).splitlines() for k in kind.__mro__[:-1]]
        for field in dataclasses.fields(kind):
            lines = (x for source in sources for x in source)
            line = next(x for x in lines if x.strip().startswith(f"{field.name}:"))
            meaning = line.partition("  # ")[2].replace("|", "\\|")
            default = getattr(kind(), field.name)
            yield f"| `{field.name}` | {field.type} | `{default!r}` | {meaning} |"
        yield ""


def error_page() -> str:
    """Every error class with the situation it names."""
    from latentcut import errors

    lines = ["# Errors", "", NOTE, "| error | situation |", "|---|---|"]
    for node in ast.parse(inspect.getsource(errors)).body:
        if isinstance(node, ast.ClassDef):
            situation = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            lines.append(f"| `{node.name}` | {situation} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """File name in docs/reference -> content."""
    return {
        "cli.md": command_page(),
        "config.md": config_page(),
        "config_paper.md": paper_config_page(),
        "errors.md": error_page(),
    }


if __name__ == "__main__":
    (FOLDER / "reference").mkdir(exist_ok=True)
    for name, content in pages().items():
        (FOLDER / "reference" / name).write_text(content, encoding="utf-8")
        print(FOLDER / "reference" / name)
