"""
Predictors by a line of text, so that a command, a worker and a result file can name one.

``[NAME=]WHAT[?key=value&...]``, where WHAT is ``default``, a bundle folder, ``grabcut``,
``random-walker``, ``checkpoint:PATH`` or ``module:factory``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentcut.core.bundle import default_bundle_path, read_bundle, with_frame
from latentcut.core.predictor import predictor_of
from latentcut.errors import BadConfig, nearest
from latentcut.evaluation.bundle_segmenter import BundleSegmenter
from latentcut.evaluation.classical import GrabCut, RandomWalker
from latentcut.evaluation.foreign import load_foreign
from latentcut.evaluation.segmenter import Segmenter

NAMED = re.compile(r"(?P<name>[\w.+-]+)=(?P<rest>.+)", re.DOTALL)
CHECKPOINT = "checkpoint:"
CLASSICAL: dict[str, tuple[Callable[..., Segmenter], dict[str, type]]] = {
    "grabcut": (
        GrabCut,
        {
            "working_px": int,
            "first_iterations": int,
            "later_iterations": int,
            "radius_px": float,
            "guess_share": float,
        },
    ),
    "random-walker": (
        RandomWalker,
        {"working_px": int, "beta": float, "radius_px": float, "mode": str, "border": str},
    ),
}


@dataclass(frozen=True)
class Spec:
    """
    A predictor by text.

    Attributes:
        name: What tables call it.
        what: Which one.
        options: Text values of its settings.
    """

    name: str
    what: str
    options: dict[str, str] = field(default_factory=dict)


def parse_spec(text: str) -> Spec:
    """
    Take a line apart.

    A path that exists as it is written is never taken apart.

    Raises:
        BadConfig: An option is not of the form key=value.
    """
    named = None if Path(text).exists() else NAMED.fullmatch(text)
    rest = named["rest"] if named else text
    what, mark, tail = rest, "", ""
    if not Path(rest).exists():
        what, mark, tail = rest.partition("?")
    options = {}
    for option in tail.split("&") if mark else ():
        key, equals, value = option.partition("=")
        if not (key and equals):
            raise BadConfig(f"option {option!r} of {text!r} must look like key=value")
        options[key] = value
    return Spec(named["name"] if named else _short_name(what), what, options)


def _short_name(what: str) -> str:
    if what.startswith(CHECKPOINT):
        return Path(what.removeprefix(CHECKPOINT)).stem
    if ":" in what and not Path(what).exists():
        return what.rpartition(":")[2]
    return Path(what).resolve().name if what in (".", "..") else Path(what).name


def build_segmenter(
    spec: Spec,
    threads: int = 0,
    mask_threshold: float = 0.5,
    load_checkpoint: Callable[[Path], Segmenter] | None = None,
) -> Segmenter:
    """
    Make the segmenter that a spec names.

    Args:
        spec: As of ``parse_spec``.
        threads: Per prediction, of bundles; 0: one for every core.
        mask_threshold: See ``Protocol``; an option of that name goes before it. Of bundles.
        load_checkpoint: Reads what follows ``checkpoint:``; rooms above this one know how.

    Raises:
        FileMissing, BundleBroken: See ``core.bundle.read_bundle``.
        BadConfig: Nothing is called so, or an option does not fit.
        MissingExtra: A classical method needs packages that are not installed.
    """
    if spec.what in CLASSICAL:
        return _classical(spec)
    if spec.what.startswith(CHECKPOINT) and load_checkpoint is not None:
        _no_options(spec)
        return load_checkpoint(Path(spec.what.removeprefix(CHECKPOINT)))
    if spec.what == "default" or Path(spec.what).is_dir():
        return _bundle(spec, threads, mask_threshold)
    if ":" in spec.what:
        return load_foreign(spec.what, spec.options, spec.name)
    raise BadConfig(
        f"there is no predictor {spec.what!r}: give a bundle folder, {CHECKPOINT}PATH, "
        f"module:factory, or a name; {nearest(spec.what, ['default', *CLASSICAL])}"
    )


def _bundle(spec: Spec, threads: int, mask_threshold: float) -> Segmenter:
    options = dict(spec.options)
    threshold = _converted(spec, "mask_threshold", options.pop("mask_threshold", "0.5"), float)
    if "mask_threshold" not in spec.options:
        threshold = mask_threshold
    if not 0 < threshold < 1:
        raise BadConfig(f"mask_threshold={threshold:g} must lie between 0 and 1")
    path = default_bundle_path() if spec.what == "default" else Path(spec.what)
    overrides = [f"{key}={value}" for key, value in options.items()]
    bundle = with_frame(read_bundle(path), overrides)
    facts: dict[str, Any] = {
        "bundle": bundle.info.name,
        "num_masks": bundle.info.num_masks,
        "frame": bundle.info.frame.model_dump(),
    }
    return BundleSegmenter(predictor_of(bundle, threads), spec.name, facts, threshold)


def _classical(spec: Spec) -> Segmenter:
    make, kinds = CLASSICAL[spec.what]
    for key in spec.options:
        if key not in kinds:
            raise BadConfig(f"{spec.what} has no option {key!r}: {nearest(key, kinds)}")
    given = {k: _converted(spec, k, v, kinds[k]) for k, v in spec.options.items()}
    return make(**given)


def _converted(spec: Spec, key: str, value: str, kind: type) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        raise BadConfig(f"option {key}={value} of {spec.what} must be a number") from error


def _no_options(spec: Spec) -> None:
    if spec.options:
        raise BadConfig(f"{spec.what} takes no options")
