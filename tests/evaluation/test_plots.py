"""Plots: what can be read in their text, that they are themselves each time, and on any page."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree

import pytest

from latentcut.errors import MissingExtra
from latentcut.evaluation.plots import (
    SERIES_COLOURS,
    CalibrationBin,
    calibration_plot,
    interval_dots,
    iou_curves,
    noc_bars,
    scatter,
)

pytest.importorskip("matplotlib", reason="plots need the extra evaluation")

SVG = "{http://www.w3.org/2000/svg}"


def curves(title="IoU against clicks", **more):
    series = {"ours": [0.5, 0.75, 0.9], "other": ([0.4, 0.5], [0.3, 0.4], [0.5, 0.6])}
    return iou_curves(series, title, **more)


def bars(title="Clicks"):
    return noc_bars([("ours", 4.5, 3.25, 6.0), ("other", 12.0, 11.0, 13.5)], title)


def points(title="Candidates"):
    return scatter([("ours", 0.5, 0.1), ("other", 0.75, 0.2)], "overlap", "gain", title)


def dots(title="Users"):
    groups = {"centre": {"ours": (4, 3, 5), "other": (8, 7, 9)}, "noisy": {"ours": (5, 4, 6)}}
    return interval_dots(groups, "clicks", title)


def calibration(title="Calibration"):
    return calibration_plot({"ours": [CalibrationBin(0.75, 0.5, 1.0)]}, title)


ALL = [curves, bars, points, dots, calibration]


def words(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("plot", ALL)
def test_a_plot_is_one_svg_element_with_its_title_for_screen_readers(plot):
    root = ElementTree.fromstring(plot("What is seen"))

    assert (root.tag, root.get("role"), root.get("aria-label")) == (
        f"{SVG}svg",
        "img",
        "What is seen",
    )


@pytest.mark.parametrize("plot", ALL)
def test_the_same_values_give_the_same_bytes(plot):
    assert plot() == plot()


@pytest.mark.parametrize("plot", ALL)
def test_a_plot_brings_no_style_sheet_script_font_or_date(plot):
    svg = plot()

    found = re.findall(r"<style|<script|<metadata|<!--|DejaVu|@font-face|\b20\d\d-\d\d-", svg)

    assert found == []
    assert set(re.findall(r"https?://[^\"]+", svg)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


@pytest.mark.parametrize("plot", ALL)
def test_axes_and_text_take_the_colour_around_them(plot):
    svg = plot()

    fills = {
        style.partition("fill: ")[2].partition(";")[0]
        for style in re.findall(r'<text style="([^"]*)"', svg)
    }

    assert fills == {"currentColor"}
    assert "#000000" not in svg


def test_plots_on_one_page_share_no_id():
    ids = [set(re.findall(r'\bid="([^"]+)"', plot())) for plot in ALL]

    assert sum(map(len, ids)) == len(set.union(*ids))


def test_every_reference_inside_a_plot_has_its_target():
    for plot in ALL:
        svg = plot()

        used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))

        assert used == set(re.findall(r'\bid="([^"]+)"', svg))


def test_curves_are_named_above_the_plot():
    assert [word for word in words(curves()) if word in ("ours", "other")] == ["ours", "other"]


def test_a_plot_with_one_series_has_no_legend():
    svg = iou_curves({"ours": [0.5, 0.75]}, "IoU")

    assert "ours" not in words(svg)


def test_one_of_several_known_series_is_named():
    svg = iou_curves({"ours": [0.5, 0.75]}, "IoU", order=["other", "ours"])

    assert "ours" in words(svg)


def test_a_label_has_the_colour_of_its_place_in_the_order():
    svg = iou_curves({"ours": [0.5, 0.75]}, "IoU", order=["other", "ours"])

    assert SERIES_COLOURS[1] in svg
    assert SERIES_COLOURS[0] not in svg


def test_bars_say_their_figures():
    said = words(bars())

    assert "4.50 [3.25, 6.00]" in [" ".join(word.split()) for word in said]
    assert [word for word in said if word in ("ours", "other")] == ["ours", "other"]


def test_a_picture_of_bars_grows_with_their_number():
    heights = [
        float(ElementTree.fromstring(noc_bars([("x", 1, 1, 1)] * n, "Clicks")).get("height"))
        for n in (1, 2, 3)
    ]

    assert heights[0] < heights[1] < heights[2]


def test_a_long_label_is_broken_and_leaves_room_for_bars_and_figures():
    label = "a-checkpoint-with-a-name-of-forty-letters"
    root = ElementTree.fromstring(noc_bars([(label, 20.0, 20.0, 20.0)], "Clicks"))

    texts = [text for text in root.iter(f"{SVG}text") if text.get("x")]
    placed = {"".join(text.itertext()): float(text.get("x")) for text in texts}

    # figures end where their x is; 22 letters of at most 7 units each stand left of it
    assert label not in words(ElementTree.tostring(root))
    assert placed["20.00  [20.00, 20.00]"] - 22 * 7 > placed["20"]


def test_signs_of_mathematics_and_of_markup_are_plain_text():
    said = words(noc_bars([("a$b$ <i>&", 1.0, 1.0, 1.0)], "x < y & $z$"))

    assert "a$b$ <i>&" in said
    assert "x < y & $z$" in said


def test_a_long_title_is_broken_into_lines():
    title = "clicks that each of them needs " * 3

    said = words(bars(title))

    assert "clicks that each" in "".join(said)
    assert max(map(len, said)) < 60


@pytest.mark.parametrize(
    "svg",
    [
        pytest.param(lambda: iou_curves({}, "t"), id="curves"),
        pytest.param(lambda: iou_curves({"one click": [0.5]}, "t"), id="one-click"),
        pytest.param(lambda: noc_bars([], "t"), id="bars"),
        pytest.param(lambda: noc_bars([("zero", 0.0, 0.0, 0.0)], "t"), id="zero"),
        pytest.param(lambda: scatter([], "x", "y", "t"), id="points"),
        pytest.param(lambda: interval_dots({}, "x", "t"), id="dots"),
        pytest.param(lambda: calibration_plot({}, "t"), id="calibration"),
    ],
)
def test_little_or_nothing_to_draw_is_an_empty_plot(svg):
    assert ElementTree.fromstring(svg()).tag == f"{SVG}svg"


def test_settings_of_the_user_do_not_change_a_plot():
    import matplotlib

    before = bars()

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert bars() == before


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(MissingExtra) as caught:
        bars()

    assert str(caught.value) == (
        "drawing plots needs packages that are not installed: run "
        "pip install 'latentcut[evaluation]'"
    )
