"""Pictures of an evaluation: what is taken for what, and how well each group is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.errors import UsageError
from serenade.plots.style import ACCENT, CONTRAST, INK, LINE, new_figure, short, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from matplotlib.figure import Figure


def plot_confusion(
    labels: Sequence[str], counts: npt.NDArray[np.int64], *, title: str = "Confusion matrix"
) -> Figure:
    """Draw which emotions are taken for which.

    Parameters
    ----------
    labels : sequence of str
        The k emotions.
    counts : ndarray of shape (k, k), int64
        Clips by true (row) and predicted (column) emotion.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        Shade and large figure are the share of the row, the small figure is the number of clips.

    Raises
    ------
    UsageError
        If the matrix does not fit the labels.
    """
    k = len(labels)
    if not k or counts.shape != (k, k):
        raise UsageError(f"a confusion matrix of {k} labels must be {k} x {k}, got {counts.shape}")
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    names = [short(label) for label in labels]
    longest = max(map(len, names))
    figure = new_figure(
        width_inches=0.9 + 0.08 * longest + 0.75 * k, height_inches=1.1 + 0.04 * longest + 0.58 * k
    )
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for row in range(k):
        for column in range(k):
            ink = "white" if shares[row, column] > 0.55 else INK
            share = f"{100 * shares[row, column]:.0f} %" if totals[row, 0] else "–"
            axes.text(column, row - 0.1, share, ha="center", va="center", fontsize=9, color=ink)
            small = f"{counts[row, column]:,}"
            axes.text(column, row + 0.25, small, ha="center", va="center", fontsize=6.5, color=ink)
    axes.set_xticks(range(k), names, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(k), names)
    bar = figure.colorbar(image, ax=axes, pad=0.02, format=lambda share, _: f"{100 * share:.0f} %")
    bar.ax.tick_params(labelsize=8)
    tidy(axes, title=title, x_label="what the model said", y_label="what it is")
    axes.tick_params(length=0)
    return figure


def plot_scores(
    scores: Mapping[str, tuple[float, float, float]],
    *,
    overall: float | None = None,
    chance: float | None = None,
    title: str = "UAR by speaker",
) -> Figure:
    """Draw the score of each group with its interval, the lowest first.

    Parameters
    ----------
    scores : mapping of str to tuple of (value, low, high)
        By group, each in [0, 1]; at least one group.
    overall, chance : float or None
        Score over all clips and of guessing, in [0, 1], drawn as lines.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One row per group.

    Raises
    ------
    UsageError
        If there is nothing to draw.
    """
    if not scores:
        raise UsageError("there is nothing to draw: the mapping is empty; give one group or more")
    ordered = sorted(scores.items(), key=lambda item: item[1][0])
    names = [short(name) for name, _ in ordered]
    figure = new_figure(width_inches=7.0, height_inches=1.4 + 0.26 * max(len(names), 4))
    axes = figure.add_subplot()
    for place, (_, (value, low, high)) in enumerate(ordered):
        axes.plot((100 * low, 100 * high), (place, place), color=ACCENT, alpha=0.4, linewidth=3)
        axes.plot(100 * value, place, "o", color=ACCENT, markersize=5)
    for share, words, colour, style in (
        (overall, "all clips", INK, "-"),
        (chance, "guessing", CONTRAST, ":"),
    ):
        if share is not None:
            label = f"{words}: {100 * share:.1f} %"
            axes.axvline(100 * share, color=colour, linestyle=style, linewidth=1.2, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, 101)
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    tidy(axes, title=title, x_label="%")
    axes.tick_params(axis="y", length=0)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure
