"""A picture of a search for the best settings: what was tried and what it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from serenade.errors import UsageError
from serenade.plots.style import (
    ACCENT,
    CONTRAST,
    LINE,
    SOFT,
    name_columns,
    new_figure,
    set_head,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_SETTINGS = 8
_PER_ROW = 3
_MOST_TICKS = 6
_MOST_DECADES = 2.0
_AXIS_INCHES = 2.8


def plot_trials(
    uar: Sequence[float],
    settings: Sequence[Mapping[str, object]],
    *,
    stopped: Sequence[bool],
    logarithmic: Collection[str] = (),
    title: str = "",
) -> Figure:
    """Draw what each trial reached, in order and against each setting.

    Parameters
    ----------
    uar : sequence of float
        Best validation UAR of each trial, in [0, 1]; at least one.
    settings : sequence of mapping of str to value
        What each trial tried; all have the same keys. At most eight are drawn.
    stopped : sequence of bool
        Whether a trial was stopped early because it did worse than others.
    logarithmic : collection of str
        Settings whose values are drawn in steps of equal ratio; they are above 0.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        Hollow points were stopped early; the best has another colour.

    Raises
    ------
    UsageError
        If there is no trial or the sequences differ in length.
    """
    if not uar or not len(uar) == len(settings) == len(stopped):
        raise UsageError(
            f"there is nothing to draw: {len(uar)} results, {len(settings)} settings and"
            f" {len(stopped)} marks; give as many of each, at least one"
        )
    names = [name for name in settings[0] if len({str(s[name]) for s in settings}) > 1]
    names = names[:_MOST_SETTINGS]
    n_panels = 1 + len(names)
    columns = min(n_panels, _PER_ROW)
    rows = -(-n_panels // columns)
    figure = new_figure(width_inches=3.6 * columns + 0.4, height_inches=2.7 * rows + 0.3)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    values = 100 * np.asarray(uar, float)
    _draw_progress(panels[0], values, stopped)
    for axes, name in zip(panels[1:], names, strict=False):
        tried = [setting[name] for setting in settings]
        _draw_setting(axes, values, tried, stopped)
        if name in logarithmic:
            _scale_by_ratio(axes, tried)
        tidy(axes, title=name)
    for axes in panels[n_panels:]:
        axes.set_visible(False)
    for axes in panels[::columns]:
        axes.set_ylabel("validation UAR (%)", fontsize=9, color=SOFT)
    set_head(figure, title)
    return figure


def _draw_progress(axes: Axes, values: np.ndarray, stopped: Sequence[bool]) -> None:
    numbers = np.arange(1, values.size + 1)
    axes.step(numbers, np.maximum.accumulate(values), where="post", color=SOFT, linewidth=1.2)
    _draw_points(axes, numbers, values, stopped)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(axes, title="trial by trial", x_label="trial")


def _draw_setting(
    axes: Axes, values: np.ndarray, tried: Sequence[object], stopped: Sequence[bool]
) -> None:
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in tried)
    if numeric:
        places = np.array(tried, float)
        if all(isinstance(v, int) for v in tried) and np.unique(places).size <= _MOST_TICKS:
            axes.set_xticks(np.unique(places))
    else:
        words = sorted({str(v) for v in tried})
        places = np.array([words.index(str(v)) for v in tried], float)
        name_columns(axes, words, inches_each=_AXIS_INCHES / len(words))
    _draw_points(axes, places, values, stopped)


def _scale_by_ratio(axes: Axes, tried: Sequence[object]) -> None:
    """Make an axis logarithmic, with figures on it even where it spans less than a decade."""
    places = np.log10(np.array(tried, float))
    steps = (1.0, 2.0, 5.0) if np.ptp(places) <= _MOST_DECADES else (1.0,)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_points(
    axes: Axes, places: np.ndarray, values: np.ndarray, stopped: Sequence[bool]
) -> None:
    best = int(values.argmax())
    for number, (x, y) in enumerate(zip(places, values, strict=True)):
        colour = CONTRAST if number == best else ACCENT
        fill = "white" if stopped[number] else colour
        axes.plot(x, y, "o", markersize=5.5, markerfacecolor=fill, markeredgecolor=colour)
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
