"""A trained model of the paper family behind the seam of the evaluation."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from latentcut.core.clicks import Click
from latentcut.core.frame import resize
from latentcut.errors import BadConfig
from latentcut.evaluation.segmenter import Answer, Conversation
from latentcut.nets.paper.inputs import click_discs, paper_maps
from latentcut.nets.paper.model import Encoded, LatentDiversity
from latentcut.training.checkpoint import load_weights, read_facts
from latentcut.training.paper.config import PaperConfig, paper_config_from_dict
from latentcut.training.paper.loop import build_paper_model

SELECTIONS = ("g", "first", "confident")
MULTIPLE_PX = 16  # of both sides, as the features need it


class PaperSegmenter:
    """
    f and g on one image at a time; no previous mask, no zoom: the paper has neither.

    Args:
        model: In evaluation mode.
        config: It was trained with.
        name: What tables call it.
        fingerprint: Of its weights.
        selection: Which mask is shown: "g" (the paper's), "first", or "confident": the one
            whose pixels f is surest of, mean probability inside.
    """

    def __init__(
        self,
        model: LatentDiversity,
        config: PaperConfig,
        name: str = "paper",
        fingerprint: str = "",
        selection: str = "g",
    ) -> None:
        if selection not in SELECTIONS:
            raise BadConfig(f"selection must be one of {SELECTIONS}, given {selection!r}")
        self.model, self.config, self.selection = model, config, selection
        self.name = name
        self.fingerprint = f"{fingerprint}-{selection}"
        self.facts: dict[str, Any] = {
            "kind": "paper family",
            "features": config.features.kind,
            "num_masks": config.model.num_masks,
            "stride": config.model.stride,
            "g": config.model.selection,
            "longest_side": config.evaluation.longest_side,
            "selection": selection,
        }

    def precision(self) -> torch.autocast:
        """The arithmetic that the model was trained in."""
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.train.bf16)

    @torch.no_grad()
    def start(self, image: NDArray[np.uint8]) -> Conversation:
        """Encode an image, uint8 RGB (H0, W0, 3)."""
        longest = self.config.evaluation.longest_side
        factor = min(1.0, longest / max(image.shape[:2])) if longest else 1.0
        height, width = (
            max(MULTIPLE_PX, round(n * factor / MULTIPLE_PX) * MULTIPLE_PX) for n in image.shape[:2]
        )
        small = torch.from_numpy(resize(image, (height, width)).transpose(2, 0, 1).copy())
        with self.precision():
            encoded = self.model.encode(
                small[None].float().contiguous(memory_format=torch.channels_last)
            )
        return PaperConversation(self, encoded, (height, width), image.shape[:2])


class PaperConversation:
    """Clicks on one object of an encoded image."""

    def __init__(
        self,
        segmenter: PaperSegmenter,
        encoded: Encoded,
        size_hw: tuple[int, int],
        image_hw: tuple[int, ...],
    ) -> None:
        self._by, self._encoded = segmenter, encoded
        self._size_hw, self._image_hw = size_hw, (image_hw[0], image_hw[1])

    @torch.no_grad()
    def answer(self, clicks: Sequence[Click]) -> Answer:
        """All M masks from all clicks, and g's softmax over them."""
        started = time.perf_counter()
        config, model = self._by.config, self._by.model
        moved = [self._to_network(click) for click in clicks]
        drawn = paper_maps(moved, self._size_hw, config.model.click_maps, config.model.stride)
        maps = torch.from_numpy(drawn)[None]
        with self._by.precision():
            if self._by.selection == "g":
                drawn = click_discs(moved, self._size_hw, config.model.stride)
                logits, raw = model.answer(self._encoded, maps, torch.from_numpy(drawn)[None])
                scores = raw[0].float().softmax(0)
            else:
                logits = model.f(self._encoded.for_f, maps)
                scores = self._scores(model.masks(logits.float())[0])
        cut = 0.0 if model.output == "sigmoid" else math.atanh(0.5)
        selected = int(scores.argmax())
        planes = logits[0].float().numpy()
        shown = resize(planes[selected], self._image_hw) > cut
        seconds = time.perf_counter() - started
        candidates = np.stack([resize(plane, self._image_hw) > cut for plane in planes])
        candidates[selected] = shown
        return Answer(candidates, selected, None, scores.numpy(), seconds)

    def _scores(self, soft: Tensor) -> Tensor:
        """(M, h, w) -> (M,), largest for the mask that is shown instead of g's choice."""
        if self._by.selection == "confident":
            return (soft * soft).sum((1, 2)) / (soft.sum((1, 2)) + 1.0)
        return F.one_hot(torch.tensor(0), len(soft)).float()

    def _to_network(self, click: Click) -> Click:
        (height, width), (image_h, image_w) = self._size_hw, self._image_hw
        x = (click.x + 0.5) * width / image_w - 0.5
        y = (click.y + 0.5) * height / image_h - 0.5
        return Click(min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0), click.positive)


def load_segmenter(path: Path, name: str = "paper", selection: str = "g") -> PaperSegmenter:
    """
    A segmenter of a checkpoint that ``latentcut train`` made of a paper family config.

    Raises:
        FileMissing: No such file.
        CheckpointBroken: It is no checkpoint.
        BadConfig: It is one of the practical family, which is bundled instead.
    """
    facts = read_facts(path)
    if facts.get("family") != "paper":
        raise BadConfig(
            f"{path} is a checkpoint of the practical family; "
            "make a bundle of it (latentcut bundle) and evaluate that"
        )
    config = paper_config_from_dict(facts["config"])
    model = build_paper_model(config)
    load_weights(path, model, average=False)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PaperSegmenter(model.eval(), config, name, digest, selection)
