"""
labelme with this model in its list: what ``latentcut labelme`` runs.

labelme has no door for models of others, so its list is lengthened in this process; nothing of its
installation changes. Needs the extra ``labelme``: importing this module imports labelme and Qt.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labelme.__main__ import main
from labelme.widgets import AiAssistedAnnotationWidget

from latentcut.errors import LabelmeUnknown
from latentcut.integrations.osam.registry import NAME, register

TITLE = "latentcut (clicks and boxes)"
LIST = "_available_models"


def add_to_labelme(bundle: Path | None = None, threads: int = 0) -> None:
    """
    Put the model into labelme's list of models, and select it when the window opens.

    Args:
        bundle: Folder of the model; None: the one inside the package.
        threads: Threads per prediction; 0: one for every core.

    Raises:
        LabelmeUnknown: The installed labelme keeps its list elsewhere.
    """
    models = getattr(AiAssistedAnnotationWidget, LIST, None)
    if not isinstance(models, list):
        raise LabelmeUnknown(version("labelme"))
    register(bundle, threads)
    if (NAME, TITLE) in models:
        return
    models.append((NAME, TITLE))  # not first: choosing the first one is no change, and not told
    make = AiAssistedAnnotationWidget.__init__

    def with_ours(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **{**named, "default_model": TITLE})

    AiAssistedAnnotationWidget.__init__ = with_ours


def run_labelme(arguments: Sequence[str]) -> None:
    """Run labelme's own program with these arguments, until its window is closed."""
    sys.argv = ["labelme", *arguments]
    main()
