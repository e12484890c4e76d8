"""
How good the first answer is on training images that are held out of training.

    python benchmarks/measure_first_answer.py --data TRAINING_SETS --frame click_look_share=none

For choosing settings without looking at the development sets. Objects are drawn as training draws
its crops, but from the one image in 50 that is never trained on: parts and wholes, small and large.
The robot user clicks once. Columns: mean IoU of the selected mask, of the best of M, how often the
network looked, and seconds per object at one thread.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from latentcut.core.backend import Features
from latentcut.core.bundle import Bundle, default_bundle_path, read_bundle, with_frame
from latentcut.core.metrics import iou
from latentcut.core.predictor import predictor_of
from latentcut.datasets.dataset import Sample, read_sample_image
from latentcut.simulation.robot import first_click
from latentcut.training.config import load_config
from latentcut.training.validation import held_out_samples

SEED = 11  # neither validation's objects nor those that g is calibrated on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the training sets")
    parser.add_argument("--config", type=Path, default=Path("configs/practical_selection.toml"))
    parser.add_argument("--bundle", type=Path, default=default_bundle_path())
    parser.add_argument("--objects", type=int, default=600)
    parser.add_argument(
        "--frame",
        action="append",
        default=[],
        metavar="KEY=VALUE[,...]",
        help="other settings of the frame; each --frame gives a row",
    )
    args = parser.parse_args()
    bundle = read_bundle(args.bundle)
    samples = held_out_samples(args.data, load_config(args.config).data, args.objects, SEED)
    print(f"{len(samples)} objects")
    print("| frame | IoU after 1 | best of M | looks | s |")
    print("|---|---:|---:|---:|---:|")
    for setting in args.frame or [""]:
        changed = with_frame(bundle, setting.split(",") if setting else [])
        print(f"| {setting or 'as it is'} | {figures(changed, samples)} |", flush=True)


def figures(bundle: Bundle, samples: list[Sample]) -> str:
    """The columns of one row."""
    predictor = predictor_of(bundle, threads=1)
    backend = CountingBackend(predictor.backend)
    predictor.backend = backend
    selected, best, seconds = [], [], 0.0
    for sample in samples:
        image = read_sample_image(sample)
        click = first_click(sample.gt_mask, sample.ignore_mask)
        started = time.perf_counter()
        prediction = predictor.predict(predictor.encode(image), [click])
        seconds += time.perf_counter() - started
        masks = prediction.candidates
        ious = [iou(mask, sample.gt_mask, sample.ignore_mask) for mask in masks]
        selected.append(ious[prediction.selected])
        best.append(max(ious))
    count = len(samples)
    return (
        f"{np.mean(selected):.4f} | {np.mean(best):.4f} | {backend.num_encoded / count:.2f} | "
        f"{seconds / count:.3f}"
    )


class CountingBackend:
    """A backend that counts how often it encodes."""

    def __init__(self, backend) -> None:
        self.backend = backend
        self.num_masks = backend.num_masks
        self.num_encoded = 0

    def encode(self, image) -> Features:
        self.num_encoded += 1
        return self.backend.encode(image)

    def decode(self, *inputs):
        return self.backend.decode(*inputs)


if __name__ == "__main__":
    main()
