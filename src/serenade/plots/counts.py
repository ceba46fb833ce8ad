"""Pictures of what a corpus holds: emotions, who speaks them, and how measures are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.emotions import in_order
from serenade.errors import UsageError
from serenade.plots.style import (
    ACCENT,
    INK,
    LINE,
    emotion_colours,
    name_columns,
    new_figure,
    short,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

_COLUMN_INCHES = 0.9


def plot_emotions(counts: Mapping[str, int], *, title: str = "Clips by emotion") -> Figure:
    """Draw how many clips there are of each emotion.

    Parameters
    ----------
    counts : mapping of str to int
        Clips by emotion, at least one entry.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One bar per emotion, with its number.

    Raises
    ------
    UsageError
        If there is nothing to draw.
    """
    _check_not_empty(counts)
    emotions = in_order(counts)
    colours = emotion_colours(emotions)
    figure = new_figure(width_inches=_width(len(emotions)), height_inches=3.2)
    axes = figure.add_subplot()
    heights = [counts[emotion] for emotion in emotions]
    bars = axes.bar(range(len(emotions)), heights, color=[colours[e] for e in emotions], width=0.7)
    axes.bar_label(bars, fmt="{:,.0f}", fontsize=8, color=INK, padding=2)
    axes.margins(y=0.12)
    tidy(axes, title=title, y_label="clips")
    name_columns(axes, emotions, inches_each=_COLUMN_INCHES)
    axes.tick_params(axis="x", length=0)
    return figure


def plot_emotions_by_group(
    counts: Mapping[str, Mapping[str, int]], *, title: str = "Clips by speaker"
) -> Figure:
    """Draw how many clips of each emotion every group has, such as a speaker or a corpus.

    Parameters
    ----------
    counts : mapping of str to mapping of str to int
        Clips by group and emotion, at least one group.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One bar per group, from top to bottom in the given order, divided by emotion.

    Raises
    ------
    UsageError
        If there is nothing to draw.
    """
    _check_not_empty(counts)
    groups = list(counts)
    emotions = in_order({emotion for group in counts.values() for emotion in group})
    colours = emotion_colours(emotions)
    figure = new_figure(width_inches=8.0, height_inches=1.2 + 0.24 * max(len(groups), 4))
    axes = figure.add_subplot()
    done = [0] * len(groups)
    for emotion in emotions:
        widths = [counts[group].get(emotion, 0) for group in groups]
        axes.barh(
            range(len(groups)),
            widths,
            left=done,
            color=colours[emotion],
            label=short(emotion),
            edgecolor="white",
            linewidth=0.6,
            height=0.8,
        )
        done = [before + width for before, width in zip(done, widths, strict=True)]
    axes.set_yticks(range(len(groups)), [short(group) for group in groups])
    axes.invert_yaxis()
    axes.margins(x=0.02, y=0.01)
    tidy(axes, title=title, x_label="clips")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure


def plot_spread(
    values: Mapping[str, Sequence[float]], *, label: str, title: str = "", by_emotion: bool = True
) -> Figure:
    """Draw how a measure of clips is spread in each group.

    Parameters
    ----------
    values : mapping of str to sequence of float
        One finite value per clip, by group; at least one group, and none of them empty.
    label : str
        What is measured, with its unit.
    title : str
        Above the picture.
    by_emotion : bool
        Whether the groups are emotions, which are put in their usual order and colours.

    Returns
    -------
    Figure
        One box per group: median, quartiles, and whiskers to the 5th and 95th percentile.

    Raises
    ------
    UsageError
        If there is nothing to draw.
    """
    _check_not_empty(values)
    groups = in_order(values) if by_emotion else list(values)
    colours = emotion_colours(groups) if by_emotion else dict.fromkeys(groups, ACCENT)
    figure = new_figure(width_inches=_width(len(groups)), height_inches=3.2)
    axes = figure.add_subplot()
    boxes = axes.boxplot(
        [list(values[group]) for group in groups],
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        widths=0.6,
        medianprops={"color": INK},
        whiskerprops={"color": INK, "linewidth": 0.8},
        capprops={"color": INK, "linewidth": 0.8},
        boxprops={"edgecolor": INK, "linewidth": 0.8},
    )
    for box, group in zip(boxes["boxes"], groups, strict=True):
        box.set_facecolor(colours[group])
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    tidy(axes, title=title, y_label=label)
    name_columns(axes, groups, first=1, inches_each=_COLUMN_INCHES)
    axes.tick_params(axis="x", length=0)
    return figure


def _width(n_columns: int) -> float:
    return max(4.0, _COLUMN_INCHES * n_columns + 1.0)


def _check_not_empty(groups: Mapping[str, object]) -> None:
    if not groups:
        raise UsageError("there is nothing to draw: the mapping is empty; give one group or more")
