"""
SBD, the semantic boundaries data set: img/, inst/ with MATLAB files, train.txt and val.txt.

``inst/<id>.mat`` holds the struct GTinst; its field Segmentation is a label map: 0 =
background, 1..N = one object each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentcut.datasets.dataset import (
    DEFAULT_OPTIONS,
    Annotated,
    IntArray,
    LabelMap,
    MapDataset,
    ReaderOptions,
)
from latentcut.datasets.extras import extra_module
from latentcut.datasets.files import listed_pairs, need_file, need_folder
from latentcut.errors import DatasetBroken

HAS = (
    "SBD has img/, inst/, train.txt and val.txt in benchmark_RELEASE/dataset/; "
    "download: http://home.bharathh.info/pubs/codes/SBD/download.html"
)


class SbdDataset(MapDataset):
    """
    SBD as it is unpacked.

    Args:
        path: The folder of img/ and inst/, or ``benchmark_RELEASE``, or what holds that.
        options: ``image_list`` takes the place of ``<split>.txt``.

    Raises:
        FileMissing: A folder or list does not exist.
        DatasetBroken: A picture or mask of the list is not there.
        MissingExtra: scipy, which reads the MATLAB files, is not installed.
    """

    format = "sbd"

    def __init__(self, path: Path, options: ReaderOptions = DEFAULT_OPTIONS) -> None:
        options.known()
        self.path = Path(path)
        self.name = self.path.name
        root = dataset_folder(self.path)
        pictures, masks = need_folder(root / "img", HAS), need_folder(root / "inst", HAS)
        names = options.image_list or need_file(root / f"{options.split}.txt", HAS)
        self.reader = extra_module("scipy.io", "reading SBD")
        self.images = listed_pairs(names, pictures, masks, ".mat", options)

    def label_maps(self, entry: Annotated) -> list[LabelMap]:
        """The one map of a picture. Raises DatasetBroken."""
        return [LabelMap(entry.image_id, read_instances(self.reader, entry.mask_paths[0]), None)]


def dataset_folder(path: Path) -> Path:
    """The folder that holds img/ and inst/, at or below a path."""
    below = (path, path / "dataset", path / "benchmark_RELEASE" / "dataset")
    return next((p for p in below if (p / "inst").is_dir()), path)


def read_instances(reader: Any, path: Path) -> IntArray:
    """
    The label map in a file of inst/, (H0, W0).

    Args:
        reader: The module scipy.io.
        path: The file.

    Raises:
        DatasetBroken: It is no MATLAB file, or holds no GTinst.Segmentation.
    """
    try:
        content = reader.loadmat(path, variable_names=["GTinst"])
    except Exception as error:  # scipy raises whatever its parser meets in a broken file
        raise DatasetBroken(f"{path} cannot be read as a MATLAB file: {error}") from error
    try:
        labels = np.asarray(content["GTinst"]["Segmentation"][0, 0])
    except (KeyError, ValueError, IndexError) as error:
        raise DatasetBroken(f"{path} holds no GTinst.Segmentation") from error
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise DatasetBroken(f"{path} holds a GTinst.Segmentation that is no label map")
    return labels
