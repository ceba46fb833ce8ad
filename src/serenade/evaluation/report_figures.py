"""Figures of the report as inline SVG, coloured by the page's style sheet.

Every function gives a complete ``<svg>`` element with a label for readers who cannot see it. The
same figures stand in tables beside it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from serenade.evaluation.report_parts import percent
from serenade.evaluation.report_svg import Plot, line, rect, svg, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serenade.evaluation.bootstrap import Interval
    from serenade.evaluation.breakdown import Group
    from serenade.evaluation.calibration import CalibrationBin, CoveragePoint
    from serenade.evaluation.confusion import IntArray
    from serenade.evaluation.robustness import ConditionResult

_FIFTHS = tuple(i / 5 for i in range(6))


def headline_scale(uar: Interval, *, chance: float) -> str:
    """Draw UAR with its interval on a scale from 0 to 100 %, with chance marked.

    Parameters
    ----------
    uar : Interval
        The headline.
    chance : float
        UAR of guessing, in [0, 1].

    Returns
    -------
    str
        SVG element.
    """
    plot = Plot(36, 24, 608, 26, (0.0, 1.0), (0.0, 1.0))
    middle = plot.top + plot.height / 2
    parts = [rect(plot.left, middle - 4, plot.width, 8, "track", radius=4)]
    parts += [
        text(plot.x(tick), plot.top + plot.height + 16, _whole(tick), "tick", anchor="middle")
        for tick in _FIFTHS
    ]
    parts.append(line(plot.x(chance), plot.top, plot.x(chance), plot.top + plot.height, "chance"))
    parts.append(text(plot.x(chance), plot.top - 8, "chance", "tick", anchor="middle"))
    width = max(plot.x(uar.high) - plot.x(uar.low), 2)
    parts.append(rect(plot.x(uar.low), middle - 8, width, 16, "band", radius=8))
    parts.append(f'<circle class="dot" cx="{plot.x(uar.value):.1f}" cy="{middle}" r="7"/>')
    label = (
        f"UAR {percent(uar.value)}, interval {percent(uar.low)} to {percent(uar.high)},"
        f" chance {percent(chance)}"
    )
    return svg(684, 72, parts, label)


def confusion(labels: Sequence[str], counts: IntArray) -> str:
    """Draw a confusion matrix: shade and large figure are the share of the row.

    Parameters
    ----------
    labels : sequence of str
        The k emotions.
    counts : ndarray of shape (k, k), int64
        Clips by true (row) and predicted (column) emotion.

    Returns
    -------
    str
        SVG element; right answers and errors have different colours.
    """
    cell_width, cell_height, left, top = 70, 46, 92, 44
    parts = [text(left, 14, "the model said", "tick")]
    for j, label in enumerate(labels):
        parts.append(text(left + (j + 0.5) * cell_width, 34, label, "name", anchor="middle"))
    for i, label in enumerate(labels):
        y = top + i * cell_height
        total = int(counts[i].sum())
        parts.append(text(left - 8, y + cell_height / 2 + 4, label, "name", anchor="end"))
        for j in range(len(labels)):
            share = counts[i, j] / total if total else 0.0
            x = left + j * cell_width
            css = "right" if i == j else "wrong"
            opacity = 0.06 + 0.94 * share if total else 0.0
            parts.append(
                f'<rect class="{css}" x="{x + 1}" y="{y + 1}" width="{cell_width - 2}"'
                f' height="{cell_height - 2}" rx="4" fill-opacity="{opacity:.3f}"/>'
            )
            ink = "cell strong" if share > 0.55 else "cell"
            middle = x + cell_width / 2
            parts.append(text(middle, y + 21, _whole(share) if total else "–", ink, "middle"))
            parts.append(text(middle, y + 36, str(counts[i, j]), f"{ink} small", "middle"))
    width = left + len(labels) * cell_width + 4
    height = top + len(labels) * cell_height + 4
    return svg(width, height, parts, "Confusion matrix; the same figures are in the table below")


def speaker_columns(groups: Sequence[Group], *, overall: float) -> str:
    """Draw the UAR of every speaker as a column, in rising order.

    Parameters
    ----------
    groups : sequence of Group
        One per speaker.
    overall : float
        UAR over all clips, drawn as a line.

    Returns
    -------
    str
        SVG element.
    """
    ordered = sorted(groups, key=lambda group: group.uar.value)
    several_corpora = len({group.name.partition("/")[0] for group in groups}) > 1
    step = max(min(46.0, 800 / max(len(ordered), 1)), 9.0)
    css = "tick" if step > 14 else "tick tiny"
    plot = Plot(44, 12, step * len(ordered), 180, (0, len(ordered)), (0.0, 1.0))
    parts = [plot.grid([], [(tick, _whole(tick)) for tick in _FIFTHS])]
    for place, group in enumerate(ordered):
        x, y = plot.x(place + 0.14), plot.y(group.uar.value)
        height = plot.top + plot.height - y
        parts.append(
            f'<rect class="column" x="{x:.1f}" y="{y:.1f}" width="{step * 0.72:.1f}"'
            f' height="{height:.1f}" rx="2"><title>{escape(group.name)}: {percent(group.uar.value)}'
            f" of {group.n_clips} clips</title></rect>"
        )
        name = group.name if several_corpora else _short(group.name)
        x, y = plot.x(place + 0.5) + 3, plot.top + plot.height + 8
        parts.append(
            f'<text class="{css}" text-anchor="end" x="{x:.1f}" y="{y:.1f}"'
            f' transform="rotate(-90 {x:.1f} {y:.1f})">{escape(name)}</text>'
        )
    right = plot.left + plot.width
    parts.append(line(plot.left, plot.y(overall), right, plot.y(overall), "chance"))
    parts.append(text(plot.left + 4, plot.y(overall) - 5, f"all clips {_whole(overall)}", "tick"))
    lowest, highest = ordered[0], ordered[-1]
    label = (
        f"UAR by speaker, from {_whole(lowest.uar.value)} ({lowest.name}) to"
        f" {_whole(highest.uar.value)} ({highest.name})"
    )
    below = 100 if several_corpora else 62
    return svg(right + 8, plot.top + plot.height + below, parts, label)


def calibration(curve: Sequence[CalibrationBin]) -> str:
    """Draw how often the model is right at each confidence.

    Parameters
    ----------
    curve : sequence of CalibrationBin
        The calibration curve.

    Returns
    -------
    str
        SVG element, with the share of clips in each bin at the foot.
    """
    plot = Plot(44, 30, 320, 240, (0.0, 1.0), (0.0, 1.0))
    ticks = [(tick, _whole(tick)) for tick in _FIFTHS]
    total = sum(point.count for point in curve) or 1
    parts = [plot.grid(ticks, ticks)]
    for point in curve:
        height = point.count / total * plot.height
        width = plot.x(point.high) - plot.x(point.low) - 2
        y = plot.top + plot.height - height
        parts.append(rect(plot.x(point.low) + 1, y, width, height, "share"))
    parts.append(plot.curve([(0, 0), (1, 1)], "ideal"))
    known = [
        (point.confidence, point.accuracy)
        for point in curve
        if point.confidence is not None and point.accuracy is not None
    ]
    parts.append(plot.curve(known, "line"))
    parts += [
        f'<circle class="dot" cx="{plot.x(x):.1f}" cy="{plot.y(y):.1f}" r="3.5"/>' for x, y in known
    ]
    parts.append(text(204, 310, "confidence", "tick", anchor="middle"))
    parts.append(text(8, 14, "share that is right", "tick"))
    return svg(392, 316, parts, "Calibration curve: share that is right against confidence")


def coverage(curve: Sequence[CoveragePoint]) -> str:
    """Draw the accuracy of the most confident clips against their share.

    Parameters
    ----------
    curve : sequence of CoveragePoint
        The coverage curve.

    Returns
    -------
    str
        SVG element.
    """
    plot = Plot(44, 30, 320, 240, (0.0, 1.0), (0.0, 1.0))
    ticks = [(tick, _whole(tick)) for tick in _FIFTHS]
    points = [(point.coverage, point.accuracy) for point in curve]
    parts = [plot.grid(ticks, ticks), plot.curve(points, "line")]
    x, y = points[-1]
    parts.append(f'<circle class="dot" cx="{plot.x(x):.1f}" cy="{plot.y(y):.1f}" r="4"/>')
    parts.append(
        text(plot.x(x) - 6, plot.y(y) + 18, f"all clips: {_whole(y)}", "tick", anchor="end")
    )
    parts.append(text(204, 310, "share of the clips that get an answer", "tick", anchor="middle"))
    parts.append(text(8, 14, "share that is right", "tick"))
    return svg(392, 316, parts, "Accuracy against the share of clips that get an answer")


def distribution(labels: Sequence[str], counts: IntArray) -> str:
    """Draw how many clips have each emotion and how many were given it.

    Parameters
    ----------
    labels : sequence of str
        The emotions.
    counts : ndarray of shape (k, k), int64
        Confusion matrix.

    Returns
    -------
    str
        SVG element.
    """
    have, given = counts.sum(axis=1), counts.sum(axis=0)
    most = int(max(have.max(), given.max(), 1))
    plot = Plot(92, 26, 560, 40.0 * len(labels), (0, most), (0, 1))
    parts = [
        rect(92, 4, 12, 12, "share"),
        text(110, 14, "clips that have the emotion", "tick"),
        rect(290, 4, 12, 12, "column"),
        text(308, 14, "clips that the model gave it", "tick"),
    ]
    for i, label in enumerate(labels):
        y = plot.top + 40 * i
        parts.append(text(plot.left - 8, y + 22, label, "name", anchor="end"))
        for offset, count, css in ((4, have[i], "share"), (19, given[i], "column")):
            width = plot.x(int(count)) - plot.left
            parts.append(rect(plot.left, y + offset, width, 13, css, radius=2))
            parts.append(text(plot.left + width + 6, y + offset + 11, str(count), "tick"))
    return svg(712, plot.top + plot.height + 6, parts, "Clips by emotion, true and predicted")


def training_curves(
    epochs: Sequence[Mapping[str, float]], *, figure: str, title: str, share: bool
) -> str:
    """Draw one figure of training and validation against the epoch.

    Parameters
    ----------
    epochs : sequence of mapping of str to float
        Lines of the run's ``metrics.jsonl``.
    figure : str
        Keys are ``train_<figure>`` and ``validation_<figure>``.
    title : str
        For people.
    share : bool
        Whether the figure is a share, to be drawn from 0 to 100 %.

    Returns
    -------
    str
        SVG element.
    """
    curves = {
        name: [(e["epoch"], e[f"{name}_{figure}"]) for e in epochs if f"{name}_{figure}" in e]
        for name in ("train", "validation")
    }
    points = [point for curve in curves.values() for point in curve]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    if share:
        y_ticks = [(tick, _whole(tick)) for tick in _FIFTHS]
    else:
        y_ticks = [(tick, f"{tick:g}") for tick in _round_ticks(max(y for _, y in points))]
    plot = Plot(44, 34, 320, 220, (first, last), (0.0, y_ticks[-1][0]))
    x_ticks = [(float(x), f"{x:.0f}") for x in np.unique(np.linspace(first, last, 5).round())]
    parts = [plot.grid(x_ticks, y_ticks)]
    for name, css in (("train", "line faint"), ("validation", "line")):
        if curves[name]:
            parts.append(plot.curve(curves[name], css))
    parts.append(line(50, 14, 70, 14, "line faint"))
    parts.append(text(76, 18, "training", "tick"))
    parts.append(line(140, 14, 160, 14, "line"))
    parts.append(text(166, 18, "validation", "tick"))
    parts.append(text(204, 294, "epoch", "tick", anchor="middle"))
    return svg(392, 300, parts, f"{title} by epoch, training and validation")


def stress_dots(results: Sequence[ConditionResult]) -> str:
    """Draw UAR with its interval under every condition.

    Parameters
    ----------
    results : sequence of ConditionResult
        The clean clips first.

    Returns
    -------
    str
        SVG element.
    """
    row = 22
    plot = Plot(170, 12, 480, row * len(results), (0.0, 1.0), (0.0, 1.0))
    bottom = plot.top + plot.height
    parts = []
    for tick in _FIFTHS:
        parts.append(line(plot.x(tick), plot.top, plot.x(tick), bottom, "grid"))
        parts.append(text(plot.x(tick), bottom + 16, _whole(tick), "tick", anchor="middle"))
    clean = plot.x(results[0].uar.value)
    parts.append(line(clean, plot.top, clean, bottom, "chance"))
    family = results[0].family
    for place, result in enumerate(results):
        y = plot.top + row * (place + 0.5)
        if result.family != family:
            family = result.family
            parts.append(line(8, y - row / 2, 650, y - row / 2, "grid"))
        parts.append(text(plot.left - 10, y + 4, result.name, "name", anchor="end"))
        parts.append(line(plot.x(result.uar.low), y, plot.x(result.uar.high), y, "whisker"))
        css = "dot hurt" if result.drop.high < 0 else "dot"
        parts.append(
            f'<circle class="{css}" cx="{plot.x(result.uar.value):.1f}" cy="{y:.1f}" r="4.5"/>'
        )
    return svg(668, bottom + 24, parts, "UAR by condition; the same figures are in the table")


def whisker(figure: Interval) -> str:
    """Draw a figure and its interval as a small line for a table.

    Parameters
    ----------
    figure : Interval
        In [0, 1].

    Returns
    -------
    str
        SVG element, hidden from screen readers as the figure stands beside it.
    """
    plot = Plot(2, 0, 116, 16, (0.0, 1.0), (0.0, 1.0))
    parts = [
        line(plot.left, 8, plot.left + plot.width, 8, "grid"),
        line(plot.x(figure.low), 8, plot.x(figure.high), 8, "whisker"),
        f'<circle class="dot" cx="{plot.x(figure.value):.1f}" cy="8" r="4"/>',
    ]
    return (
        f'<svg class="inline" width="120" height="16" viewBox="0 0 120 16" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _round_ticks(highest: float) -> list[float]:
    """Give ticks at round values from 0 to the first that is not below the highest value."""
    magnitude = 10.0 ** np.floor(np.log10(max(highest, 1e-9)))
    step = next(s for s in (0.2, 0.5, 1.0, 2.0) if highest <= 5 * s * magnitude) * magnitude
    return [float(step * i) for i in range(int(np.ceil(highest / step)) + 1)]


def _short(name: str) -> str:
    """Leave out the corpus of a speaker; the full name is in the tooltip and the table."""
    last = name.rsplit("/", 1)[-1]
    return last if len(last) <= 9 else f"{last[:8]}…"


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"
