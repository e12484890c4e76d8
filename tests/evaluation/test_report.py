"""The report: figures where they belong, nothing from outside, pictures of what was answered."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from report_things import FINGERPRINT, result_of, row, run_of, section_of, tables_of

from latentcut.core.clicks import Click
from latentcut.datasets.dataset import open_dataset
from latentcut.errors import DatasetBroken, FileMissing, MissingExtra
from latentcut.evaluation.bundle_segmenter import BundleSegmenter
from latentcut.evaluation.protocol import RITM, STANDARD, evaluate_sample
from latentcut.evaluation.report import pictures as report_pictures
from latentcut.evaluation.report.drawing import Box, outline_path, shown_part
from latentcut.evaluation.report.pictures import case_pictures, choose_cases
from latentcut.evaluation.report.report import make_report, report_html, write_report

pytest.importorskip("matplotlib", reason="reports need the extra evaluation")

GOOD = [row("a", [0.80, 0.86, 0.92]), row("b", [0.90, 0.94, 0.96])]
POOR = [row("a", [0.20, 0.40, 0.60]), row("b", [0.30, 0.50, 0.86])]
PROTOCOL = replace(STANDARD, max_clicks=3)


def two_predictors():
    runs = [run_of(GOOD, predictor="ours"), run_of(POOR, predictor="other")]
    return result_of(runs, protocol=PROTOCOL)


@pytest.fixture
def boxes(make_dataset):
    """Three pictures of 16 x 12 px with one bright box each, 4, 5 and 6 px wide."""
    images, masks = {}, {}
    for name, width in {"a": 4, "b": 5, "c": 6}.items():
        labels = np.zeros((12, 16), dtype=np.uint8)
        labels[3:8, 2 : 2 + width] = 1
        images[f"{name}.png"] = np.dstack([labels * 200] * 3)
        masks[f"{name}.png"] = labels
    return open_dataset(make_dataset(images, masks, name="boxes"))


@pytest.fixture
def evaluated(boxes, converging):
    """A result over the boxes and the segmenter that it is of: exact from the second click on."""
    segmenter = BundleSegmenter(converging(solved_after=2), "ours")
    rows = [evaluate_sample(segmenter, boxes.sample(ref), PROTOCOL) for ref in boxes.objects()]
    return result_of([run_of(rows, dataset="boxes")], protocol=PROTOCOL), segmenter


def test_the_headline_has_a_line_for_each_predictor_with_intervals_and_the_best_marked():
    headline, *_ = tables_of(section_of(report_html(two_predictors()), "results"))

    assert headline[1:] == [
        ["predictor", "85 %", "90 %", "90 %", "1", "3", "first mask", "next click"],
        ["things, 2 objects"],
        # clicks to 85 %: (2 + 1) / 2, to 90 %: (3 + 1) / 2; nobody fails
        ["ours", "*1.50 [1.00, 2.00]", "*2.00 [1.00, 3.00]", "*0", "*0.850", "*0.940", "120", "20"],
        # (3 + 3) / 2 both times; both fail at 90 %
        ["other", "3.00 [3.00, 3.00]", "3.00 [3.00, 3.00]", "2", "0.250", "0.730", "120", "20"],
    ]


def test_equal_figures_are_not_marked_as_best():
    runs = [run_of(GOOD, predictor="ours"), run_of(GOOD, predictor="again")]

    html = report_html(result_of(runs, protocol=PROTOCOL))

    cells = [cell for table in tables_of(html) for line in table for cell in line]
    assert [cell for cell in cells if cell.startswith("*")] == []


def test_differences_of_pairs_are_marked_where_their_interval_does_not_hold_zero():
    _, differences = tables_of(section_of(report_html(two_predictors()), "results"))

    assert differences[2:] == [
        ["things, user centre"],
        # 85 %: 3 - 2 and 3 - 1; 90 %: 3 - 3 and 3 - 1; IoU -0.6 and -0.6, -0.32 and -0.1
        [
            "other − ours",
            "*+1.50 [+1.00, +2.00]",
            "+1.00 [+0.00, +2.00]",
            "*−0.600 [−0.600, −0.600]",
            "*−0.210 [−0.320, −0.100]",
        ],
    ]


def test_figures_that_a_run_has_not_are_dashes_and_columns_that_none_has_are_left_out():
    with_more = [
        row("a", [0.8, 0.9, 0.9], oracle=[0.9] * 3, diversity=[0.5] * 3, expected=[0.8] * 3)
    ]
    runs = [run_of(with_more, predictor="ours"), run_of(POOR[:1], predictor="other")]

    tables = tables_of(section_of(report_html(result_of(runs, protocol=PROTOCOL)), "details"))

    candidates = next(table for table in tables if "calibration error" in table[1])
    assert candidates[1][1:] == ["1", "3", "1", "3", "calibration error", "broken clicks"]
    assert candidates[4] == ["other", "–", "–", "–", "–", "–", "0"]


def test_thresholds_beyond_the_end_of_clicking_have_no_column():
    run = run_of(GOOD, protocol=replace(RITM, max_clicks=3))

    html = report_html(result_of([run], protocol=replace(RITM, max_clicks=3)))

    clicks, *_ = tables_of(section_of(html, "details"))
    assert clicks[1] == ["predictor", "80 %", "85 %", "90 %", "80 %", "85 %", "90 %"]


def test_the_same_result_gives_the_same_text():
    assert report_html(two_predictors()) == report_html(two_predictors())


def test_names_from_outside_are_text():
    name = "<script>alert('1')</script>&"
    run = run_of(GOOD, dataset=name, predictor=name, user=name)
    remark = "<b>remark</b>"

    html = report_html(result_of([run], protocol=PROTOCOL), remarks=[remark])

    assert "<script" not in html
    assert "<b>remark" not in html


def test_a_report_asks_for_nothing_and_has_no_script():
    html = report_html(two_predictors())

    assert "<script" not in html
    assert re.findall(r"(?:src|href)=\"(?!#|data:image/jpeg)[^\"]*", html) == []
    assert re.findall(r"url\((?!#)", html) == []
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in html


def test_every_id_is_there_once_and_every_link_has_its_target(evaluated, boxes, tmp_path):
    result, segmenter = evaluated
    make_report(result, {"boxes": boxes}, {"ours": segmenter}, tmp_path / "out.html")
    html = (tmp_path / "out.html").read_text(encoding="utf-8")

    ids = re.findall(r'\sid="([^"]+)"', html)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_other_users_have_a_section_only_where_there_are_some():
    one = report_html(result_of([run_of(GOOD)], protocol=PROTOCOL))
    runs = [run_of(POOR, user="noisy"), run_of(GOOD, user="centre")]
    two = report_html(result_of(runs, protocol=PROTOCOL))

    assert 'id="users"' not in one
    (table,) = tables_of(section_of(two, "users"))
    assert [line[0] for line in table[2:]] == [
        "user centre, 2 objects",
        "ours",
        "user noisy, 2 objects",
        "ours",
    ]
    headline, *_ = tables_of(section_of(two, "results"))  # of the protocol's own user
    assert headline[3][1] == "1.50 [1.00, 2.00]"


def test_what_could_not_be_measured_is_said():
    skipped = [{"dataset": "things", "user": "parts", "reason": "no maps nest"}]

    html = report_html(result_of([run_of(GOOD)], protocol=PROTOCOL, skipped=skipped))

    assert "Not measured: no maps nest." in section_of(html, "results")


def test_a_report_says_where_its_figures_come_from():
    said = re.sub(r"<[^>]+>", " ", section_of(report_html(two_predictors()), "provenance"))
    said = " ".join(said.split())

    for fact in (
        "latentcut evaluate --data things --json out.json",
        "name standard max clicks 3",
        f"fingerprint {FINGERPRINT} kind test",
        "format folder images 2",
        "cpu a processor cores 2 os Linux python 3.11.7 numpy 2.4.6",
    ):
        assert fact in said


def test_without_data_sets_there_are_no_cases(evaluated, tmp_path):
    result, segmenter = evaluated

    make_report(result, {}, {"ours": segmenter}, tmp_path / "out.html")

    assert 'id="cases"' not in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_rows_of_the_first_format_which_have_no_clicks_make_a_report_without_cases(boxes):
    run = run_of(GOOD, dataset="boxes")
    old = ("clicks", "image", "size_hw", "area_share", "selected", "diversity", "boundary_f")
    for one in run["rows"]:
        for key in old:
            del one[key]
    for key in ("times", "boundary_f", "oracle_gain", "diversity", "calibration", "peak_mb"):
        del run["table"][key]
    for kind in ("selected", "oracle", "first"):
        del run["table"][kind]["mean_iou_interval"], run["table"][kind]["area_under_curve"]

    html = report_html(result_of([run_of(GOOD)], protocol=PROTOCOL) | {"runs": [run]})

    assert 'id="cases"' not in html
    assert tables_of(html)[0][3][1] == "1.50 [1.00, 2.00]"


def test_worst_median_and_best_are_by_mean_iou_over_all_clicks():
    rows = [
        {"name": name, "selected_ious": [first, last], "clicks": [[0, 0, True]]}
        for name, first, last in [("a", 0.5, 0.7), ("b", 0.9, 0.9), ("c", 0.1, 0.3)]
    ]

    chosen = choose_cases(rows)

    assert {kind: case["name"] for kind, case in chosen.items()} == {
        "worst": "c",
        "median": "a",
        "best": "b",
    }


def test_of_two_rows_there_is_a_worst_and_a_best_one_and_of_none_nothing():
    rows = [
        {"name": name, "selected_ious": [iou], "clicks": [[0, 0, True]]}
        for name, iou in [("a", 0.5), ("b", 0.4)]
    ]

    assert {kind: case["name"] for kind, case in choose_cases(rows).items()} == {
        "worst": "b",
        "best": "a",
    }
    assert choose_cases([]) == {}


def test_a_case_shows_the_same_masks_as_were_evaluated(evaluated, boxes):
    result, segmenter = evaluated

    pictures, remarks = case_pictures(result, {"boxes": boxes}, {"ours": segmenter})

    assert remarks == []
    assert [(p.kind, p.name) for p in pictures] == [
        ("worst", "a:1"),
        ("median", "b:1"),
        ("best", "c:1"),
    ]
    worst = pictures[0]
    # the first answer is one pixel too large all around, 7 x 6 px: IoU 20 / 42; then exact
    assert [(tile.caption, tile.aside) for tile in worst.steps] == [
        ("ground truth", "2 clicks"),
        ("1 click", "IoU 0.476"),
        ("2 clicks", "IoU 1.000"),
    ]
    assert worst.steps[2].mask == worst.gt_outline != worst.steps[1].mask
    assert [(t.caption, t.aside, t.selected) for t in worst.candidates] == [
        ("candidate 0", "IoU 0.48, expected 0.75", True),
        ("candidate 1", "IoU 1.00, expected 0.25", False),
    ]


def test_a_picture_is_a_jpeg_of_the_shown_part(evaluated, boxes):
    result, segmenter = evaluated

    (first, *_), _ = case_pictures(result, {"boxes": boxes}, {"ours": segmenter})

    with Image.open(io.BytesIO(first.jpeg)) as jpeg:
        # the first answer is 6 x 7 px; with a quarter of that on every side 9 x 10 (10.5)
        assert (jpeg.format, jpeg.size) == ("JPEG", (9, 10))
    assert first.size_wh == (720, 800)


def test_pictures_become_smaller_until_all_keep_to_the_limit(make_dataset, converging, monkeypatch):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (600, 800, 3), dtype=np.uint8)
    labels = np.zeros((600, 800), dtype=np.uint8)
    labels[:, 100:700] = 1
    image[:, :, 0] = labels * 200  # what this predictor goes by
    folder = make_dataset({"a.png": image}, {"a.png": labels}, name="boxes")
    ours = BundleSegmenter(converging(solved_after=1), "ours")
    ious = [0.9, 0.9, 0.9]
    run = run_of([row("a:1", ious, clicks=[(400, 300, True)])], dataset="boxes")
    given = result_of([run], protocol=PROTOCOL), {"boxes": open_dataset(folder)}, {"ours": ours}

    (large,), _ = case_pictures(*given)
    monkeypatch.setattr(report_pictures, "MAX_PICTURE_BYTES", len(large.jpeg))
    (small,), _ = case_pictures(*given)

    assert len(large.jpeg) * 4 / 3 < 1_500_000
    with Image.open(io.BytesIO(large.jpeg)) as one, Image.open(io.BytesIO(small.jpeg)) as other:
        assert (one.width, other.width) == (512, 448)


def test_another_predictor_of_the_same_name_gives_no_pictures_but_a_remark(boxes, converging):
    ours = BundleSegmenter(converging(fingerprint="0" * 64), "ours")
    result = result_of(
        [run_of([row("a:1", [0.9] * 3, clicks=[(4, 5, True)])], dataset="boxes")], protocol=PROTOCOL
    )

    pictures, remarks = case_pictures(result, {"boxes": boxes}, {"ours": ours})

    assert pictures == []
    assert remarks == [
        "No pictures of ours: what has this name now is not what was evaluated (fingerprints "
        "000000000000 and ffffffffffff)."
    ]


def test_a_picture_whose_iou_is_not_the_stored_one_is_remarked_on(boxes, converging):
    ours = BundleSegmenter(converging(solved_after=1), "ours")
    result = result_of(
        [run_of([row("a:1", [0.5] * 3, clicks=[(4, 5, True)])], dataset="boxes")], protocol=PROTOCOL
    )

    pictures, remarks = case_pictures(result, {"boxes": boxes}, {"ours": ours})

    assert len(pictures) == 1
    assert remarks == [
        "ours on a:1 of boxes: asked again for this report, it reached IoU 1.000; the tables "
        "hold 0.500."
    ]


def test_a_data_set_without_the_object_is_refused(boxes, converging, tmp_path):
    ours = BundleSegmenter(converging(), "ours")
    result = result_of(
        [run_of([row("x:7", [0.5] * 3, clicks=[(4, 5, True)])], dataset="boxes")], protocol=PROTOCOL
    )

    with pytest.raises(DatasetBroken) as caught:
        make_report(result, {"boxes": boxes}, {"ours": ours}, tmp_path / "out.html")

    assert str(caught.value) == (
        f"{boxes.path} has no object x:7: it is not the data set of this result"
    )
    assert not (tmp_path / "out.html").exists()


def test_a_small_object_is_shown_with_some_room_around_it():
    mask = np.zeros((100, 200), dtype=bool)
    mask[40:60, 100:120] = True

    # 0.3 of the longer side: 60 px around the middle (110, 50)
    assert shown_part([mask], []) == Box(80, 20, 140, 80)


def test_what_is_shown_holds_every_click_and_stays_inside_the_picture():
    mask = np.zeros((100, 200), dtype=bool)
    mask[0:20, 0:20] = True

    box = shown_part([mask], [Click(89, 4, positive=False)])

    # 90 px and a quarter on either side: 135, from the left border on; downwards 60
    assert box == Box(0, 0, 135, 60)


def test_a_large_object_is_shown_in_the_whole_picture():
    mask = np.ones((100, 200), dtype=bool)

    assert shown_part([mask], []) == Box(0, 0, 200, 100)


def corners_of(path):
    """Corners of a path of one loop, (N, 2), in units."""
    start, moves = re.fullmatch(r"M([\d ]+)l([-\d ]+)z", path).groups()
    steps = np.array([start.split(), *np.array(moves.split()).reshape(-1, 2)], dtype=int)
    return steps.cumsum(axis=0)


def test_an_outline_is_a_closed_path_around_the_mask():
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:15, 5:10] = True

    corners = corners_of(outline_path(mask, (200, 200)))

    # ten times as large: columns 50 to 99, rows 50 to 149
    assert (corners.min(0).tolist(), corners.max(0).tolist()) == ([50, 50], [99, 149])


def test_an_empty_mask_has_no_outline():
    assert outline_path(np.zeros((4, 4), dtype=bool), (16, 16)) == ""


def test_a_ragged_outline_is_drawn_less_finely():
    mask = np.random.default_rng(0).random((400, 400)) > 0.5

    assert len(outline_path(mask, (800, 800))) <= 12_000


def test_a_hole_is_a_second_loop():
    mask = np.ones((9, 9), dtype=bool)
    mask[3:6, 3:6] = False

    assert outline_path(mask, (90, 90)).count("M") == 2


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileMissing) as caught:
        write_report(two_predictors(), tmp_path / "none" / "out.html")

    assert str(caught.value) == f"{tmp_path / 'none'} does not exist or is not a folder"


def test_without_matplotlib_the_extra_is_named_and_nothing_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(MissingExtra) as caught:
        write_report(two_predictors(), tmp_path / "out.html")

    assert caught.value.extra == "evaluation"
    assert not (tmp_path / "out.html").exists()
