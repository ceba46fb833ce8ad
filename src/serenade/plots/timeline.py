"""A picture of a long recording: which emotion is when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch

from serenade.errors import UsageError
from serenade.plots.style import INK, LINE, SOFT, emotion_colours, new_figure, short, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from serenade.inference.timeline import Segment, Timeline

_NO_SPEECH = "#eeecf2"
_LABEL_SHARE = 0.055
"""Segments below this share of the recording have no room for their name."""


def plot_timeline(timeline: Timeline, *, title: str = "") -> Figure:
    """Draw the segments of a recording and the probability of each emotion over time.

    Parameters
    ----------
    timeline : Timeline
        With at least one segment.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        A band of segments, hatched where the model is not sure, and stacked probabilities.

    Raises
    ------
    UsageError
        If the timeline is empty.
    """
    if not timeline.segments:
        raise UsageError("there is nothing to draw: the timeline has no segment")
    colours = emotion_colours(timeline.labels)
    figure = new_figure(width_inches=11.0, height_inches=4.0)
    band, stack = figure.subplots(2, 1, sharex=True, height_ratios=(1, 3))
    for segment in timeline.segments:
        _draw_segment(band, segment, colours, timeline.duration_seconds)
    band.set_ylim(0, 1)
    band.set_yticks(())
    tidy(band, title=title)
    band.spines["left"].set_visible(False)
    band.tick_params(labelbottom=False)
    _draw_probabilities(stack, timeline, colours)
    stack.set_xlim(0.0, timeline.duration_seconds)
    stack.xaxis.set_major_formatter(lambda seconds, _: _clock(seconds))
    tidy(stack, x_label="time (minutes:seconds)", y_label="probability (%)")
    handles = [Patch(facecolor=colours[label], label=short(label)) for label in timeline.labels]
    handles.append(Patch(facecolor="white", edgecolor=SOFT, hatch="////", label="not sure"))
    handles.append(Patch(facecolor=_NO_SPEECH, label="no speech"))
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)
    return figure


def _draw_segment(
    axes: Axes, segment: Segment, colours: dict[str, str], total_seconds: float
) -> None:
    prediction = segment.prediction
    unsure = prediction is None or prediction.abstained
    axes.broken_barh(
        [(segment.start_seconds, segment.duration_seconds)],
        (0.0, 1.0),
        facecolor=_NO_SPEECH if prediction is None else colours[prediction.emotion],
        edgecolor="white",
        linewidth=0.8,
        hatch="////" if unsure and segment.is_speech else "",
    )
    if prediction is not None and segment.duration_seconds >= _LABEL_SHARE * total_seconds:
        middle = (segment.start_seconds + segment.stop_seconds) / 2
        plate = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
        axes.text(
            middle,
            0.5,
            short(prediction.emotion),
            ha="center",
            va="center",
            fontsize=8,
            color=INK,
            bbox=plate,
        )


def _draw_probabilities(axes: Axes, timeline: Timeline, colours: dict[str, str]) -> None:
    """Stack the probabilities of each hop; hops without prediction stay empty."""
    edges = [hop.start_seconds for hop in timeline.hops]
    edges.append(timeline.duration_seconds)
    below = np.zeros(len(timeline.hops))
    for label in timeline.labels:
        heights = np.array(
            [
                0.0 if hop.prediction is None else 100 * hop.prediction.probabilities[label]
                for hop in timeline.hops
            ]
        )
        axes.stairs(below + heights, edges, baseline=below, fill=True, color=colours[label])
        below += heights
    axes.set_ylim(0, 100)
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f}:{rest:02.0f}" if rest == int(rest) else f"{minutes:.0f}:{rest:04.1f}"
