"""
Write the reference pages from the code: commands, config keys and errors.

    python docs/generate_reference.py

A test fails when a page differs from what this script writes.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NOTE = "<!-- written by docs/generate_reference.py: edit the code, not this page -->\n"


def command_page() -> str:
    """Every command with its arguments and options."""
    from typer.main import get_command

    from latentcut.cli.app import app

    lines = ["# Command line", "", NOTE]
    commands = get_command(app).commands  # type: ignore[attr-defined]  # app has commands
    for name in sorted(commands):
        command = commands[name]
        lines += [f"## latentcut {name}", "", inspect.cleandoc(command.help or ""), ""]
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


def config_page() -> str:
    """Every config key with its type, its default and its comment."""
    from latentcut.training import config

    lines = ["# Configuration", "", NOTE, "A TOML file holds what differs from these defaults.", ""]
    source = inspect.getsource(config).splitlines()
    for section in dataclasses.fields(config.Config):
        kind = section.default_factory()  # type: ignore[misc]  # every section has one
        lines += [f"## [{section.name}]", "", inspect.cleandoc(type(kind).__doc__ or ""), ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for field in dataclasses.fields(kind):
            start = source.index(f"class {type(kind).__name__}:")
            line = next(x for x in source[start:] if x.strip().startswith(f"{field.name}:"))
            meaning = line.partition("  # ")[2].replace("|", "\\|")
            default = getattr(kind, field.name)
            lines.append(f"| `{field.name}` | {field.type} | `{default!r}` | {meaning} |")
        lines.append("")
    return "\n".join(lines)


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
    return {"cli.md": command_page(), "config.md": config_page(), "errors.md": error_page()}


if __name__ == "__main__":
    (FOLDER / "reference").mkdir(exist_ok=True)
    for name, content in pages().items():
        (FOLDER / "reference" / name).write_text(content, encoding="utf-8")
        print(FOLDER / "reference" / name)
