from __future__ import annotations

import numpy as np
import pytest

from latentcut.errors import DatasetBroken
from latentcut.evaluation.protocol import RITM, ObjectResult
from latentcut.evaluation.table import (
    bootstrap_interval,
    calibration_bins,
    calibration_error,
    compare,
    summarise,
)


def row(name, selected, oracle=None, first=None, expected=None, **facts):
    defaults = {"clicks_broken": 0, "encode_s": 0.1, "click_s": [0.02] * len(selected)}
    return ObjectResult(
        name,
        selected,
        oracle or selected,
        first or selected,
        expected or selected,
        **{**defaults, **facts},
    )


def test_a_table_is_worked_out_over_all_objects():
    rows = [
        row("a", [0.8, 0.86, 0.91, 0.95], oracle=[0.9, 0.9, 0.95, 0.95]),
        row("b", [0.2, 0.4, 0.85, 0.89], oracle=[0.4, 0.6, 0.9, 0.9]),
        row("c", [0.1, 0.2, 0.3, 0.4], oracle=[0.1, 0.2, 0.3, 0.4]),
    ]

    table = summarise(rows, max_clicks=4)

    selected, oracle = table["selected"], table["oracle"]
    assert table["objects"] == 3
    assert selected["noc_85"] == 3.0  # (2 + 3 + 4) / 3
    assert selected["failures_85"] == 1  # c
    assert selected["noc_90"] == 3.667  # (3 + 4 + 4) / 3
    assert selected["failures_90"] == 2  # b and c
    assert selected["mean_iou"] == [0.3667, 0.4867, 0.6867, 0.7467]
    assert (oracle["noc_85"], oracle["noc_90"]) == (2.667, 2.667)  # (1 + 3 + 4) / 3
    assert oracle["failures_90"] == 1


def test_an_object_solved_by_the_last_click_is_no_failure():
    table = summarise([row("a", [0.1, 0.2, 0.9])], max_clicks=3)

    assert (table["selected"]["noc_90"], table["selected"]["failures_90"]) == (3.0, 0)


def test_the_first_candidate_has_a_column_of_its_own():
    table = summarise([row("a", [0.9, 0.9], first=[0.5, 0.86])], max_clicks=2)

    assert (table["first"]["noc_85"], table["selected"]["noc_85"]) == (2.0, 1.0)


def test_times_are_medians_and_the_first_one_includes_encoding():
    rows = [
        row("a", [0.5] * 3, encode_s=0.1, click_s=[0.02, 0.03, 0.05]),
        row("b", [0.5] * 3, encode_s=0.3, click_s=[0.02, 0.04, 0.01]),
        row("c", [0.5] * 3, encode_s=0.2, click_s=[0.02]),
    ]

    table = summarise(rows, max_clicks=3)

    assert table["first_mask_ms"] == 220.0  # 120, 320, 220
    assert table["later_click_ms"] == 35.0  # 30, 50, 40, 10: between 30 and 40


def test_without_later_clicks_there_is_no_time_for_them():
    table = summarise([row("a", [1.0], click_s=[0.02])], max_clicks=1)

    assert table["later_click_ms"] is None


def test_steps_with_broken_clicks_are_added_up():
    rows = [row("a", [0.5], clicks_broken=2), row("b", [0.5], clicks_broken=3)]

    table = summarise(rows, max_clicks=1)

    assert table["steps_with_broken_clicks"] == 5


def test_the_calibration_error_is_over_all_steps_of_all_objects():
    rows = [row("a", [0.5, 0.7], expected=[0.6, 0.9]), row("b", [0.7, 0.9], expected=[0.6, 0.9])]

    table = summarise(rows, max_clicks=2)

    # bin of 0.6: reached 0.5 and 0.7, gap 0; bin of 0.9: reached 0.7 and 0.9, gap 0.1
    assert table["calibration_error"] == 0.05


