"""``latentcut doctor``: is everything here, intact and fast."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import Any

import typer

from latentcut import __version__
from latentcut.cli.options import BundleOption, JsonFlag, ThreadsOption
from latentcut.cli.samples import SAMPLES
from latentcut.errors import LatentcutError

MODULES = {  # module -> distribution; what using a model and the page need
    "numpy": "numpy",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "onnxruntime": "onnxruntime",
    "apsw": "apsw",
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
}
PHOTO, FIRST_XY, LATER_XY = "coffee.jpg", (285, 155), (130, 250)
NUM_TIMED = 5


def doctor(
    bundle: BundleOption = None, threads: ThreadsOption = 0, as_json: JsonFlag = False
) -> None:
    """Check the installation, the bundle and the speed; exit code 1 if something is wrong."""
    facts: dict[str, Any] = {"ok": False}
    try:
        facts |= {"versions": versions(), "machine": machine()}
        facts["bundle"] = bundle_facts(bundle)
        facts["times_ms"] = timed(bundle, threads)
        facts["ok"] = True
    except LatentcutError as error:
        facts["problem"] = str(error)
        typer.echo(json.dumps(facts) if as_json else in_words(facts))
        raise
    typer.echo(json.dumps(facts) if as_json else in_words(facts))


def versions() -> dict[str, str | None]:
    """
    Versions of what is used; torch, which is looked for but not loaded, is None if missing.

    Raises:
        LatentcutError: A package that is needed cannot be imported.
    """
    found: dict[str, str | None] = {
        "latentcut": __version__,
        "python": platform.python_version(),
    }
    for module, distribution in MODULES.items():
        try:
            importlib.import_module(module)
            found[distribution] = importlib.metadata.version(distribution)
        except ImportError as error:
            raise LatentcutError(
                f"{module} cannot be imported ({error}); "
                f"run pip install --force-reinstall {distribution}"
            ) from error
    has_torch = importlib.util.find_spec("torch") is not None
    found["torch"] = importlib.metadata.version("torch") if has_torch else None
    return found


def machine() -> dict[str, Any]:
    """System and the cores this process may use."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return {"system": platform.platform(terse=True), "cores": cores}


def bundle_facts(path: Path | None) -> dict[str, Any]:
    """What the bundle says of itself; reading it checks sizes and hashes."""
    from latentcut.core.bundle import default_bundle_path, read_bundle

    folder = default_bundle_path() if path is None else path
    found = read_bundle(folder)
    provenance = found.info.provenance
    return {
        "name": found.info.name,
        "path": str(folder),
        "fingerprint": found.fingerprint,
        "num_masks": found.info.num_masks,
        "num_bytes": sum(file.num_bytes for file in found.info.files.values()),
        "parameters": provenance.get("parameters"),
        "step": provenance.get("step"),
        "training_seconds": provenance.get("training_seconds"),
        "calibration": provenance.get("calibration"),
    }


def timed(bundle: Path | None, threads: int) -> dict[str, float]:
    """
    Median times on a sample photo, after a first round that does not count.

    Raises:
        LatentcutError: The answer breaks a click.
    """
    from latentcut.core.images import read_image
    from latentcut.core.predictor import load

    started = time.perf_counter()
    predictor = load(bundle, threads)
    load_ms = 1000 * (time.perf_counter() - started)
    image = read_image(SAMPLES / PHOTO)
    first, later = [], []
    for _ in range(1 + NUM_TIMED):
        begun = time.perf_counter()
        session = predictor.open(image)
        is_satisfied = session.click(*FIRST_XY).clicks_satisfied
        clicked = time.perf_counter()
        is_satisfied &= session.click(*LATER_XY, positive=False).clicks_satisfied
        first.append(1000 * (clicked - begun))
        later.append(1000 * (time.perf_counter() - clicked))
        if not is_satisfied:
            raise LatentcutError(f"the bundle's answer on {PHOTO} does not obey its clicks")
    times = {"load": load_ms, "first_mask": median(first[1:]), "later_click": median(later[1:])}
    return {name: round(ms, 1) for name, ms in times.items()}


def in_words(facts: dict[str, Any]) -> str:
    """As much as was found, for a person."""
    lines = []
    if "versions" in facts:
        known = facts["versions"] | {"torch": facts["versions"]["torch"] or "none"}
        needless = "" if facts["versions"]["torch"] else " (only training needs torch)"
        text = ", ".join(f"{name} {version}" for name, version in known.items())
        lines.append(f"versions  {text}{needless}")
        lines.append(f"machine   {facts['machine']['system']}, {facts['machine']['cores']} cores")
    if "bundle" in facts:
        lines += bundle_in_words(facts["bundle"])
    if "times_ms" in facts:
        times = facts["times_ms"]
        lines.append(
            f"times     model {times['load']:.0f} ms, first mask {times['first_mask']:.0f} ms, "
            f"later click {times['later_click']:.0f} ms (600 x 400 px, median of {NUM_TIMED})"
        )
    return "\n".join([*lines, *(["ok"] if facts["ok"] else [])])


def bundle_in_words(bundle: dict[str, Any]) -> list[str]:
    """Name, size and origin of a bundle."""
    origin = []
    if bundle["parameters"] is not None:
        origin.append(f"{bundle['parameters']:,} parameters")
    if bundle["step"] is not None:
        origin.append(f"trained for {bundle['step']:,} steps")
    if bundle["training_seconds"] is not None:
        origin.append(f"{bundle['training_seconds'] / 60:.0f} minutes")
    calibrated = (bundle["calibration"] or {}).get("objects")
    origin.append("calibrated" if calibrated else "not calibrated")
    return [
        f"bundle    {bundle['name']}: {bundle['num_masks']} masks, "
        f"{bundle['num_bytes'] / 1e6:.1f} MB, hashes fit, {bundle['path']}",
        f"          {', '.join(origin)}",
    ]
