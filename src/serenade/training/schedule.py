"""Learning rate and early stopping: functions of what has been done, so a resumed run agrees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serenade.training.recipe import OptimiserRecipe


def learning_rate(
    options: OptimiserRecipe, *, step: int, n_steps: int, history: Sequence[Mapping[str, Any]]
) -> float:
    """Give the learning rate of a step: a linear rise, then what the schedule says.

    Parameters
    ----------
    options : OptimiserRecipe
        Highest rate, share of the rise and schedule.
    step, n_steps : int
        Steps done and steps in all.
    history : sequence of mapping
        Records of the epochs done; a plateau is found in them.

    Returns
    -------
    float
        In [0, options.learning_rate].
    """
    warmup = max(1, round(options.warmup_share * n_steps))
    if step < warmup and options.warmup_share > 0:
        return options.learning_rate * (step + 1) / warmup
    if options.schedule == "constant":
        return options.learning_rate
    if options.schedule == "plateau":
        return options.learning_rate * options.plateau_factor ** plateaus(options, history)
    share = min(1.0, (step - warmup) / max(1, n_steps - warmup))
    return options.learning_rate * 0.5 * (1.0 + math.cos(math.pi * share))


def plateaus(options: OptimiserRecipe, history: Sequence[Mapping[str, Any]]) -> int:
    """Count how often validation has not improved for long.

    Parameters
    ----------
    options : OptimiserRecipe
        What is watched, and how long.
    history : sequence of mapping
        Records of the epochs done.

    Returns
    -------
    int
        After each plateau the waiting begins anew; 0 without validation clips.
    """
    best, waited, found = -math.inf, 0, 0
    for record in history:
        score = monitored(options, record)
        if score is None:
            continue
        waited = 0 if score > best else waited + 1
        best = max(best, score)
        if waited == options.plateau_patience:
            found, waited = found + 1, 0
    return found


def monitored(options: OptimiserRecipe, record: Mapping[str, Any]) -> float | None:
    """Give the figure that chooses the best epoch.

    Parameters
    ----------
    options : OptimiserRecipe
        Names it.
    record : mapping
        Of an epoch.

    Returns
    -------
    float or None
        More is better; ``None`` without validation clips.
    """
    figure = record[f"validation_{options.monitor}"]
    if figure is None:
        return None
    return -figure if options.monitor == "loss" else float(figure)


def is_best(options: OptimiserRecipe, history: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the last epoch is the best so far.

    Parameters
    ----------
    options : OptimiserRecipe
        What is watched.
    history : sequence of mapping
        Records of the epochs done, at least one.

    Returns
    -------
    bool
        The first of equals is the best; without validation clips the last epoch is.
    """
    scores = [monitored(options, record) for record in history]
    last = scores.pop()
    return last is None or all(score is None or last > score for score in scores)