def test_the_interval_of_equal_values_has_no_width():
    interval = bootstrap_interval(np.array([4, 4, 4]))

    assert interval == [4.0, 4.0]


def test_the_interval_of_two_values_is_their_whole_range():
    # the mean of two draws is 0, 10 or 20 with probability 1/4, 1/2, 1/4
    interval = bootstrap_interval(np.array([0, 20]))

    assert interval == [0.0, 20.0]


def test_the_interval_is_narrower_for_more_objects_and_holds_the_mean():
    values = np.arange(1, 21)

    few, many = bootstrap_interval(values), bootstrap_interval(np.tile(values, 25))

    assert few[0] < many[0] < 10.5 < many[1] < few[1]  # (1 + 20) / 2 = 10.5
    # 1.96 standard errors: sqrt((20^2 - 1) / 12) / sqrt(20) = 1.289
    assert few == pytest.approx([10.5 - 2.53, 10.5 + 2.53], abs=0.3)


def test_the_interval_is_the_same_each_time():
    values = np.array([1, 5, 20, 3, 7])

    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_a_perfect_guess_has_no_calibration_error():
    error = calibration_error(np.array([0.1, 0.5, 1.0]), np.array([0.1, 0.5, 1.0]))

    assert error == 0.0


def test_calibration_gaps_are_weighted_by_the_share_of_their_bin():
    expected = np.array([0.25, 0.25, 0.25, 0.85])
    reached = np.array([0.15, 0.25, 0.35, 0.45])

    error = calibration_error(expected, reached)

    # three quarters lie in a bin without a gap, one quarter in one of 0.85 - 0.45 = 0.4
    assert error == 0.1


def test_a_guess_of_one_belongs_to_the_last_bin():
    error = calibration_error(np.array([1.0, 0.92]), np.array([0.96, 0.96]))

    assert error == 0.0  # both in one bin: 0.96 on average; in bins of their own 0.04


def test_a_worse_guess_has_a_larger_calibration_error():
    reached = np.array([0.3, 0.8])

    near, far = (calibration_error(reached + gap, reached) for gap in (0.05, 0.15))

    assert (near, far) == (0.05, 0.15)


NOCS = ("noc_80", "noc_85", "noc_90", "noc_95")


def test_the_thresholds_of_papers_are_all_there():
    table = summarise([row("a", [0.7, 0.82, 0.86, 0.96])], max_clicks=4)

    nocs = {key: value for key, value in table["selected"].items() if key in NOCS}
    assert nocs == {"noc_80": 2.0, "noc_85": 3.0, "noc_90": 4.0, "noc_95": 4.0}


def test_a_protocol_that_stops_says_nothing_about_higher_thresholds():
    table = summarise([row("a", [0.7, 0.91, 0.91])], max_clicks=3, protocol=RITM)

    selected = table["selected"]
    assert (selected["noc_90"], selected["failures_90"]) == (2.0, 0)
    assert selected["noc_95"] is selected["noc_95_interval"] is selected["failures_95"] is None


def test_ritm_counts_an_object_that_is_solved_by_the_last_click_as_a_failure():
    rows = [row("a", [0.1, 0.2, 0.9]), row("b", [0.1, 0.9, 0.9]), row("c", [0.1, 0.2, 0.3])]

    table = summarise(rows, max_clicks=3, protocol=RITM)

    assert table["selected"]["failures_90"] == 2  # a and c
    assert summarise(rows, max_clicks=3)["selected"]["failures_90"] == 1  # c


def test_the_area_under_the_curve_is_the_mean_over_all_clicks():
    table = summarise([row("a", [0.2, 0.6]), row("b", [0.4, 1.0])], max_clicks=2)

    assert table["selected"]["area_under_curve"] == 0.55


def test_the_interval_of_each_mean_iou_is_that_of_its_click():
    rows = [row("a", [0.0, 0.5]), row("b", [1.0, 0.5])]

    table = summarise(rows, max_clicks=2)

    assert table["selected"]["mean_iou_interval"] == [[0.0, 1.0], [0.5, 0.5]]


