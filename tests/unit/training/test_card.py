"""The card says of a model's limits what is true of this model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serenade.emotions import LABEL_SETS
from serenade.model.bundle import open_bundle
from serenade.model.spec import ModelSpec, TrainingData
from serenade.model.store import resolve
from serenade.training.card import limits_section


def _trained_on(*corpora: str) -> ModelSpec:
    data = tuple(TrainingData(corpus=name, licence="any", details={}) for name in corpora)
    spec = open_bundle(resolve("compact")).spec
    return replace(spec, labels=LABEL_SETS["9"], training_data=data)


def test_an_emotion_of_few_corpora_is_named_once_with_them() -> None:
    limits = limits_section(_trained_on("RAVDESS", "EMO-DB", "TurEV-DB", "CREMA-D", "RAVDESS"))
    assert limits.count("`calm` is only in RAVDESS and TurEV-DB") == 1
    assert "`boredom` is only in EMO-DB" in limits
    assert "`anger`" not in limits


@pytest.mark.parametrize("corpora", [("CREMA-D",), ("mine", "yours", "theirs")])
def test_nothing_is_said_of_corpora_that_a_model_has_not_heard(corpora: tuple[str, ...]) -> None:
    limits = limits_section(_trained_on(*corpora))
    assert "few voices" not in limits
    assert "RAVDESS" not in limits


def test_the_cards_of_the_shipped_models_hold_their_own_limits() -> None:
    for name in ("default", "cremad", "compact"):
        bundle = open_bundle(resolve(name))
        assert limits_section(bundle.spec) in bundle.card
