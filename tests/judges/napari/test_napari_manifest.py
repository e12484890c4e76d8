"""What napari is told about the package, and what it saves with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from npe2 import PluginManager, PluginManifest
from npe2.manifest.utils import import_python_name

from latentcut.core.masks import coco_rle, mask_from_coco_rle


def test_npe2_finds_the_manifest_valid():
    command = Path(sys.executable).with_name("npe2")

    result = subprocess.run([command, "validate", "latentcut"], capture_output=True, text=True)

    assert result.stdout == "✔ Manifest for 'latentcut' valid!\n"
    assert result.returncode == 0


def test_every_command_of_the_manifest_exists(display):
    manifest = PluginManifest.from_distribution("latentcut")

    found = [callable(import_python_name(c.python_name)) for c in manifest.contributions.commands]

    assert found == [True] * 5


def test_finding_plugins_loads_neither_qt_nor_the_model():
    code = (
        "import sys; from npe2 import PluginManifest;"
        "PluginManifest.from_distribution('latentcut');"
        "print(*sorted({'qtpy', 'PyQt6', 'onnxruntime', 'cv2', 'torch'} & set(sys.modules)))"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.split() == []


def test_every_sample_photo_opens():
    manager = PluginManager.instance()
    manager.discover()
    samples = next(group for name, group in manager.iter_sample_data() if name == "latentcut")

    opened = {sample.key: sample.open()[0] for sample in samples}

    assert {key: layer[0].shape for key, layer in opened.items()} == {
        "astronaut": (512, 512, 3),
        "cat": (300, 451, 3),
        "coffee": (400, 600, 3),
    }


def test_a_label_layer_saved_by_napari_is_read_back_to_the_pixel(display, tmp_path):
    from napari.layers import Labels

    labels = np.zeros((40, 60), np.int32)
    labels[5:20, 7:30] = 3
    labels[10:14, 10:20] = 0
    labels[30:, 50:] = 12
    path = tmp_path / "objects.json"

    written = Labels(labels, name="cells").save(str(path), plugin="latentcut")

    document = json.loads(path.read_text())
    masks = [mask_from_coco_rle(entry["segmentation"]) for entry in document["annotations"]]
    assert written == [str(path)]
    assert [
        entry["attributes"]["latentcut"]["napari_label"] for entry in document["annotations"]
    ] == [3, 12]
    assert [
        np.array_equal(mask, labels == number) for mask, number in zip(masks, (3, 12), strict=True)
    ] == [True, True]
    assert document["annotations"][1]["segmentation"] == coco_rle(labels == 12)