def test_the_oracle_gains_what_the_selected_mask_leaves():
    rows = [row("a", [0.5, 0.8], oracle=[0.75, 0.8]), row("b", [0.5, 0.8], oracle=[0.5, 1.0])]

    table = summarise(rows, max_clicks=2)

    assert table["oracle_gain"] == [0.125, 0.1]


def test_diversity_is_a_mean_over_objects_and_goes_on_after_the_last_click():
    rows = [row("a", [0.5] * 3, diversity=[0.2]), row("b", [0.5] * 3, diversity=[0.4, 0.6, 1.0])]

    table = summarise(rows, max_clicks=3)

    assert table["diversity"] == [0.3, 0.4, 0.6]


def test_outlines_are_averaged_where_they_were_judged():
    rows = [row("a", [0.5], boundary_f={"1": 0.5}), row("b", [0.5], boundary_f={"1": 1.0})]

    table = summarise(rows, max_clicks=1)

    assert table["boundary_f"] == {"1": 0.75}


def test_rows_of_the_first_format_leave_new_figures_empty():
    table = summarise([row("a", [0.5])], max_clicks=1)

    assert table["diversity"] is table["boundary_f"] is table["peak_mb"] is None


def test_a_segmenter_without_expectations_has_no_calibration():
    without = ObjectResult("a", [0.5], [0.5], [0.5], None, 0, 0.1, [0.1])

    table = summarise([without], max_clicks=1)

    assert table["calibration_error"] is table["calibration"] is None


def test_times_have_a_slow_end_and_memory_is_the_largest():
    rows = [row("a", [0.5], click_s=[0.001 * k for k in range(1, 51)], peak_mb=100.5)]
    rows.append(row("b", [0.5], click_s=[0.001 * k for k in range(51, 102)], peak_mb=100.0))

    table = summarise(rows, max_clicks=1)

    assert table["times"]["click_ms"] == 51.0
    assert table["times"]["click_ms_p95"] == 96.0
    assert table["times"]["encode_ms"] == table["times"]["encode_ms_p95"] == 100.0
    assert table["peak_mb"] == 100.5


def test_calibration_bins_say_what_the_error_is_made_of():
    expected, reached = np.array([0.21, 0.25, 1.0]), np.array([0.1, 0.3, 0.9])

    bins = calibration_bins(expected, reached)

    assert bins == [
        {"from": 0.2, "to": 0.3, "steps": 2, "expected": 0.23, "reached": 0.2},
        {"from": 0.9, "to": 1.0, "steps": 1, "expected": 1.0, "reached": 0.9},
    ]


def test_two_segmenters_are_compared_object_by_object():
    a = [row("x", [0.5, 0.86, 0.86]), row("y", [0.5, 0.5, 0.86])]
    b = [row("y", [0.75, 0.86, 0.86]), row("x", [0.5, 0.86, 0.96])]

    found = compare(a, b)

    assert found["objects"] == 2
    assert found["noc_85"] == {
        "difference": -0.5,  # x: 2 and 2, y: 3 and 2 clicks
        "interval": [-1.0, 0.0],
        "a_fewer": 0,
        "b_fewer": 1,
    }
    assert found["iou_1"] == {"difference": 0.125, "interval": [0.0, 0.25]}


def test_a_difference_that_every_object_shows_has_an_interval_without_width():
    a = [row(name, [0.5, 0.9, 0.9]) for name in "pqr"]
    b = [row(name, [0.9, 0.9, 0.9]) for name in "pqr"]

    found = compare(a, b)

    assert (found["noc_90"]["difference"], found["noc_90"]["interval"]) == (-1.0, [-1.0, -1.0])


def test_other_objects_cannot_be_compared():
    with pytest.raises(DatasetBroken) as caught:
        compare([row("x", [0.5])], [row("y", [0.5])])

    assert str(caught.value) == "two results can only be compared over the same objects"
