"""Predictors by a line of text, with those that need the training room."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from latentcut.evaluation.segmenter import Segmenter


def build(text: str, threads: int = 0, mask_threshold: float = 0.5) -> Segmenter:
    """
    The segmenter of a spec, as of ``evaluation.specs``; worker processes call this, too.

    Raises:
        BadConfig, FileMissing, BundleBroken, MissingExtra: See ``specs.build_segmenter``.
        CheckpointBroken: What follows ``checkpoint:`` is none of ours.
    """
    from latentcut.evaluation.specs import build_segmenter, parse_spec

    return build_segmenter(parse_spec(text), threads, mask_threshold, load_checkpoint)


def load_checkpoint(path: Path) -> Segmenter:
    """The network of a training checkpoint. Raises MissingExtra without torch."""
    from latentcut.errors import MissingExtra

    try:  # by name: the training room is not looked into before somebody asks for it
        room = importlib.import_module("latentcut.training.paper.segmenter")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("latentcut"):
            raise
        raise MissingExtra("checkpoint:PATH", "train") from error
    return cast("Segmenter", room.load_segmenter(path))
