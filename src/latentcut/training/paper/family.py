"""How a config says that it is one of the paper's family; known without torch."""

from __future__ import annotations

from pathlib import Path

from latentcut.training.config import read_table

FAMILY = "paper"


def is_paper_config(path: Path) -> bool:
    """Whether a TOML config has the section [family]. Raises FileMissing or BadConfig."""
    return "family" in read_table(path)
