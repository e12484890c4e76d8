"""
Plots as SVG text: curves over clicks, bars and dots with intervals, points, calibration.

Each function returns one ``<svg>`` element that can stand in an HTML page or in a file of its
own. Text stays text, the ground is transparent, and axes take the colour of the text around
them (in a file of its own: a grey that can be read on white and on black). The same values give
the same bytes. Needs matplotlib, which the extra ``evaluation`` installs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

from latentcut.errors import MissingExtra
from latentcut.evaluation.svg import INK, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

Floats = Sequence[float]
Curve = Floats | tuple[Floats, Floats, Floats]
Interval = tuple[float, float, float]  # mean, low, high

# Told apart with every common kind of colour blindness, and at least 3 : 1 against white and
# against the dark page. Dashes and markers say the same once more.
SERIES_COLOURS = ("#2f7ec2", "#d4601c", "#14936b", "#a35cb8", "#97780f", "#cf4a78", "#7a7a7a")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (6, 2, 1.2, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

WIDTH_IN = 6.0  # at 72 units an inch: 432 wide, so that 11.5 units of text are 9.6 px at 360 px
TEXT_UNITS = 11.5
LEGEND_ROW_IN = 0.22
TITLE_ROW_IN = 0.24
LABEL_LETTERS = 22  # in one line of a row's label
LETTER_IN = 0.096  # the width of most letters
FIGURES_IN = 2.0  # the room right of the bars: "14.20  [13.00, 15.40]"
LINE_LETTERS = 58  # that fit above the plot
LEGEND_MARK_LETTERS = 6  # the width of a legend's line or mark, in letters
BAND_ALPHA = 0.16
SHOWN_CLICKS = (1, 5, 10, 15, 20)

STYLE: dict[str, Any] = {
    "svg.hashsalt": "latentcut",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": TEXT_UNITS,
    "figure.titlesize": TEXT_UNITS + 1.5,
    "figure.titleweight": "bold",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": TEXT_UNITS,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.parse_math": False,  # a label such as "a$b$" is a label
    "axes.unicode_minus": True,
}


class Look(NamedTuple):
    """How one series is told from the others."""

    colour: str
    dash: Any
    marker: str


class CalibrationBin(NamedTuple):
    """
    Steps whose expected IoU is alike.

    Attributes:
        expected: Mean expected IoU, in [0, 1].
        reached: Mean IoU that was reached, in [0, 1].
        share: Share of all steps that fall into this bin, in [0, 1].
    """

    expected: float
    reached: float
    share: float


def iou_curves(series: Mapping[str, Curve], title: str, order: Sequence[str] = ()) -> str:
    """
    IoU against the number of clicks.

    Args:
        series: By label: IoU after 1, 2, ... clicks, or three such lists (mean, low, high);
            low and high are drawn as a band.
        title: Stands above the plot and is its text for screen readers.
        order: Labels that decide colours and marks by their place, so that a label looks the
            same in plots that do not all show it; others follow.

    Returns:
        One ``<svg>`` element.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    with _drawing(3.2) as (figure, axes):
        lowest, longest = 1.0, 1
        for (label, curve), look in zip(series.items(), _looks(series, order), strict=True):
            mean, low, high = _with_band(curve)
            clicks = np.arange(1, len(mean) + 1)
            colour, dash, _ = look
            axes.plot(clicks, mean, color=colour, linestyle=dash, label=label)
            if low is not None and high is not None:
                axes.fill_between(clicks, low, high, color=colour, alpha=BAND_ALPHA, linewidth=0)
            lowest = min(lowest, *(low if low is not None else mean))
            longest = max(longest, len(mean))
        axes.set_xlim(0.7, max(longest + 0.3, 1.3))
        axes.set_xticks([k for k in SHOWN_CLICKS if k < longest] + [longest])
        axes.set_ylim(max(0.0, np.floor(10 * lowest - 0.2) / 10), 1.0)
        axes.set(xlabel="clicks", ylabel="mean IoU")
        _grid(axes, "y")
        return _finished(figure, axes, title, order)


