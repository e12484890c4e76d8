"""What worker processes must be able to import: stand-ins for the model."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np

from latentcut.batch.answering import ImageTask
from latentcut.core.masks import coco_rle


class Squares:
    """Answers every prompt with a square at its first click; leaves a file for every image."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, task: ImageTask) -> dict[str, Any]:
        path = task.asked.path
        name = path.replace("/", "_")
        (self.log / f"{name}-{len(list(self.log.glob(f'{name}-*')))}").touch()
        if path.startswith("broken"):
            return {"problem": f"{path} is broken"}
        if path.startswith("deadly"):
            os.kill(os.getpid(), signal.SIGKILL)
        objects, problems = [], []
        for prompt in task.asked.prompts:
            if prompt.name.startswith("bad"):
                problems.append({"object": prompt.name, "reason": "it is bad"})
                continue
            mask = np.zeros((24, 32), dtype=bool)
            x, y = prompt.clicks[0].pixel_xy
            mask[y : y + 4, x : x + 4] = True
            entry = {"name": prompt.name, "label": prompt.label, "id": prompt.id}
            objects.append({**entry, "rle": coco_rle(mask), "facts": prompt.shown_as()})
        return {"width": 32, "height": 24, "objects": objects, "problems": problems}
