"""Pictures of a training run: whether it still learns, and whether it only learns by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from serenade.errors import UsageError
from serenade.plots.style import ACCENT, CONTRAST, LINE, SOFT, new_figure, set_head, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MEASURES = {
    "loss": ("Loss", 1.0, ""),
    "uar": ("Unweighted average recall", 100.0, "%"),
    "accuracy": ("Accuracy", 100.0, "%"),
}
"""Title, factor and unit of what a run may have measured."""

Points = list[tuple[int, float]]


def plot_training_curves(
    epochs: Sequence[Mapping[str, float | None]], *, title: str = ""
) -> Figure:
    """Draw training against validation, epoch by epoch.

    Where the two part, the network learns its training clips by heart; the gap is shaded, and the
    epoch that was best on validation speakers is marked.

    Parameters
    ----------
    epochs : sequence of mapping of str to float
        Lines of ``metrics.jsonl``: ``epoch``, and ``train_`` and ``validation_`` with ``loss``,
        ``uar`` or ``accuracy``. What is missing or ``None`` is not drawn.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One pair of axes per measure.

    Raises
    ------
    UsageError
        If no epoch holds any of the measures.
    """
    shown = [name for name in _MEASURES if _points(epochs, f"train_{name}")]
    if not shown:
        raise UsageError("there is nothing to draw: no epoch has a train_loss; give metrics.jsonl")
    figure = new_figure(width_inches=4.6 * len(shown), height_inches=3.4)
    for axes, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        _draw(axes, epochs, name)
    set_head(figure, title)
    return figure


def _draw(axes: Axes, epochs: Sequence[Mapping[str, float | None]], name: str) -> None:
    words, factor, unit = _MEASURES[name]
    train = [(x, factor * y) for x, y in _points(epochs, f"train_{name}")]
    validation = [(x, factor * y) for x, y in _points(epochs, f"validation_{name}")]
    axes.plot(*zip(*train, strict=True), color=SOFT, linestyle="--", label="training")
    if validation:
        axes.plot(*zip(*validation, strict=True), color=ACCENT, label="validation")
        _shade_gap(axes, dict(train), dict(validation))
        best = (min if name == "loss" else max)(validation, key=lambda point: point[1])
        value = f"{best[1]:.1f} %" if unit == "%" else f"{best[1]:.3g}"
        axes.plot(*best, "o", color=CONTRAST, label=f"best: {value}, epoch {best[0]}")
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    if factor == 100.0:
        axes.set_ylim(0, 102)
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8, frameon=False)
    tidy(axes, title=words, x_label="epoch", y_label=unit)


def _shade_gap(axes: Axes, train: Mapping[int, float], validation: Mapping[int, float]) -> None:
    both = sorted(train.keys() & validation.keys())
    axes.fill_between(
        both,
        [train[x] for x in both],
        [validation[x] for x in both],
        color=CONTRAST,
        alpha=0.12,
        linewidth=0,
        label="gap",
    )


def _points(epochs: Sequence[Mapping[str, float | None]], key: str) -> Points:
    found = []
    for epoch in epochs:
        number, value = epoch.get("epoch"), epoch.get(key)
        if number is not None and value is not None:
            found.append((int(number), float(value)))
    return found