def noc_bars(
    rows: Sequence[tuple[str, float, float, float]], title: str, order: Sequence[str] = ()
) -> str:
    """
    Horizontal bars with intervals, the figures written beside them.

    Args:
        rows: Label, mean, low and high end of the interval; the first one is drawn on top.
        title: As for ``iou_curves``.
        order: Likewise.

    Returns:
        One ``<svg>`` element; its height grows with the number of rows.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    labels = [textwrap.fill(row[0], LABEL_LETTERS) for row in rows]
    num_lines = max([1, *(label.count("\n") + 1 for label in labels)])
    height_in = 0.75 + (0.14 + 0.2 * num_lines) * max(1, len(rows))
    with _drawing(height_in) as (figure, axes):
        looks = _looks([row[0] for row in rows], order)
        for place, ((_, mean, low, high), (colour, _, _)) in enumerate(
            zip(rows, looks, strict=True)
        ):
            axes.barh(place, mean, height=0.58, color=colour, alpha=0.55, linewidth=0)
            axes.plot([low, high], [place, place], color=colour, linewidth=2.4)
        reach = max([1e-6, *(max(mean, high) for _, mean, _, high in rows)])
        end = _end_with_room(reach, labels)
        for place, (_, mean, low, high) in enumerate(rows):
            told = f"{mean:.2f}  [{low:.2f}, {high:.2f}]"
            axes.text(end, place, told, ha="right", va="center")
        axes.set_xlim(0, end)
        axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= reach])
        _rows_downwards(axes, labels)
        axes.set(xlabel="clicks (less is better)")
        _grid(axes, "x")
        return _finished(figure, axes, title, order)


def _end_with_room(reach: float, labels: Sequence[str]) -> float:
    """Where an axis must end so that figures fit between the longest bar and there."""
    letters = max([0, *(len(line) for label in labels for line in label.split("\n"))])
    plot_in = WIDTH_IN - 0.3 - LETTER_IN * letters
    return reach * plot_in / (plot_in - FIGURES_IN)


def scatter(
    points: Sequence[tuple[str, float, float]],
    x_label: str,
    y_label: str,
    title: str,
    order: Sequence[str] = (),
) -> str:
    """
    Points, named by a legend where there are several labels.

    Args:
        points: Label, x and y of each; a label may occur more than once and is then one colour.
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        title: As for ``iou_curves``.
        order: Likewise.

    Returns:
        One ``<svg>`` element.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    labels = list(dict.fromkeys(label for label, _, _ in points))
    with _drawing(3.2) as (figure, axes):
        for label, (colour, _, marker) in zip(labels, _looks(labels, order), strict=True):
            axes.scatter(
                [x for name, x, _ in points if name == label],
                [y for name, _, y in points if name == label],
                s=52 if len(points) <= len(labels) else 26,
                color=colour,
                marker=marker,
                alpha=0.9 if len(points) <= len(labels) else 0.75,
                linewidths=0,
                label=label,
            )
        axes.margins(0.12)
        axes.set(xlabel=x_label, ylabel=y_label)
        _grid(axes, "both")
        return _finished(figure, axes, title, order)


def interval_dots(
    groups: Mapping[str, Mapping[str, Interval]],
    x_label: str,
    title: str,
    order: Sequence[str] = (),
) -> str:
    """
    Several things measured under several conditions: a dot with its interval each.

    Args:
        groups: By condition (one block of rows each), by series: mean, low, high. A series
            that a condition lacks leaves a gap.
        x_label: What is measured, with its unit.
        title: As for ``iou_curves``.
        order: Likewise.

    Returns:
        One ``<svg>`` element; its height grows with the number of dots.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    series = list(dict.fromkeys(name for group in groups.values() for name in group))
    step = 0.62 / max(1, len(series))
    height = 0.8 + len(groups) * (0.24 + 0.17 * max(1, len(series)))
    with _drawing(height) as (figure, axes):
        for number, (name, look) in enumerate(zip(series, _looks(series, order), strict=True)):
            colour, _, marker = look
            shown = [(i, group[name]) for i, group in enumerate(groups.values()) if name in group]
            places = [i + (number - (len(series) - 1) / 2) * step for i, _ in shown]
            for place, (_, (_, low, high)) in zip(places, shown, strict=True):
                axes.plot([low, high], [place, place], color=colour, linewidth=2, alpha=0.6)
            means = [values[0] for _, values in shown]
            axes.scatter(means, places, s=38, color=colour, marker=marker, linewidths=0, label=name)
        highest = max(
            (values[2] for group in groups.values() for values in group.values()), default=1
        )
        axes.set_xlim(0, 1.05 * highest or 1)
        axes.locator_params(axis="x", steps=[1, 2, 5, 10])
        _rows_downwards(axes, [textwrap.fill(label, LABEL_LETTERS) for label in groups])
        axes.set(xlabel=x_label)
        _grid(axes, "x")
        return _finished(figure, axes, title, order)


def calibration_plot(
    series: Mapping[str, Sequence[CalibrationBin]], title: str, order: Sequence[str] = ()
) -> str:
    """
    Reached against expected IoU: on the diagonal the expectation is right.

    Args:
        series: By label, the bins that hold at least one step.
        title: As for ``iou_curves``.
        order: Likewise.

    Returns:
        One ``<svg>`` element; the area of a mark is its bin's share of all steps.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    with _drawing(4.0) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, alpha=0.45, linestyle=DASHES[1])
        for (label, bins), look in zip(series.items(), _looks(series, order), strict=True):
            colour, _, marker = look
            face: dict[str, Any] = {"color": colour, "alpha": 0.75, "linewidths": 0}
            expected, reached = [b.expected for b in bins], [b.reached for b in bins]
            axes.plot(expected, reached, color=colour, linewidth=1.2, alpha=0.6)
            sizes = [12 + 340 * b.share for b in bins]
            axes.scatter(expected, reached, s=sizes, marker=marker, **face)
            axes.plot([], [], color=colour, marker=marker, label=label)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set(xlabel="expected IoU", ylabel="reached IoU")
        _grid(axes, "both")
        return _finished(figure, axes, title, order)


@contextmanager
def _drawing(height_in: float) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure in our style; only what happens inside the block has it."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("drawing plots", "evaluation") from error
    # the defaults first: a matplotlibrc of the user must not change our figures
    settings: dict[Any, Any] = {
        key: value
        for key, value in matplotlib.rcParamsDefault.items()
        if key.split(".")[0] not in ("backend", "backend_fallback", "interactive")
    }
    with matplotlib.rc_context(settings | STYLE):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        yield figure, figure.add_subplot()


def _finished(figure: Figure, axes: Axes, title: str, order: Sequence[str]) -> str:
    """The text of a figure, after a title and, for several series, a legend were put on top."""
    handles, labels = axes.get_legend_handles_labels()
    lines = textwrap.wrap(title, LINE_LETTERS)
    title_in = TITLE_ROW_IN * len(lines) + 0.06
    legend_in = 0.0
    height_in = figure.get_figheight() + title_in
    if len(labels) > 1 or (labels and len(order) > 1):  # one of several must be named, too
        widest = max(len(label) for label in labels) + LEGEND_MARK_LETTERS
        columns = max(1, min(len(labels), LINE_LETTERS // widest))
        legend_in = LEGEND_ROW_IN * -(-len(labels) // columns)
        height_in += legend_in
        by_rows = [i for column in range(columns) for i in range(column, len(labels), columns)]
        figure.legend(
            [handles[i] for i in by_rows],
            [labels[i] for i in by_rows],
            loc="upper left",
            bbox_to_anchor=(0, 1 - title_in / height_in),
            borderaxespad=0,
            borderpad=0.2,
            labelspacing=0.35,
            ncols=columns,
        ).set_in_layout(False)
    figure.suptitle("\n".join(lines), x=0.005, y=1 - 0.03 / height_in, ha="left").set_in_layout(
        False
    )
    figure.set_figheight(height_in)
    below = 1 - (title_in + legend_in) / height_in
    cast("ConstrainedLayoutEngine", figure.get_layout_engine()).set(rect=(0, 0, 1, below))
    return svg_of(figure, title)


def _looks(labels: Iterable[str], order: Sequence[str]) -> list[Look]:
    """How each label is drawn: by its place in ``order``, or after those by its own place."""
    places = {label: place for place, label in enumerate(dict.fromkeys((*order, *labels)))}
    return [
        Look(
            SERIES_COLOURS[place % len(SERIES_COLOURS)],
            DASHES[place % len(DASHES)],
            MARKERS[place % len(MARKERS)],
        )
        for place in (places[label] for label in labels)
    ]


def _rows_downwards(axes: Axes, labels: Sequence[str]) -> None:
    """One row for each label, the first one on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.45, -0.55)


def _grid(axes: Axes, axis: Literal["x", "y", "both"]) -> None:
    axes.grid(axis=axis, color=INK, alpha=0.14, linewidth=0.8)


def _with_band(curve: Curve) -> tuple[Floats, Floats | None, Floats | None]:
    """Mean, low and high of a curve that may have been given without a band."""
    if len(curve) == 3 and not isinstance(curve[0], (int, float)):
        mean, low, high = cast(tuple[Floats, Floats, Floats], curve)
        return mean, low, high
    return cast(Floats, curve), None, None
