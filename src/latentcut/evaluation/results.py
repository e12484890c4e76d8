"""The result file: what was run by whom on what, with every row, as plain values for JSON."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from importlib import metadata
from itertools import combinations
from pathlib import Path
from typing import Any

from latentcut.errors import BadConfig
from latentcut.evaluation.protocol import STANDARD, ObjectResult, Protocol
from latentcut.evaluation.segmenter import Segmenter
from latentcut.evaluation.table import compare

FORMAT = "latentcut-evaluation-2"
PACKAGES = ("latentcut", "numpy", "opencv-python-headless", "onnxruntime", "scikit-image", "torch")
# up to the last separator of each stretch between the signs that specs are made of
FOLDERS = re.compile(r"(?:(?<![\w.])[A-Za-z]:)?[^\s=:?&]*[/\\]")


def result_of(
    protocol: Protocol,
    predictors: Sequence[dict[str, Any]],
    runs: Sequence[dict[str, Any]],
    command: Sequence[str] = (),
    skipped: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """
    A whole result.

    Args:
        protocol: The rules of all runs.
        predictors: As of ``predictor_facts``.
        runs: As of ``run.run_of``.
        command: Arguments of the command line; folders are taken out of them.
        skipped: What could not be measured: data set, user and reason.

    Returns:
        Plain values for JSON, as docs/evaluation.md describes them.
    """
    return {
        "format": FORMAT,
        "command": [without_folders(argument) for argument in command],
        "protocol": protocol.to_dict(),
        "versions": versions(),
        "machine": machine(),
        "predictors": list(predictors),
        "runs": list(runs),
        "comparisons": comparisons(runs, protocol),
        "skipped": list(skipped),
    }


def result_bytes(result: dict[str, Any]) -> bytes:
    """A result as its file holds it: JSON for people to read, one line per row."""
    rows = [run["rows"] for run in result["runs"]]
    marks = [f"rows of run {number}" for number in range(len(rows))]
    runs = [run | {"rows": mark} for run, mark in zip(result["runs"], marks, strict=True)]
    text = json.dumps(result | {"runs": runs}, indent=1)
    for mark, lines in zip(marks, rows, strict=True):
        body = ",\n".join(json.dumps(row) for row in lines)
        text = text.replace(f'"rows": "{mark}"', f'"rows": [\n{body}\n]', 1)
    return (text + "\n").encode()


def predictor_facts(segmenter: Segmenter, name: str, spec: str) -> dict[str, Any]:
    """What a result says of a predictor; ``name`` is what its runs call it."""
    return {
        "name": name,
        "spec": without_folders(spec),
        "fingerprint": segmenter.fingerprint,
        "facts": segmenter.facts,
    }


def comparisons(runs: Sequence[dict[str, Any]], protocol: Protocol) -> list[dict[str, Any]]:
    """Every two predictors that ran on the same objects of a data set with the same user."""
    found = []
    for first, second in combinations(runs, 2):
        if any(first[key] != second[key] for key in ("dataset", "user", "seed")):
            continue
        rows_a, rows_b = rows_of(first), rows_of(second)
        if {row.name for row in rows_a} != {row.name for row in rows_b}:
            continue
        where = {"dataset": first["dataset"], "user": first["user"]}
        who = {"a": first["predictor"], "b": second["predictor"]}
        found.append(where | who | compare(rows_a, rows_b, protocol))
    return found


def rows_of(run: dict[str, Any]) -> list[ObjectResult]:
    """The rows of one of the ``runs`` of a result, or of one of the ``datasets`` of an old one."""
    return [ObjectResult(**row) for row in run["rows"]]


def protocol_of(result: dict[str, Any]) -> Protocol:
    """The rules of a result."""
    return Protocol(**result["protocol"])


def read_result(path: Path) -> dict[str, Any]:
    """
    A result file; one of the first format is brought into the form of today.

    Raises:
        BadConfig: It is no result.
        OSError: It cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("format") == FORMAT:
            return dict(found)
        return _from_first_format(found)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise BadConfig(f"{path} is no result of latentcut evaluate") from error


def _from_first_format(old: dict[str, Any]) -> dict[str, Any]:
    """One bundle, the standard protocol, the centre user: the form of version 0.1.0."""
    bundle, sets = old["bundle"], old["datasets"]
    protocol = Protocol(STANDARD.name, max_clicks=sets[0]["max_clicks"], rules=sets[0]["protocol"])
    runs = [
        {
            "dataset": run["dataset"],
            "dataset_facts": {},
            "predictor": bundle["name"],
            "user": protocol.user,
            "seed": 0,
            "objects": run["table"]["objects"],
            "table": run["table"],
            "rows": run["rows"],
        }
        for run in sets
    ]
    facts = {"kind": "bundle", "frame": bundle["frame"]}
    return {
        "format": FORMAT,
        "command": [],
        "protocol": protocol.to_dict(),
        "versions": sets[0]["versions"],
        "machine": {},
        "predictors": [
            {
                "name": bundle["name"],
                "spec": bundle["name"],
                "fingerprint": bundle["fingerprint"],
                "facts": facts,
            }
        ],
        "runs": runs,
        "comparisons": [],
        "skipped": [],
    }


def without_folders(argument: str) -> str:
    """
    An argument as it may be published: of each path in it only the last name.

    ``NAME=``, ``format:`` and ``?key=value`` stay as they are.
    """
    whole = re.sub(r"(?<=[^/\\])[/\\]+(?=$|[?&])", "", argument)
    return FOLDERS.sub("", whole)


def versions() -> dict[str, str]:
    """Python and the packages that can change a number, where they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What times depend on: processor, cores that may be used, operating system."""
    may_use = getattr(os, "sched_getaffinity", None)
    return {
        "cpu": _cpu_model(),
        "cores": len(may_use(0)) if may_use else os.cpu_count(),
        "os": platform.system(),
        "architecture": platform.machine(),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown"
    names = re.findall(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return names[0].strip() if names else platform.processor() or "unknown"
