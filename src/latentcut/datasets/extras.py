"""Packages that only some layouts need, loaded when one of those is opened."""

from __future__ import annotations

import importlib
from typing import Any

from latentcut.errors import MissingExtra


def extra_module(name: str, what: str) -> Any:
    """
    A module of the extra ``evaluation``.

    Raises:
        MissingExtra: It is not installed; ``what`` says who needs it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name.partition(".")[0]:
            raise  # the package is there; something else is missing
        raise MissingExtra(what, "evaluation") from error
