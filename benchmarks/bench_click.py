"""
How long a user waits: first mask, later clicks, start-up; and the memory it takes.

    make bench                                    (or: python benchmarks/bench_click.py)

Ratios are against cv2.grabCut (5 iterations, a box as input) on the same photo, measured in turn
with our clicks in the same run, so that they mean something on a busy machine, too. Every
figure is a median over repetitions.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from latentcut.core.predictor import Predictor

THREADS = 2
SIZES_WH = ((640, 480), (1920, 1080))
# the last one lies in the middle of the cat, and is timed as a click that is answered anew, too
CONTRADICTION = ((0.50, 0.45, True), (0.55, 0.75, False))
CLICKS = ((0.50, 0.45, True), (0.55, 0.75, True), (0.08, 0.10, False), (0.45, 0.30, True))


def timed(action: Callable[[], object]) -> float:
    """Seconds one call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def sample_photo(size_wh: tuple[int, int]):
    """The bundled photo of a cat, cropped to the shape and resized: uint8 (H, W, 3)."""
    import cv2

    from latentcut.core.images import read_image

    photo = read_image(str(resources.files("latentcut") / "samples" / "chelsea.jpg"))
    height = min(photo.shape[0], photo.shape[1] * size_wh[1] // size_wh[0])
    width = height * size_wh[0] // size_wh[1]
    return cv2.resize(photo[:height, :width], size_wh, interpolation=cv2.INTER_CUBIC)


def grab_cut(photo) -> None:
    """The baseline: five iterations from a box of the middle three fifths."""
    import cv2
    import numpy as np

    height, width = photo.shape[:2]
    box = (width // 5, height // 5, 3 * width // 5, 3 * height // 5)
    mask = np.zeros((height, width), np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(photo, mask, box, *models, 5, cv2.GC_INIT_WITH_RECT)


def measure(bundle: str | None, size_wh: tuple[int, int], repeats: int) -> dict[str, float]:
    """Medians at one image size, in seconds."""
    import cv2

    import latentcut

    cv2.setNumThreads(THREADS)
    predictor = latentcut.load(bundle, threads=THREADS)
    photo = sample_photo(size_wh)
    first, later, anew, baseline = [], [], [], []
    for repeat in range(repeats + 1):
        started = time.perf_counter()
        session = predictor.open(photo)
        x, y, positive = CLICKS[0]
        _ = session.click(x * size_wh[0], y * size_wh[1], positive).mask
        first_s = time.perf_counter() - started
        later_s = []
        for x, y, positive in CLICKS[1:]:
            started = time.perf_counter()
            _ = session.click(x * size_wh[0], y * size_wh[1], positive).mask
            later_s.append(time.perf_counter() - started)
        anew_s = answered_anew(predictor, photo)
        if repeat == 0:
            continue  # warm-up
        first.append(first_s)
        anew.append(anew_s)
        later += later_s
        if repeat <= max(1, repeats // 3):  # the baseline is slow and steady
            baseline.append(timed(lambda: grab_cut(photo)))
    return {
        "first_mask_s": statistics.median(first),
        "later_click_s": statistics.median(later),
        "later_click_worst_s": max(later),
        "later_click_anew_s": statistics.median(anew),
        "grab_cut_s": statistics.median(baseline),
    }


def answered_anew(predictor: Predictor, photo: NDArray[np.uint8]) -> float:
    """Seconds of a later click that contradicts the mask before it, whatever g expects."""
    from latentcut.core.clicks import Click
    from latentcut.core.predictor import Predictor

    frame = predictor.frame_info.model_copy(update={"begin_anew_below": 1.0})
    doubting = Predictor(predictor.backend, frame, predictor.selection)
    height, width = photo.shape[:2]
    clicks = [Click(x * width, y * height, positive) for x, y, positive in CONTRADICTION]
    encoded = doubting.encode(photo)
    mask = doubting.predict(encoded, clicks[:1]).mask
    return timed(lambda: doubting.predict(encoded, clicks, mask).mask)


PEAK_PROBE = """
from pathlib import Path
status = Path("/proc/self/status")
if status.exists():  # what this program used; ru_maxrss begins with what its parent held
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
    print(int(line.split()[1]) / 1024)
else:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def in_fresh_process(code: str) -> tuple[float, float]:
    """Wall seconds and peak memory in MiB of a fresh interpreter that runs some code."""
    started = time.perf_counter()
    out = subprocess.run(
        [sys.executable, "-c", code + PEAK_PROBE], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - started, float(out.stdout.split()[-1])


def session_code(bundle: str | None, size_wh: tuple[int, int]) -> str:
    """Code that loads, opens and clicks twice on an image of one size."""
    return (
        "import numpy as np, latentcut\n"
        f"predictor = latentcut.load({bundle!r}, threads={THREADS})\n"
        f"image = np.full(({size_wh[1]}, {size_wh[0]}, 3), 90, np.uint8)\n"
        f"image[{size_wh[1] // 4}:{size_wh[1] // 2}, {size_wh[0] // 4}:{size_wh[0] // 2}] = 220\n"
        "session = predictor.open(image)\n"
        f"for x in (0.3, 0.4): session.click(x * {size_wh[0]}, {size_wh[1] * 0.35}).mask\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--bundle", help="bundle folder; default: the one in the package")
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()

    figures: dict[str, dict[str, float]] = {}
    print(f"{THREADS} threads, medians of {options.repeats} repetitions")
    print(f"{'image':>11} {'':14} {'ms':>7} {'share of grabCut':>17}")
    for size_wh in SIZES_WH:
        name = f"{size_wh[0]}x{size_wh[1]}"
        found = figures[name] = measure(options.bundle, size_wh, options.repeats)
        for key in (
            "first_mask_s",
            "later_click_s",
            "later_click_worst_s",
            "later_click_anew_s",
            "grab_cut_s",
        ):
            ratio = found[key] / found["grab_cut_s"]
            label = key.removesuffix("_s").replace("_", " ")
            print(f"{name:>11} {label:19} {1000 * found[key]:7.1f} {ratio:12.3f}")

    nothing_s, nothing_mib = in_fresh_process("pass")
    for name, code in (
        (
            "help",
            "import sys; sys.argv = ['latentcut', '--help']\n"
            "from latentcut.cli.app import main\ntry: main()\nexcept SystemExit: pass",
        ),
        ("load", f"import latentcut; latentcut.load({options.bundle!r})"),
        ("two clicks, 640x480", session_code(options.bundle, (640, 480))),
        ("two clicks, 4000x3000", session_code(options.bundle, (4000, 3000))),
    ):
        seconds, peak_mib = in_fresh_process(code)
        figures[name] = {"seconds": seconds, "peak_mib": peak_mib}
        print(
            f"fresh process, {name:22} {seconds:5.2f} s ({seconds / nothing_s:4.1f} x an empty one)"
            f"  peak {peak_mib:5.0f} MiB"
        )
    print(f"fresh process, {'nothing':22} {nothing_s:5.2f} s {'':21}  peak {nothing_mib:5.0f} MiB")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
