"""
How good answers are on training images that are held out of training.

    python benchmarks/measure_held_out.py --data TRAINING_SETS --frame click_look_share=none
    python benchmarks/measure_held_out.py --data TRAINING_SETS --clicks 10 --frame zoom_px=448

For choosing settings without looking at the development sets. Objects are drawn as training draws
its crops, but from the one image in 50 that is never trained on: parts and wholes, small and large.
The robot user clicks until an IoU of 0.90 is reached, --clicks times at most (once, unless told).
Columns: mean IoU after one click of the selected mask and of the best of M; mean number of clicks
to 0.85 and to 0.90, --clicks where it is never reached; how often the network looked at a new part
of the picture, and seconds per click at one thread.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from latentcut.core.backend import Features
from latentcut.core.bundle import Bundle, default_bundle_path, read_bundle, with_frame
from latentcut.core.clicks import Click
from latentcut.core.metrics import iou
from latentcut.core.predictor import predictor_of
from latentcut.datasets.dataset import Sample, read_sample_image
from latentcut.simulation.robot import first_click, next_click
from latentcut.training.config import load_config
from latentcut.training.validation import held_out_samples

SOLVED = 0.90
SEED = 11  # neither validation's objects nor those that g is calibrated on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the training sets")
    parser.add_argument("--config", type=Path, default=Path("configs/practical_selection.toml"))
    parser.add_argument("--bundle", type=Path, default=default_bundle_path())
    parser.add_argument("--objects", type=int, default=600)
    parser.add_argument("--clicks", type=int, default=1, help="at most, for each object")
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
    print("| frame | IoU after 1 | best of M | NoC@85 | NoC@90 | looks | s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for setting in args.frame or [""]:
        changed = with_frame(bundle, setting.split(",") if setting else [])
        print(f"| {setting or 'as it is'} | {figures(changed, samples, args.clicks)} |", flush=True)


def figures(bundle: Bundle, samples: list[Sample], max_clicks: int) -> str:
    """The columns of one row."""
    predictor = predictor_of(bundle, threads=1)
    backend = CountingBackend(predictor.backend)
    predictor.backend = backend
    firsts, bests, nocs, seconds, asked = [], [], [], 0.0, 0
    for sample in samples:
        gt_mask, ignore_mask = sample.gt_mask, sample.ignore_mask
        image = read_sample_image(sample)
        started = time.perf_counter()
        encoded = predictor.encode(image)
        seconds += time.perf_counter() - started
        clicks: list[Click] = []
        ious: list[float] = []
        mask = None
        click = first_click(gt_mask, ignore_mask)
        while click is not None and len(clicks) < max_clicks and max(ious, default=0) < SOLVED:
            clicks.append(click)
            started = time.perf_counter()
            prediction = predictor.predict(encoded, clicks, mask)
            mask = prediction.mask
            seconds += time.perf_counter() - started
            ious.append(iou(mask, gt_mask, ignore_mask))
            if len(clicks) == 1:
                bests.append(max(iou(m, gt_mask, ignore_mask) for m in prediction.candidates))
            click = next_click(mask, gt_mask, ignore_mask)
        firsts.append(ious[0])
        nocs.append([number_of_clicks(ious, wanted, max_clicks) for wanted in (0.85, SOLVED)])
        asked += len(clicks)
    noc_85, noc_90 = np.mean(nocs, axis=0)
    return (
        f"{np.mean(firsts):.4f} | {np.mean(bests):.4f} | {noc_85:.2f} | {noc_90:.2f} | "
        f"{backend.num_encoded / asked:.2f} | {seconds / asked:.3f}"
    )


def number_of_clicks(ious: list[float], wanted: float, max_clicks: int) -> int:
    """Clicks to an IoU, the most there may be where it is never reached."""
    return next((n for n, value in enumerate(ious, 1) if value >= wanted), max_clicks)


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
