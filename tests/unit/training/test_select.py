"""What a recipe takes of a manifest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serenade.corpora.manifest import Utterance
from serenade.errors import TrainingError
from serenade.training.data import select
from serenade.training.recipe import DataRecipe, Recipe

RECIPE = Recipe(name="toy", data=DataRecipe(label_set="4", corpora=("A",)))


def _utterance(number: int, emotion: str, corpus: str) -> Utterance:
    return Utterance(
        id=f"{corpus}/{number}",
        path=f"{number}.wav",
        emotion=emotion,
        speaker="a",
        corpus=corpus,
    )


UTTERANCES = [
    _utterance(1, "anger", "A"),
    _utterance(2, "sadness", "A"),
    _utterance(3, "disgust", "A"),
    _utterance(4, "sadness", "B"),
]


def test_corpora_and_emotions_of_the_recipe_are_kept_in_order() -> None:
    assert [u.id for u in select(UTTERANCES, RECIPE)] == ["A/1", "A/2"]
    every = replace(RECIPE, data=replace(RECIPE.data, corpora=()))
    assert [u.id for u in select(UTTERANCES, every)] == ["A/1", "A/2", "B/4"]


@pytest.mark.parametrize(
    ("utterances", "message"),
    [
        (UTTERANCES[3:], "wants corpus 'A', the manifest holds B"),
        (
            UTTERANCES[2:3],
            "no utterance has one of the emotions neutral, happiness, sadness, anger",
        ),
        (UTTERANCES[1:3], "sadness is the only emotion that can be learnt from, and a model tells"),
    ],
)
def test_what_cannot_be_learnt_from_is_one_clear_error(
    utterances: list[Utterance], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        select(utterances, RECIPE)
