"""The epochs of a run: what ends it at once, and the file that tells of them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from serenade.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

METRICS_FILE = "metrics.jsonl"


class DivergedError(TrainingError):
    """The weights ran away: a loss is no number any more, and none that follows will be."""


def check_losses(epoch: Mapping[str, Any]) -> None:
    """Refuse an epoch whose loss is no finite number.

    Parameters
    ----------
    epoch : mapping
        Record of an epoch; its validation loss may be ``None``.

    Raises
    ------
    DivergedError
        Names the epoch and what to do.
    """
    losses = (epoch["train_loss"], epoch["validation_loss"])
    if not all(loss is None or math.isfinite(loss) for loss in losses):
        raise DivergedError(
            f"training diverged in epoch {epoch['epoch']}: the loss is not a number;"
            " lower optimiser.learning_rate"
        )


def write_history(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write ``metrics.jsonl``; the checkpoint holds the same, so that it can be written anew.

    Parameters
    ----------
    folder : Path
        Run folder.
    history : sequence of mapping
        Records of the epochs done; one line each.

    Raises
    ------
    TrainingError
        If the file cannot be written.
    """
    path = folder / METRICS_FILE
    try:
        path.write_text("".join(json.dumps(epoch) + "\n" for epoch in history), encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"{str(path)!r} cannot be written ({error.strerror}); free space or remove it"
        ) from error
