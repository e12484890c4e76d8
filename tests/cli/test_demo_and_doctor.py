"""``latentcut demo`` and ``latentcut doctor``: real runs with the bundle inside the package."""

from __future__ import annotations

import json
import os

import numpy as np

import latentcut
from latentcut.cli.samples import read_entries
from latentcut.core.images import read_image

FAST = ("--threads", 1)


def test_demo_writes_every_picture_of_every_entry(run, predictor, tmp_path):
    folder = tmp_path / "new" / "pictures"
    entries = read_entries()
    kinds = ["mask", "overlay", "sheet", *(f"candidate_{m}" for m in range(predictor.num_masks))]

    ran = run("demo", "--output", folder, *FAST)

    assert (ran.code, ran.err) == (0, "")
    expected = sorted(f"{entry.name}_{kind}.png" for entry in entries for kind in kinds)
    assert sorted(p.name for p in folder.iterdir()) == expected
    shown = ran.out.split()
    assert all(f"{entry.name}_sheet.png" in shown for entry in entries)
    assert ran.out.endswith(f"The pictures are in {folder}; look at the sheets first.\n")
    entry = entries[0]
    session = predictor.open(entry.photo)
    for click in entry.clicks:
        answer = session.click(click.x, click.y, click.positive)
    mask = read_image(folder / f"{entry.name}_mask.png")
    assert np.array_equal(mask[:, :, 0] > 0, answer.mask)


def test_demo_replaces_its_own_pictures_and_nothing_else(run, tmp_path):
    (tmp_path / "cat_mask.png").write_bytes(b"old")
    (tmp_path / "mine.txt").write_text("kept")

    run("demo", "--output", tmp_path, *FAST)

    assert (tmp_path / "cat_mask.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_demo_into_a_file_is_refused(run, tmp_path):
    file = tmp_path / "file"
    file.write_text("")

    ran = run("demo", "--output", file)

    expected = f"Error: {file} is a file; give the name of a folder\n"
    assert (ran.code, ran.err) == (1, expected)


def test_names_of_entries_are_different_and_their_clicks_lie_in_their_photos():
    entries = read_entries()

    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        height, width = read_image(entry.photo).shape[:2]
        assert all(0 <= c.x < width and 0 <= c.y < height for c in entry.clicks)
        assert entry.clicks[0].positive


def test_doctor_ends_with_ok(run):
    ran = run("doctor", *FAST)

    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[-1] == "ok"
    assert lines[0].startswith(f"versions  latentcut {latentcut.__version__}, python 3.")
    assert lines[2].startswith("bundle    default: 6 masks, ")
    assert lines[-2].startswith("times     model ")


def test_doctor_says_everything_as_json(run):
    facts = json.loads(run("doctor", "--json", *FAST).out)

    assert sorted(facts) == ["bundle", "machine", "ok", "times_ms", "versions"]
    assert facts["ok"] is True
    assert facts["bundle"]["fingerprint"] == latentcut.load().fingerprint
    assert sorted(facts["times_ms"]) == ["first_mask", "later_click", "load"]
    assert 1 <= facts["machine"]["cores"] <= (os.cpu_count() or 1)


def test_doctor_finds_an_altered_bundle(run, altered_bundle):
    text = run("doctor", "--bundle", altered_bundle)
    as_json = run("doctor", "--bundle", altered_bundle, "--json")

    assert (text.code, as_json.code) == (1, 1)
    assert text.err.count("\n") == 1
    assert text.err.startswith(f"Error: {altered_bundle / 'decoder.onnx'} has sha256 ")
    assert "ok" not in text.out.splitlines()
    facts = json.loads(as_json.out)
    assert (facts["ok"], f"Error: {facts['problem']}\n") == (False, as_json.err)


def test_doctor_says_what_to_do_about_a_package_that_cannot_be_imported(run, monkeypatch):
    monkeypatch.setitem(latentcut.cli.doctor.MODULES, "no_such_module", "no-such-package")

    ran = run("doctor")

    assert ran.code == 1
    assert ran.err == (
        "Error: no_such_module cannot be imported (No module named 'no_such_module'); "
        "run pip install --force-reinstall no-such-package\n"
    )
