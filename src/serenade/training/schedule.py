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
        score = score_of(record, options.monitor)
        if score is None:
            continue
        waited = 0 if score > best else waited + 1
        best = max(best, score)
        if waited == options.plateau_patience:
            found, waited = found + 1, 0
    return found


def score_of(record: Mapping[str, Any], figure: str) -> float | None:
    """Give a validation figure of an epoch as a score.

    Parameters
    ----------
    record : mapping
        Of an epoch.
    figure : {"uar", "loss", "accuracy"}
        Which one.

    Returns
    -------
    float or None
        More is better; ``None`` without validation clips.
    """
    value = record[f"validation_{figure}"]
    if value is None:
        return None
    return -value if figure == "loss" else float(value)


def best_epoch(history: Sequence[Mapping[str, Any]], figure: str) -> int:
    """Find the best epoch.

    Parameters
    ----------
    history : sequence of mapping
        Records of the epochs done, at least one.
    figure : {"uar", "loss", "accuracy"}
        What is compared.

    Returns
    -------
    int
        Position in `history`, from 0: the first of equals; the last without validation clips.
    """
    scores = [score_of(record, figure) for record in history]
    if scores[-1] is None:
        return len(scores) - 1
    return max(range(len(scores)), key=lambda epoch: _or_worst(scores[epoch]))


def exhausted(options: OptimiserRecipe, history: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether to stop early.

    Parameters
    ----------
    options : OptimiserRecipe
        Patience and what it watches.
    history : sequence of mapping
        Records of the epochs done.

    Returns
    -------
    bool
        Never without patience or without validation clips.
    """
    if options.patience == 0 or not history:
        return False
    best = best_epoch(history, options.stop_monitor or options.monitor)
    return len(history) - 1 - best >= options.patience


def _or_worst(score: float | None) -> float:
    return -math.inf if score is None else score
