"""A resumable evaluation: rows are appended object by object, the table made at the end."""

from __future__ import annotations

import itertools
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentcut.core.files import write_atomically
from latentcut.core.metrics import MAX_CLICKS
from latentcut.core.predictor import Predictor
from latentcut.datasets.folder import FolderDataset
from latentcut.errors import DatasetBroken, FileMissing, OutputExists
from latentcut.evaluation.protocol import PROTOCOL, ObjectResult, evaluate_object
from latentcut.evaluation.table import summarise

Progress = Callable[[int, int], None]  # objects done, objects in all


def evaluate_dataset(
    predictor: Predictor,
    dataset: FolderDataset,
    rows_path: Path | None = None,
    max_clicks: int = MAX_CLICKS,
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """
    Evaluate every object of a data set.

    Args:
        predictor: Any predictor.
        dataset: Its objects are taken in order.
        rows_path: File of finished rows (JSON lines, the first one says what they belong
            to). Rows that are there are not computed again. None: nothing is kept.
        max_clicks: Clicks per object.
        limit: Only the first so many objects.
        progress: Called after each object.

    Returns:
        Plain values for JSON: data set, bundle fingerprint, protocol, versions, table, rows.

    Raises:
        FileMissing: The folder of rows_path does not exist.
        OutputExists: rows_path holds rows of another bundle, data set or protocol.
        DatasetBroken: A file of the data set does not fit, or there is no object.
    """
    header = {
        "dataset": dataset.name,
        "bundle": predictor.fingerprint,
        "protocol": PROTOCOL,
        "max_clicks": max_clicks,
    }
    objects = list(itertools.islice(dataset.objects(), limit))
    if not objects:
        raise DatasetBroken(f"{dataset.path} holds no object: every mask is empty")
    if rows_path and not rows_path.parent.is_dir():
        raise FileMissing(rows_path.parent, "a folder")
    done = _read_rows(rows_path, header) if rows_path else {}
    rows = []
    for number, entry in enumerate(objects, start=1):
        row = done.get(entry[0])
        if row is None:
            row = evaluate_object(predictor, dataset.sample(*entry), max_clicks)
            if rows_path:
                _append(rows_path, header, row)
        rows.append(row)
        if progress:
            progress(number, len(objects))
    return {
        **header,
        "versions": _versions(),
        "table": summarise(rows, max_clicks),
        "rows": [row.to_dict() for row in rows],
    }


def _versions() -> dict[str, str]:
    import cv2
    import numpy as np
    import onnxruntime

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _read_rows(path: Path, header: dict[str, Any]) -> dict[str, ObjectResult]:
    """Finished rows by name; a last line that was cut off is dropped from the file."""
    if not path.exists():
        return {}
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    if not whole and json.dumps(header).encode().startswith(b"".join(lines)):
        path.unlink()  # cut off within the first line
        return {}
    whole = whole or lines
    if _parse(path, whole[0]) != header:
        raise OutputExists(
            f"{path} holds rows of another bundle, data set or protocol; "
            "delete it or give another output"
        )
    if len(whole) < len(lines):
        write_atomically(path, b"".join(whole))
    return {row["name"]: ObjectResult(**row) for row in (_parse(path, x) for x in whole[1:])}


def _parse(path: Path, line: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError as error:
        raise OutputExists(f"{path} is no file of evaluation rows: {error}") from error
    if not isinstance(parsed, dict):
        raise OutputExists(f"{path} is no file of evaluation rows")
    return parsed


def _append(path: Path, header: dict[str, Any], row: ObjectResult) -> None:
    is_new = not path.exists()
    with path.open("a", encoding="utf-8") as file:
        if is_new:
            file.write(json.dumps(header) + "\n")
        file.write(json.dumps(row.to_dict()) + "\n")
