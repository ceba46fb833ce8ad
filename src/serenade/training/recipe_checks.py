"""What a recipe must keep to beyond the types of its values."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from serenade.emotions import LABEL_SETS
from serenade.errors import RecipeError
from serenade.model.version import VERSION_FORM, is_version
from serenade.training.networks.registry import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.training.recipe import Recipe

_SEEDS = 2**32
"""numpy and torch take as many."""


def check_recipe(recipe: Recipe) -> None:
    """Refuse values that are out of range or contradict each other.

    Parameters
    ----------
    recipe : Recipe
        Of the right types.

    Raises
    ------
    RecipeError
        Names the key, what is allowed and what was given.
    """
    for name, value in _numbers(recipe, ""):
        if not math.isfinite(value):
            raise RecipeError(f"{name} must be a finite number, got {value}")
    for name, seed in (("seed", recipe.seed), ("split.seed", recipe.split.seed)):
        if not 0 <= seed < _SEEDS:
            raise RecipeError(f"{name} must be from 0 to {_SEEDS - 1}, got {seed}")
    if recipe.data.label_set not in LABEL_SETS:
        raise RecipeError(
            f"data.label_set {recipe.data.label_set!r} must be one of {', '.join(LABEL_SETS)}"
        )
    if recipe.network.name not in NETWORKS:
        raise RecipeError(
            f"network.name {recipe.network.name!r} must be one of {', '.join(NETWORKS)}"
        )
    shares = {
        "split.validation_share": recipe.split.validation_share,
        "augmentation.noise": recipe.augmentation.noise,
        "augmentation.reverberation": recipe.augmentation.reverberation,
        "augmentation.colour": recipe.augmentation.colour,
        "augmentation.telephone": recipe.augmentation.telephone,
        "augmentation.codec": recipe.augmentation.codec,
        "augmentation.cut": recipe.augmentation.cut,
        "network.dropout": recipe.network.dropout,
        "network.encoder_dropout": recipe.network.encoder_dropout,
        "teacher.soft_share": recipe.teacher.soft_share,
        "optimiser.label_smoothing": recipe.optimiser.label_smoothing,
        "optimiser.average_decay": recipe.optimiser.average_decay,
        "optimiser.warmup_share": recipe.optimiser.warmup_share,
        "optimiser.balance": recipe.optimiser.balance,
        "optimiser.plateau_factor": recipe.optimiser.plateau_factor,
        "optimiser.encoder_rate": recipe.optimiser.encoder_rate,
        "optimiser.layer_decay": recipe.optimiser.layer_decay,
        "optimiser.foreign_label_weight": recipe.optimiser.foreign_label_weight,
        "optimiser.intensity_weight": recipe.optimiser.intensity_weight,
        "export.answer_precision": recipe.export.answer_precision,
    }
    for name, value in shares.items():
        if not 0.0 <= value <= 1.0:
            raise RecipeError(f"{name} must be in [0, 1], got {value}")
    if recipe.split.kind == "random" and recipe.split.validation_share in (0.0, 1.0):
        raise RecipeError(
            "split.validation_share must be above 0 and below 1 where split.kind is 'random', got"
            f" {recipe.split.validation_share}"
        )
    lowest, highest = recipe.augmentation.snr_db
    if lowest > highest:
        raise RecipeError(f"augmentation.snr_db must rise, got {lowest} and {highest}")
    longest = max(recipe.data.max_seconds, recipe.export.max_seconds)
    pretrained = recipe.network.name in ("whisper", "backbone")
    if pretrained and longest > recipe.network.max_seconds:
        raise RecipeError(
            f"network.max_seconds {recipe.network.max_seconds} must be at least"
            f" data.max_seconds and export.max_seconds, {longest}"
        )
    if recipe.classical.n_folds < 2:
        raise RecipeError(f"classical.n_folds must be 2 or more, got {recipe.classical.n_folds}")
    if not is_version(recipe.export.version):
        raise RecipeError(f"export.version must be {VERSION_FORM}, got {recipe.export.version!r}")
    for name in ("description", "licence"):
        if not getattr(recipe.export, name).strip():
            raise RecipeError(f"export.{name} must not be empty; leave it out if there is none")
    if recipe.export.int8 and recipe.export.float16:
        raise RecipeError("export.int8 and export.float16 exclude each other; choose one")
    if not recipe.export.temperature >= 0:
        raise RecipeError(
            f"export.temperature must be above 0, or 0 to fit it, got {recipe.export.temperature}"
        )
    positive = {
        "data.max_seconds": recipe.data.max_seconds,
        "network.width": recipe.network.width,
        "network.depth": recipe.network.depth,
        "network.n_mfcc": recipe.network.n_mfcc,
        "network.dense": min(recipe.network.dense, default=1),
        "optimiser.plateau_patience": recipe.optimiser.plateau_patience,
        "teacher.n_hints": recipe.teacher.n_hints,
        "teacher.inverse_penalty": recipe.teacher.inverse_penalty,
        "optimiser.epochs": recipe.optimiser.epochs,
        "optimiser.batch_size": recipe.optimiser.batch_size,
        "optimiser.learning_rate": recipe.optimiser.learning_rate,
        "export.max_seconds": recipe.export.max_seconds,
        "export.hop_seconds": recipe.export.hop_seconds,
        "export.min_seconds": recipe.export.min_seconds,
        "export.prior_clips_deviation": recipe.export.prior_clips_deviation,
    }
    for name, value in positive.items():
        if not value > 0:
            raise RecipeError(f"{name} must be above 0, got {value}")
    windows = {
        "export.min_seconds": recipe.export.min_seconds,
        "export.hop_seconds": recipe.export.hop_seconds,
    }
    for name, value in windows.items():
        if value > recipe.export.max_seconds:
            raise RecipeError(
                f"{name} must be at most export.max_seconds, {recipe.export.max_seconds},"
                f" got {value}"
            )


def _numbers(part: object, prefix: str) -> Iterator[tuple[str, float]]:
    """Give every number of a recipe with its key."""
    if isinstance(part, float):
        yield prefix, part
    elif isinstance(part, tuple):
        for value in part:
            yield from _numbers(value, prefix)
    elif is_dataclass(part):
        for field in fields(part):
            name = f"{prefix}.{field.name}" if prefix else field.name
            yield from _numbers(getattr(part, field.name), name)
