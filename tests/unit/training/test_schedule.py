"""Learning rates and early stopping as functions of what has been done."""

from __future__ import annotations

from typing import Any

import pytest

from serenade.training.recipe import OptimiserRecipe
from serenade.training.schedule import best_epoch, exhausted, learning_rate, plateaus


def _history(*losses: float | None) -> list[dict[str, Any]]:
    return [
        {"validation_loss": loss, "validation_uar": None if loss is None else 1.0 - loss}
        for loss in losses
    ]


def test_a_constant_rate_without_rise_is_constant() -> None:
    options = OptimiserRecipe(schedule="constant", warmup_share=0.0, learning_rate=0.1)
    rates = {learning_rate(options, step=i, n_steps=100, history=[]) for i in range(100)}
    assert rates == {0.1}


def test_a_cosine_rises_and_falls_to_nothing() -> None:
    options = OptimiserRecipe(schedule="cosine", warmup_share=0.1, learning_rate=0.1)
    rates = [learning_rate(options, step=i, n_steps=100, history=[]) for i in range(101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[9] == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0.0)


def test_a_plateau_lowers_the_rate_each_time_that_nothing_improves_for_long() -> None:
    options = OptimiserRecipe(
        schedule="plateau",
        plateau_patience=2,
        plateau_factor=0.5,
        monitor="loss",
        warmup_share=0.0,
        learning_rate=0.4,
    )
    found = [plateaus(options, _history(*losses)) for losses in ([], [0.9, 0.8, 0.7])]
    assert found == [0, 0]
    stuck = _history(0.5, 0.6, 0.5, 0.5, 0.5)
    assert [plateaus(options, stuck[:n]) for n in range(6)] == [0, 0, 0, 1, 1, 2]
    assert learning_rate(options, step=9, n_steps=10, history=stuck) == pytest.approx(0.1)
    assert plateaus(options, _history(None, None, None)) == 0


def test_the_best_epoch_is_the_first_of_the_best_by_the_figure_that_is_asked_for() -> None:
    assert best_epoch(_history(0.5, 0.4, 0.6, 0.4), "loss") == 1
    assert best_epoch(_history(0.5, 0.4, 0.6, 0.4), "uar") == 1
    assert best_epoch(_history(0.5), "loss") == 0
    assert best_epoch(_history(None, None, None), "loss") == 2


def test_training_stops_when_what_it_watches_has_not_improved_for_long() -> None:
    rising = [
        {"validation_loss": 0.5 + 0.1 * epoch, "validation_accuracy": 0.1 * epoch}
        for epoch in range(5)
    ]
    by_loss = OptimiserRecipe(monitor="accuracy", stop_monitor="loss", patience=2)
    assert [exhausted(by_loss, rising[:n]) for n in range(5)] == [False, False, False, True, True]
    by_accuracy = OptimiserRecipe(monitor="accuracy", patience=2)
    assert not exhausted(by_accuracy, rising)
    assert not exhausted(OptimiserRecipe(monitor="loss", patience=0), rising)
    assert not exhausted(OptimiserRecipe(patience=1), _history(None, None, None))
