"""The range of every number of a recipe, as one table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from serenade.errors import RecipeError
from serenade.model.spec import LONGEST_PADDING_SECONDS, QUIETEST_DB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serenade.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers between two.

    Parameters
    ----------
    low, high : float
        Its ends.
    with_low, with_high : bool
        Whether they belong to it.
    """

    low: float
    high: float = math.inf
    with_low: bool = True
    with_high: bool = True

    def __contains__(self, value: float) -> bool:
        above = value >= self.low if self.with_low else value > self.low
        below = value <= self.high if self.with_high else value < self.high
        return above and below

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{self.low:g} or more" if self.with_low else f"above {self.low:g}"
        first, last = "[" if self.with_low else "(", "]" if self.with_high else ")"
        return f"in {first}{self.low:g}, {self.high:g}{last}"


SHARE = Interval(0, 1)
BELOW_ONE = Interval(0, 1, with_high=False)
FACTOR = Interval(0, 1, with_low=False)
BELOW_HALF = Interval(0, 0.5, with_high=False)
POSITIVE = Interval(0, with_low=False)
NOT_NEGATIVE = Interval(0)

SHORTEST_CLIP = Interval(0.1)
"""Seconds that every network can make something of: ten frames, of which a convolution needs
some."""

UNITS = Interval(1, 4096)
"""Far above the largest published encoders; what lies beyond is a slip, and no memory holds it."""

LAYERS = Interval(1, 64)
"""As for :data:`UNITS`."""

MASKS = Interval(0, 100)
"""A clip of eight seconds has 800 frames and 80 bands; a hundred masks leave nothing of it."""

RANGES: Mapping[str, Interval] = {
    "data.max_seconds": SHORTEST_CLIP,
    "split.validation_share": SHARE,
    "conditioning.trim_below_db": Interval(0, QUIETEST_DB, with_low=False),
    "conditioning.trim_padding_seconds": Interval(0, LONGEST_PADDING_SECONDS),
    "conditioning.level_dbfs": Interval(-QUIETEST_DB, 0),
    "augmentation.tempo": BELOW_HALF,
    "augmentation.pitch": BELOW_HALF,
    "augmentation.noise": SHARE,
    "augmentation.reverberation": SHARE,
    "augmentation.colour": SHARE,
    "augmentation.telephone": SHARE,
    "augmentation.codec": SHARE,
    "augmentation.gain_db": Interval(0, 60),
    "augmentation.snr_db": Interval(-60, 120),
    "augmentation.shortest_seconds": POSITIVE,
    "augmentation.cut": SHARE,
    "augmentation.time_masks": MASKS,
    "augmentation.frequency_masks": MASKS,
    "augmentation.mixup": NOT_NEGATIVE,
    "network.width": UNITS,
    "network.depth": LAYERS,
    "network.dropout": BELOW_ONE,
    "network.frozen_layers": NOT_NEGATIVE,
    "network.encoder_dropout": BELOW_ONE,
    "network.first_pooled": NOT_NEGATIVE,
    "network.max_seconds": SHORTEST_CLIP,
    "network.n_mfcc": POSITIVE,
    "network.dense": UNITS,
    "classical.n_folds": Interval(2),
    "teacher.depth": LAYERS,
    "teacher.first_pooled": NOT_NEGATIVE,
    "teacher.n_hints": POSITIVE,
    "teacher.hint_weight": NOT_NEGATIVE,
    "teacher.soft_share": SHARE,
    "teacher.inverse_penalty": POSITIVE,
    "optimiser.epochs": POSITIVE,
    "optimiser.min_steps": NOT_NEGATIVE,
    "optimiser.batch_size": POSITIVE,
    "optimiser.learning_rate": POSITIVE,
    "optimiser.weight_decay": NOT_NEGATIVE,
    "optimiser.encoder_rate": FACTOR,
    "optimiser.layer_decay": FACTOR,
    "optimiser.warmup_share": BELOW_ONE,
    "optimiser.plateau_patience": POSITIVE,
    "optimiser.plateau_factor": Interval(0, 1, with_low=False, with_high=False),
    "optimiser.focal_gamma": NOT_NEGATIVE,
    "optimiser.label_smoothing": BELOW_ONE,
    "optimiser.foreign_label_weight": SHARE,
    "optimiser.intensity_weight": SHARE,
    "optimiser.average_decay": BELOW_ONE,
    "optimiser.gradient_norm": NOT_NEGATIVE,
    "optimiser.patience": NOT_NEGATIVE,
    "optimiser.balance": SHARE,
    "export.max_seconds": SHORTEST_CLIP,
    "export.temperature": NOT_NEGATIVE,
    "export.answer_precision": SHARE,
    "export.prior_clips": NOT_NEGATIVE,
    "export.prior_clips_deviation": POSITIVE,
}
"""By the path of the value; of a list, every value. The seeds and the windows of the bundle are
checked apart."""


def check_ranges(recipe: Recipe) -> None:
    """Refuse a number that is out of its range.

    Parameters
    ----------
    recipe : Recipe
        Of the right types.

    Raises
    ------
    RecipeError
        Names the key, what is allowed and what was given.
    """
    for name, interval in RANGES.items():
        value = attrgetter(name)(recipe)
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and number not in interval:
                raise RecipeError(f"{name} must be {interval}, got {number}")
