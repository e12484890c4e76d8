"""Real runs of ``latentcut segment``; what it writes must be what the API answers."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re

import numpy as np
import pytest
from PIL import Image

import latentcut
from latentcut.core.bundle import read_bundle
from latentcut.core.masks import mask_from_coco_rle
from latentcut.core.session import Session

FAST = ("--threads", 1)
CUP = ("--positive", "285,155", "--negative", "130,250", "--positive", "300,225")


@pytest.fixture
def cup(predictor, coffee):
    """The same clicks through the API."""
    session = predictor.open(coffee)
    session.click(285, 155)
    session.click(130, 250, positive=False)
    return session.click(300, 225)


def pixels(path):
    return np.array(Image.open(path))


def written_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# --- what is written --------------------------------------------------------------------------


def test_every_output_agrees_with_the_api(run, coffee, cup, tmp_path):
    outputs = (
        *("--output", tmp_path / "mask.png", "--candidates", tmp_path / "new" / "all"),
        *("--cutout", tmp_path / "cut.png", "--overlay", tmp_path / "overlay.png"),
    )

    ran = run("segment", coffee, *CUP, *outputs, *FAST)

    assert (ran.code, ran.err) == (0, "")
    names = [f"new/all/candidate_{m}.png" for m in range(cup.num_masks)]
    assert written_in(tmp_path) == sorted(["cut.png", "mask.png", "overlay.png", *names])
    assert np.array_equal(pixels(tmp_path / "mask.png"), np.where(cup.mask, 255, 0))
    for index, name in enumerate(names):
        assert np.array_equal(pixels(tmp_path / name) > 0, cup.candidate(index))
    cut = pixels(tmp_path / "cut.png")
    assert np.array_equal(cut[:, :, 3], np.where(cup.mask, 255, 0))
    assert np.array_equal(cut[cup.mask][:, :3], pixels(coffee)[cup.mask])
    assert cut[~cup.mask].max() == 0
    assert pixels(tmp_path / "overlay.png").shape == (400, 600, 3)


def test_json_says_what_the_api_says(run, coffee, cup, tmp_path):
    mask = tmp_path / "mask.png"

    ran = run("segment", coffee, *CUP, "--output", mask, "--json", *FAST)
    facts = json.loads(ran.out)

    times = facts.pop("times_ms")
    rle = facts.pop("rle")
    assert facts == {
        "image": {"path": str(coffee), "width": 600, "height": 400},
        "bundle": latentcut.load().fingerprint,
        "given_box": None,
        "clicks": [
            {"x": 285.0, "y": 155.0, "positive": True},
            {"x": 130.0, "y": 250.0, "positive": False},
            {"x": 300.0, "y": 225.0, "positive": True},
        ],
        "selected": cup.selected,
        "scores": [round(float(v), 5) for v in cup.scores],
        "expected_iou": [round(float(v), 5) for v in cup.expected_iou],
        "clicks_satisfied": True,
        "area": int(cup.mask.sum()),
        "box_xywh": box_of(cup.mask),
        "files": {"mask": str(mask)},
    }
    assert np.array_equal(mask_from_coco_rle(rle), cup.mask)
    assert sorted(times) == ["clicks", "encode", "load", "read"]
    assert len(times["clicks"]) == 3


def box_of(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]


def test_text_names_the_mask_the_candidate_and_the_files(run, coffee, cup, tmp_path):
    mask = tmp_path / "mask.png"

    ran = run("segment", coffee, *CUP, "--output", mask, *FAST)
    lines = ran.out.splitlines()

    assert lines[0] == f"picture     {coffee}, 600 x 400 px"
    x, y, width, height = box_of(cup.mask)
    assert lines[1] == (
        f"mask        {cup.mask.sum():,} px ({100 * cup.mask.mean():.1f} %), "
        f"box x {x}, y {y}, {width} x {height} px"
    )
    assert lines[2] == (
        f"selected    candidate {cup.selected} of 0 to 5: score {cup.scores[cup.selected]:.2f}, "
        f"expected IoU {cup.expected_iou[cup.selected]:.2f}; every click is obeyed"
    )
    assert lines[4] == f"written     {mask}"


def test_a_click_that_contradicts_another_is_told(run, coffee):
    ran = run("segment", coffee, "--positive", "9,9", "--negative", "9,9", "--json", *FAST)

    assert json.loads(ran.out)["clicks_satisfied"] is False


def test_a_previous_mask_is_where_clicks_start_from(run, predictor, coffee, cup, tmp_path):
    mask = tmp_path / "mask.png"
    run("segment", coffee, *CUP, "--output", mask, *FAST)
    expected = predictor.open(coffee, previous_mask=cup.mask).click(400, 330, positive=False)

    with_click = ("--previous-mask", mask, "--negative", "400,330")
    ran = run("segment", coffee, *with_click, "--output", tmp_path / "next.png", *FAST)

    assert ran.code == 0
    assert np.array_equal(pixels(tmp_path / "next.png") > 0, expected.mask)


def test_a_previous_mask_of_zeros_and_ones_is_read_as_meant(run, predictor, coffee, cup, tmp_path):
    mask = tmp_path / "ones.png"
    Image.fromarray(cup.mask.astype(np.uint8)).save(mask)
    expected = predictor.predict(predictor.encode(coffee), (), cup.mask)

    ran = run("segment", coffee, "--previous-mask", mask, "--json", *FAST)

    assert np.array_equal(mask_from_coco_rle(json.loads(ran.out)["rle"]), expected.mask)


def test_a_box_is_answered_and_then_corrected_by_the_clicks(run, predictor, coffee):
    session = predictor.open(coffee)
    session.box(150, 60, 420, 330)
    expected = session.click(130, 250, positive=False)

    clicked = ("--negative", "130,250", "--box", "150,60,420,330")
    facts = json.loads(run("segment", coffee, *clicked, "--json", *FAST).out)

    assert facts["given_box"] == [150.0, 60.0, 420.0, 330.0]
    assert facts["selected"] == expected.selected
    assert np.array_equal(mask_from_coco_rle(facts["rle"]), expected.mask)
    assert sorted(facts["times_ms"]) == ["box", "clicks", "encode", "load", "read"]


def test_a_box_alone_is_enough(run, predictor, coffee, tmp_path):
    expected = predictor.open(coffee).box(150, 60, 420, 330)

    box = ("--box", "150,60,420,330")
    ran = run("segment", coffee, *box, "--output", tmp_path / "mask.png", *FAST)

    assert ran.code == 0
    assert np.array_equal(pixels(tmp_path / "mask.png") > 0, expected.mask)
    assert re.fullmatch(
        r"times       model \d+ ms, picture \d+ ms, box \d+ ms, clicks none ms",
        ran.out.splitlines()[3],
    )


# --- what is refused, and that nothing is written then ---------------------------------------


@pytest.mark.parametrize("text", ["12;30", "12", "1,2,3", "a,b", ""])
def test_a_click_that_is_spelled_wrongly_is_a_usage_error(run, coffee, tmp_path, text):
    ran = run("segment", coffee, "--positive", text, "--output", tmp_path / "m.png")

    assert ran.code == 2
    assert ran.usage_error == (
        f"Invalid value for --positive: {text!r} is no position; write X,Y in pixels, for example "
        "--positive 320,200"
    )
    assert written_in(tmp_path) == []


def test_a_click_outside_the_picture_is_refused(run, coffee, tmp_path):
    clicks = ("--positive", "285,155", "--negative", "600,30")

    ran = run("segment", coffee, *clicks, "--output", tmp_path / "m.png", *FAST)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: click (x=600, y=30) is outside the image, which is 600 px wide and 400 px high: "
        "x must be 0 to 599 and y 0 to 399\n"
    )
    assert written_in(tmp_path) == []


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "1,2,3,x", ""])
def test_a_box_that_is_spelled_wrongly_is_a_usage_error(run, coffee, text):
    ran = run("segment", coffee, "--box", text, "--json")

    assert ran.code == 2
    assert ran.usage_error == (
        f"Invalid value for --box: {text!r} is no box; write X0,Y0,X1,Y1 in pixels, the left, top, "
        "right and bottom edge, for example --box 200,80,420,360"
    )


def test_a_box_beside_the_picture_is_refused(run, coffee, tmp_path):
    ran = run("segment", coffee, "--box", "600,10,700,90", "--output", tmp_path / "m.png", *FAST)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: box (x0=600, y0=10, x1=700, y1=90) holds nothing of the image, which is 600 px "
        "wide and 400 px high: x0 must be less than x1 and y0 less than y1, and some of "
        "x 0 to 599 and y 0 to 399 must lie between them\n"
    )
    assert written_in(tmp_path) == []


def test_a_box_together_with_a_mask_to_start_from_is_a_usage_error(run, coffee, tmp_path):
    ran = run("segment", coffee, "--box", "1,2,3,4", "--previous-mask", tmp_path / "m.png")

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --previous-mask: a box is answered anew, without a mask to start from; "
        "leave out one of the two"
    )


def test_no_click_at_all_is_refused(run, coffee, tmp_path):
    ran = run("segment", coffee, "--output", tmp_path / "m.png")

    expected = "Error: there is no click, box or previous mask: give at least one of them\n"
    assert (ran.code, ran.err) == (1, expected)


def test_no_output_at_all_is_a_usage_error(run, coffee):
    ran = run("segment", coffee, *CUP)

    assert ran.code == 2
    assert ran.usage_error == (
        "Invalid value for --output: nothing would be written; give --output mask.png, another "
        "output or --json"
    )


def test_a_wrong_path_is_refused(run, tmp_path):
    missing = tmp_path / "missing.jpg"

    ran = run("segment", missing, *CUP, "--output", tmp_path / "m.png")

    expected = f"Error: {missing} does not exist or is not an image file\n"
    assert (ran.code, ran.err) == (1, expected)


def test_a_picture_that_is_cut_off_is_refused(run, coffee, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(coffee.read_bytes()[:4000])

    ran = run("segment", broken, *CUP, "--output", tmp_path / "m.png")

    assert ran.code == 1
    assert ran.err == (
        f"Error: {broken} cannot be read as an image: its JPEG data is broken or cut off; "
        "save it again or give another file\n"
    )
    assert written_in(tmp_path) == ["broken.jpg"]


def test_content_of_another_kind_is_refused_whatever_its_name(run, tmp_path):
    page = tmp_path / "page.png"
    page.write_bytes(b"%PDF-1.7 ...")

    ran = run("segment", page, *CUP, "--output", tmp_path / "m.png")

    assert ran.code == 1
    assert ran.err.startswith(f"Error: {page} is ")
    assert ran.err.endswith(": give a PNG, JPEG, WebP, TIFF, BMP or GIF file\n")
    assert written_in(tmp_path) == ["page.png"]


def test_an_altered_bundle_is_refused(run, coffee, altered_bundle, tmp_path):
    decoder = altered_bundle / "decoder.onnx"
    found = hashlib.sha256(decoder.read_bytes()).hexdigest()
    stated = read_bundle(latentcut.core.bundle.default_bundle_path()).info.files["decoder.onnx"]

    ran = run("segment", coffee, *CUP, "--output", tmp_path / "m.png", "--bundle", altered_bundle)

    assert ran.code == 1
    assert ran.err == (
        f"Error: {decoder} has sha256 {found}, model.json says {stated.sha256}; it was altered "
        "or damaged: copy the bundle folder again, whole\n"
    )
    assert not (tmp_path / "m.png").exists()


def test_a_bundle_folder_that_is_not_there_is_refused(run, coffee, tmp_path):
    ran = run("segment", coffee, *CUP, "--json", "--bundle", tmp_path / "no")

    expected = (
        f"Error: {tmp_path / 'no'} does not exist or is not a bundle folder (with model.json)\n"
    )
    assert (ran.code, ran.err) == (1, expected)


@pytest.mark.parametrize("option", ["--output", "--cutout", "--overlay"])
def test_an_output_in_a_folder_that_does_not_exist_is_refused_before_computing(
    run, coffee, tmp_path, monkeypatch, option
):
    monkeypatch.setattr("latentcut.core.predictor.load", None)  # not called

    ran = run("segment", coffee, *CUP, option, tmp_path / "no" / "m.png")

    assert ran.code == 1
    assert ran.err == (
        f"Error: {tmp_path / 'no'} does not exist or is not a folder, so m.png cannot be "
        "written there\n"
    )


def test_outputs_that_make_no_sense_are_refused(run, coffee, tmp_path):
    folder, file, photo = tmp_path / "folder.png", tmp_path / "file", tmp_path / "photo.png"
    folder.mkdir()
    file.write_bytes(b"")
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(photo)
    before = photo.read_bytes()
    twice = tmp_path / "m.png"

    said = [
        run("segment", photo, "--positive", "1,1", *options).err
        for options in (
            ("--output", folder),
            ("--output", tmp_path / "m.jpg"),
            ("--output", photo),
            ("--output", twice, "--overlay", twice),
            ("--candidates", file),
        )
    ]

    assert said == [
        f"Error: {folder} is a folder; give the name of a file\n",
        f"Error: {tmp_path / 'm.jpg'} is no PNG name: give one that ends in .png\n",
        f"Error: {photo} is the picture itself; give another output\n",
        "Error: two outputs have the same name; give each its own\n",
        f"Error: {file} is a file; give the name of a folder\n",
    ]
    assert photo.read_bytes() == before


def test_a_folder_that_is_not_writable_is_told_before_computing(run, coffee, tmp_path, monkeypatch):
    monkeypatch.setattr("latentcut.cli.options.os.access", lambda path, mode: mode != os.W_OK)
    monkeypatch.setattr("latentcut.core.predictor.load", None)  # not called

    ran = run("segment", coffee, *CUP, "--output", tmp_path / "m.png")

    assert (ran.code, ran.err) == (1, f"Error: {tmp_path}: Permission denied\n")


def test_a_full_disk_is_one_line(run, coffee, tmp_path, monkeypatch):
    def full(path, data):
        temporary = path.parent / ".latentcut-0123.tmp"
        raise OSError(errno.ENOSPC, "No space left on device", str(temporary))

    monkeypatch.setattr("latentcut.core.images.write_atomically", full)

    ran = run("segment", coffee, *CUP, "--output", tmp_path / "m.png", *FAST)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"Error: {tmp_path}: No space left on device\n"


def test_an_interrupt_is_one_line_and_exit_code_130(run, coffee, tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "click", interrupt)

    ran = run("segment", coffee, *CUP, "--output", tmp_path / "m.png", *FAST)

    assert (ran.code, ran.out, ran.err) == (130, "", "Interrupted\n")
    assert written_in(tmp_path) == []
