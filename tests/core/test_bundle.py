from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import latentcut
from latentcut.core.bundle import (
    MAX_INFO_BYTES,
    Bundle,
    BundleInfo,
    FrameInfo,
    SelectionInfo,
    default_bundle_path,
    file_info,
    read_bundle,
    with_frame,
)
from latentcut.core.onnx_backend import DECODER_INPUTS, ENCODER_INPUTS, ENCODER_OUTPUTS
from latentcut.errors import BadConfig, BundleBroken, FileMissing

ENCODER, DECODER = b"the encoder's graph", b"the decoder's graph"


def write_bundle(folder, encoder=ENCODER, decoder=DECODER, **changes):
    """A bundle whose fingerprints fit; ``changes`` replace or add keys of model.json."""
    folder.mkdir(exist_ok=True)
    files = {}
    for name, content in (("encoder.onnx", encoder), ("decoder.onnx", decoder)):
        (folder / name).write_bytes(content)
        files[name] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "num_bytes": len(content),
        }
    info = {"format": 1, "name": "tiny", "num_masks": 6, "files": files, **changes}
    (folder / "model.json").write_text(json.dumps(info), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_bundle(tmp_path / "bundle")


def test_a_bundle_is_read_whole(tmp_path):
    folder = write_bundle(
        tmp_path / "bundle",
        frame={"first_px": 512},
        selection={"objective": "cross_entropy", "temperature": 2},
    )

    bundle = read_bundle(folder)

    assert (bundle.encoder, bundle.decoder) == (ENCODER, DECODER)
    assert (bundle.info.name, bundle.info.num_masks) == ("tiny", 6)
    assert bundle.info.frame == FrameInfo(first_px=512)
    assert bundle.info.selection == SelectionInfo(objective="cross_entropy", temperature=2)


def test_the_packaged_bundle_is_whole():
    bundle = read_bundle(default_bundle_path())

    assert bundle.info.format == 1
    assert sorted(bundle.info.files) == ["decoder.onnx", "encoder.onnx"]


def test_the_fingerprint_names_what_decides_an_answer_and_nothing_else():
    info = BundleInfo(
        name="one",
        num_masks=6,
        files={"encoder.onnx": file_info(ENCODER), "decoder.onnx": file_info(DECODER)},
    )
    bundle = Bundle(info, ENCODER, DECODER)
    renamed = info.model_copy(update={"name": "two", "provenance": {"steps": 7}})
    zoomed = info.model_copy(update={"frame": FrameInfo(zoom_factor=2)})

    assert Bundle(renamed, ENCODER, DECODER).fingerprint == bundle.fingerprint
    assert Bundle(zoomed, ENCODER, DECODER).fingerprint != bundle.fingerprint
    assert len(bundle.fingerprint) == 64


# ---------------------------------------------------------------- incomplete or altered


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FileMissing) as caught:
        latentcut.load(tmp_path / "none")

    assert str(caught.value) == (
        f"{tmp_path / 'none'} does not exist or is not a bundle folder (with model.json)"
    )


def test_a_folder_without_model_json_is_refused(folder):
    (folder / "model.json").unlink()

    with pytest.raises(FileMissing) as caught:
        latentcut.load(str(folder))

    assert str(caught.value) == (
        f"{folder / 'model.json'} does not exist or is not the model.json of a bundle"
    )


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx"])
def test_a_missing_graph_is_refused(folder, name):
    (folder / name).unlink()

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == f"{folder / name} is missing; copy the bundle folder again, whole"


def test_a_graph_that_was_cut_off_is_refused(folder):
    (folder / "decoder.onnx").write_bytes(DECODER[:-5])

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == (
        f"{folder / 'decoder.onnx'} has 14 bytes, model.json says 19; "
        "copy the bundle folder again, whole"
    )


def test_a_graph_that_was_altered_is_refused(folder):
    altered = ENCODER.replace(b"graph", b"grave")
    (folder / "encoder.onnx").write_bytes(altered)

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == (
        f"{folder / 'encoder.onnx'} has sha256 {hashlib.sha256(altered).hexdigest()}, "
        f"model.json says {hashlib.sha256(ENCODER).hexdigest()}; it was altered "
        "or damaged: copy the bundle folder again, whole"
    )


def test_a_graph_that_is_not_listed_is_refused(tmp_path):
    folder = write_bundle(tmp_path / "bundle", files={})

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == (f"{folder / 'model.json'} does not list encoder.onnx under files")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            b"{",
            "the file: Invalid JSON: EOF while parsing an object at line 1 column 1",
            id="no-json",
        ),
        pytest.param(b"[]", "the file: Input should be an object", id="no-object"),
        pytest.param(
            b'{"num_masks": 6, "files": {}}', "name: Field required", id="a-key-is-missing"
        ),
    ],
)
def test_a_model_json_that_is_not_one_is_refused(folder, content, reason):
    (folder / "model.json").write_bytes(content)

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == f"{folder / 'model.json'} does not fit: {reason}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"speed": 9}, "speed: Extra inputs are not permitted", id="unknown-key"),
        pytest.param({"format": 2}, "format: Input should be 1", id="another-format"),
        pytest.param(
            {"num_masks": 0},
            "num_masks: Input should be greater than or equal to 1",
            id="no-candidates",
        ),
        pytest.param(
            {"frame": {"first_px": 450}},
            "frame.first_px: Input should be a multiple of 16",
            id="frame-of-odd-size",
        ),
        pytest.param(
            {"selection": {"temperature": 0}},
            "selection.temperature: Input should be greater than 0",
            id="temperature-zero",
        ),
        pytest.param(
            {"files": {"encoder.onnx": {"sha256": "ab", "num_bytes": 3}}},
            "files.encoder.onnx.sha256: String should match pattern '^[0-9a-f]{64}$'",
            id="no-sha256",
        ),
        pytest.param(
            {"files": {"encoder.onnx": {"sha256": "0" * 64, "num_bytes": 2**31}}},
            "files.encoder.onnx.num_bytes: Input should be less than or equal to 2147483647",
            id="larger-than-2-gb",
        ),
    ],
)
def test_a_model_json_with_a_value_that_is_not_allowed_is_refused(tmp_path, changes, reason):
    folder = write_bundle(tmp_path / "bundle", **changes)

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == f"{folder / 'model.json'} does not fit: {reason}"


def test_a_model_json_of_more_than_a_megabyte_is_not_even_read(tmp_path):
    folder = write_bundle(tmp_path / "bundle", provenance={"notes": "x" * MAX_INFO_BYTES})

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == f"{folder / 'model.json'} is larger than 1000000 bytes"


# ---------------------------------------------------------------- graphs


def test_a_file_that_is_no_graph_is_refused_even_when_its_sha256_fits(folder):
    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    # what follows is the runtime's own sentence
    assert str(caught.value).startswith("the encoder graph cannot be loaded: [ONNXRuntimeError]")
    assert "\n" not in str(caught.value)


def test_swapped_graphs_are_refused(tmp_path):
    packaged = read_bundle(default_bundle_path())
    folder = write_bundle(tmp_path / "bundle", packaged.decoder, packaged.encoder)

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == (
        f"the encoder graph has inputs {DECODER_INPUTS} and outputs ('logits', 'scores'), "
        f"needed are {ENCODER_INPUTS} and {ENCODER_OUTPUTS}"
    )


def graph_with_weights_in(location):
    """A graph that answers with numbers of another file; the runtime by itself would load it."""
    weights = TensorProto(
        name="weights",
        data_type=TensorProto.FLOAT,
        dims=[4000],
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in (("location", location), ("offset", "0"), ("length", "16000")):
        weights.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["weights", "image"], ["trunk"])],
        "reader",
        [helper.make_tensor_value_info("image", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("trunk", TensorProto.FLOAT, ["n"])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("../secret", id="above-the-bundle"),
        pytest.param("secret", id="in-the-working-directory"),
        pytest.param("/etc/passwd", id="absolute"),
    ],
)
def test_a_graph_cannot_reach_other_files(tmp_path, monkeypatch, location):
    working_directory = tmp_path / "work"
    working_directory.mkdir()
    for folder in (tmp_path, working_directory):
        np.arange(4000, dtype=np.float32).tofile(folder / "secret")
    monkeypatch.chdir(working_directory)
    folder = write_bundle(working_directory / "bundle", encoder=graph_with_weights_in(location))

    with pytest.raises(BundleBroken) as caught:
        latentcut.load(folder)

    assert str(caught.value) == (
        "the encoder graph keeps weights in other files; "
        "a graph of a bundle must hold all of its weights"
    )


def test_loading_leaves_the_bundle_as_it_was(tmp_path):
    packaged = default_bundle_path()
    before = sorted((path.name, path.stat().st_mtime_ns) for path in Path(packaged).iterdir())

    latentcut.load(os.fspath(packaged), threads=1)

    after = sorted((path.name, path.stat().st_mtime_ns) for path in Path(packaged).iterdir())
    assert after == before


def test_frame_settings_can_be_overridden_and_change_the_fingerprint():
    bundle = read_bundle(default_bundle_path())

    changed = with_frame(bundle, ["zoom_px=320", "second_look_gain=none"])

    assert (changed.info.frame.zoom_px, changed.info.frame.second_look_gain) == (320, None)
    assert changed.info.frame.first_px == bundle.info.frame.first_px
    assert changed.fingerprint != bundle.fingerprint


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param(
            "zoom=320",
            "frame setting 'zoom=320' must look like key=value; did you mean 'zoom_px'? known: "
            "begin_anew_below, click_look_px, click_look_share, first_px, mirror, "
            "second_look_gain, zoom_factor, "
            "zoom_min_gain, zoom_px",
            id="unknown key",
        ),
        pytest.param(
            "zoom_px=333",
            "frame setting zoom_px: Input should be a multiple of 16",
            id="value not allowed",
        ),
    ],
)
def test_a_wrong_frame_setting_is_named(override, message):
    with pytest.raises(BadConfig) as caught:
        with_frame(read_bundle(default_bundle_path()), [override])

    assert str(caught.value) == message
