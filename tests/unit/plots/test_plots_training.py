"""Pictures of a training run and of a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from serenade.errors import UsageError
from serenade.plots.training import plot_training_curves
from serenade.plots.trials import plot_trials

EPOCHS = [
    {
        "epoch": n,
        "train_loss": 2.0 / n,
        "validation_loss": loss,
        "train_uar": 0.3 * n,
        "validation_uar": uar,
    }
    for n, loss, uar in ((1, 1.5, 0.3), (2, 1.2, 0.5), (3, 1.4, 0.45))
]


def test_the_best_epoch_is_marked_and_the_gap_is_shaded() -> None:
    figure: Any = plot_training_curves(EPOCHS)
    loss, uar = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Loss",
        "Unweighted average recall",
    ]
    labels = [text.get_text() for text in loss.get_legend().get_texts()]
    assert labels == ["training", "validation", "gap", "best: 1.2, epoch 2"]
    assert "best: 50.0 %, epoch 2" in [text.get_text() for text in uar.get_legend().get_texts()]
    np.testing.assert_allclose(uar.lines[0].get_ydata(), [30, 60, 90])
    outline = loss.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(2.0)


def test_a_run_without_validation_speakers_shows_training_alone() -> None:
    epochs = [{**epoch, "validation_loss": None, "validation_uar": None} for epoch in EPOCHS]
    figure: Any = plot_training_curves(epochs)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["training"]


def test_accuracy_is_drawn_where_a_run_measured_it() -> None:
    epochs = [{"epoch": 1, "train_accuracy": 0.5, "validation_accuracy": 0.25}]
    assert [a.get_title(loc="left") for a in plot_training_curves(epochs).axes] == ["Accuracy"]


def test_a_long_title_keeps_its_end_and_stays_on_the_page() -> None:
    figure: Any = plot_training_curves(EPOCHS, title="cost$x^$" * 40 + " (validation leaks)")
    figure.canvas.draw()
    assert figure.get_suptitle().endswith(" (validation leaks)")
    assert figure._suptitle.get_window_extent().x1 < figure.bbox.x1


def test_epochs_without_a_measure_are_one_clear_error() -> None:
    with pytest.raises(UsageError, match=r"give metrics\.jsonl"):
        plot_training_curves([{"epoch": 1}])


def test_the_best_trial_stands_out_and_stopped_ones_are_hollow() -> None:
    settings = [{"rate": rate, "name": name, "same": 1} for rate, name in ((0.1, "a"), (1.0, "b"))]
    figure: Any = plot_trials([0.4, 0.6], settings, stopped=[True, False], logarithmic=["rate"])
    order, rate, name = (axes for axes in figure.axes if axes.get_visible())
    assert [axes.get_title(loc="left") for axes in (rate, name)] == ["rate", "name"]
    assert rate.get_xscale() == "log"
    assert [label.get_text() for label in name.get_xticklabels()] == ["a", "b"]
    first, best = order.lines[1:3]
    assert first.get_markerfacecolor() == "white"
    assert best.get_markerfacecolor() == best.get_markeredgecolor() == "#d55e00"


@pytest.mark.parametrize(
    ("rates", "shown"),
    [
        ((2e-4, 7e-4), ["0.0002", "0.0005"]),
        ((3e-4, 2e-3), ["0.0005", "0.001", "0.002"]),
        ((1e-4, 1.0), ["0.0001", "0.001", "0.01", "0.1", "1"]),
    ],
)
def test_a_logarithmic_axis_has_figures_however_little_it_spans(
    rates: tuple[float, float], shown: list[str]
) -> None:
    settings = [{"rate": rate} for rate in rates]
    figure: Any = plot_trials([0.4, 0.6], settings, stopped=[False] * 2, logarithmic=["rate"])
    figure.canvas.draw()
    axes = figure.axes[1]
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    assert [tick.label1.get_text() for tick in ticks] == shown


def test_trials_of_differing_number_are_one_clear_error() -> None:
    with pytest.raises(UsageError, match="1 results, 0 settings and 0 marks"):
        plot_trials([0.5], [], stopped=[])
