"""Predictors named by a line of text."""

from __future__ import annotations

import pytest

from latentcut.core.bundle import default_bundle_path, read_bundle
from latentcut.errors import BadConfig
from latentcut.evaluation.specs import Spec, build_segmenter, parse_spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("default", Spec("default", "default")),
        ("mine=default", Spec("mine", "default")),
        ("grabcut?working_px=512", Spec("grabcut", "grabcut", {"working_px": "512"})),
        ("g2=grabcut?a=1&b=2", Spec("g2", "grabcut", {"a": "1", "b": "2"})),
        ("some/folder/b1", Spec("b1", "some/folder/b1")),
        ("checkpoint:runs/x.safetensors", Spec("x", "checkpoint:runs/x.safetensors")),
        ("pkg.mod:make?size=b", Spec("make", "pkg.mod:make", {"size": "b"})),
        ("sam=pkg.mod:make", Spec("sam", "pkg.mod:make")),
    ],
)
def test_a_line_is_taken_apart(text, spec):
    assert parse_spec(text) == spec


def test_a_path_that_exists_is_never_taken_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b?c").mkdir()

    assert parse_spec("a=b?c") == Spec("a=b?c", "a=b?c")


def test_an_option_without_a_value_is_refused():
    with pytest.raises(BadConfig) as caught:
        parse_spec("grabcut?fast")

    assert str(caught.value) == "option 'fast' of 'grabcut?fast' must look like key=value"


def test_the_default_bundle_has_its_facts_and_fingerprint():
    segmenter = build_segmenter(parse_spec("ours=default"), threads=1)

    info = read_bundle(default_bundle_path())
    assert (segmenter.name, segmenter.fingerprint) == ("ours", info.fingerprint)
    assert segmenter.facts == {
        "kind": "bundle",
        "bundle": info.info.name,
        "num_masks": info.info.num_masks,
        "frame": info.info.frame.model_dump(),
        "mask_threshold": 0.5,
    }


def test_frame_settings_of_a_bundle_are_options():
    spec = parse_spec(f"small={default_bundle_path()}?zoom_px=256")

    segmenter = build_segmenter(spec, threads=1)

    assert segmenter.facts["frame"]["zoom_px"] == 256
    assert segmenter.fingerprint != read_bundle(default_bundle_path()).fingerprint


def test_the_threshold_of_a_protocol_holds_unless_an_option_says_otherwise():
    plain = build_segmenter(parse_spec("default"), 1, mask_threshold=0.49)
    chosen = build_segmenter(parse_spec("default?mask_threshold=0.7"), 1, mask_threshold=0.49)

    fingerprint = read_bundle(default_bundle_path()).fingerprint
    assert plain.facts["mask_threshold"] == 0.49
    assert plain.fingerprint == f"{fingerprint}-mask-threshold-0.49"
    assert chosen.facts["mask_threshold"] == 0.7


def test_classical_methods_take_their_options():
    segmenter = build_segmenter(parse_spec("grabcut?working_px=200&radius_px=2.5"))

    assert segmenter.facts["working_px"] == 200
    assert segmenter.facts["radius_px"] == 2.5


def test_what_follows_checkpoint_is_given_to_who_can_read_it():
    asked = []

    build_segmenter(parse_spec("checkpoint:runs/a.ckpt"), load_checkpoint=asked.append)

    assert [path.as_posix() for path in asked] == ["runs/a.ckpt"]


def test_a_factory_is_called():
    segmenter = build_segmenter(parse_spec("evaluation_helpers:OneAnswer?solved_after=4"))

    assert segmenter.solved_after == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "grabcutt",
            "there is no predictor 'grabcutt': give a bundle folder, checkpoint:PATH, "
            "module:factory, or a name; did you mean 'grabcut'? known: default, grabcut, "
            "random-walker",
            id="name",
        ),
        pytest.param(
            "grabcut?beta=1",
            "grabcut has no option 'beta': known: first_iterations, guess_share, "
            "later_iterations, radius_px, working_px",
            id="option",
        ),
        pytest.param(
            "grabcut?working_px=big",
            "option working_px=big of grabcut must be a number",
            id="number",
        ),
        pytest.param(
            "default?mask_threshold=1.5",
            "mask_threshold=1.5 must lie between 0 and 1",
            id="threshold",
        ),
        pytest.param(
            "default?zoom=1",
            "frame setting 'zoom=1' must look like key=value; did you mean 'zoom_px'? known: "
            "begin_anew_below, click_look_px, click_look_share, first_px, mirror, "
            "second_look_gain, zoom_factor, "
            "zoom_min_gain, zoom_px",
            id="frame",
        ),
    ],
)
def test_what_fits_nothing_is_refused(text, message):
    with pytest.raises(BadConfig) as caught:
        build_segmenter(parse_spec(text), threads=1, load_checkpoint=lambda path: None)

    assert str(caught.value) == message


def test_a_checkpoint_takes_no_options():
    with pytest.raises(BadConfig) as caught:
        build_segmenter(parse_spec("checkpoint:a.ckpt?x=1"), load_checkpoint=lambda path: None)

    assert str(caught.value) == "checkpoint:a.ckpt takes no options"
