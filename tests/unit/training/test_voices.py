"""Classical models that adapt to a speaker: what is drawn in training, and what the bundle does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from serenade.corpora.manifest import read_manifest
from serenade.emotions import LabelSet
from serenade.inference.recognizer import Recognizer
from serenade.model.adaptation import Adaptation, SpeakerReference
from serenade.model.bundle import open_bundle
from serenade.model.scorer import open_scorer
from serenade.model.spec import FeatureInput, ModelSpec
from serenade.training.cache import silent_progress
from serenade.training.classical import train_classical
from serenade.training.classical_export import export_classical
from serenade.training.classical_run import package_classical
from serenade.training.recipe import ClassicalRecipe, ExportRecipe
from serenade.training.run import TrainingRun
from serenade.training.vectors import LabelledVectors
from serenade.training.voices import CLIPS_HEARD, adapt_to_some, learn_population
from serenade.types import Conditioning

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.recipe import Recipe

N_VALUES = 12
TRUSTING = Adaptation(N_VALUES, prior_clips=1.0, prior_clips_deviation=1.0)


def voices(*, n_speakers: int, seed: int = 3) -> LabelledVectors:
    """Clips whose emotion is small beside the difference between voices."""
    rng = np.random.default_rng(seed)
    true = np.tile(np.arange(3), 20 * n_speakers)
    who = np.repeat(np.arange(n_speakers), 60)
    emotion = np.random.default_rng(0).standard_normal((3, N_VALUES))
    vectors = (
        emotion[true]
        + 6.0 * rng.standard_normal((n_speakers, N_VALUES))[who]
        + 0.5 * rng.standard_normal((true.size, N_VALUES))
    )
    return LabelledVectors(
        vectors=(40.0 + 7.0 * vectors).astype(np.float32),
        true=true,
        speakers=np.array([f"made-up/{seed}-{name}" for name in who]),
        corpora=np.repeat("made-up", true.size),
        labels=LabelSet(("neutral", "sadness", "anger")),
    )


def test_the_population_has_mean_0_and_deviation_1_and_no_value_divides_by_0() -> None:
    vectors = voices(n_speakers=4).vectors
    vectors[:, 0] = 5.0
    embedded = learn_population(vectors).embed(vectors)
    np.testing.assert_allclose(embedded.mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(embedded[:, 1:].std(axis=0), 1.0, atol=1e-3)
    np.testing.assert_array_equal(embedded[:, 0], 0.0)


def test_a_training_clip_is_judged_with_none_some_or_many_others_but_never_with_itself() -> None:
    data = voices(n_speakers=1)
    marked = np.zeros_like(data.vectors)
    marked[7, 0] = 1000.0  # heard by many, but not by itself
    adapted = adapt_to_some(replace(data, vectors=marked), TRUSTING, seed=1).vectors[:, 0]
    assert adapted[7] >= 1000.0  # the deviation of the others is below 1
    others = np.delete(adapted, 7)
    assert (others == 0.0).any()
    assert (others < 0.0).any()
    assert CLIPS_HEARD[0] == 0


def test_a_bundle_knows_a_voice_better_after_it_has_heard_it(tmp_path: Path) -> None:
    model = train_classical("logistic-regression", voices(n_speakers=12), adaptation=TRUSTING)
    new = voices(n_speakers=1, seed=4)
    difference = export_classical(
        model,
        tmp_path / "bundle",
        name="voices",
        front_end="mfcc",
        conditioning=Conditioning(),
        export=ExportRecipe(description="A toy.", licence="none"),
        training_data=[],
        metrics={},
        check_vectors=new.vectors,
    )
    assert difference < 1e-4
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.spec.adaptation == TRUSTING
    assert isinstance(bundle.spec.input, FeatureInput)
    scorer = open_scorer(bundle)
    stranger = scorer.score(list(new.vectors))
    assert stranger.embedding is not None
    known = SpeakerReference.empty(bundle.spec.model_id, TRUSTING)
    for embedding in stranger.embedding[:30]:
        known = known.with_clip(embedding, seconds=1.0)
    friend = scorer.score(list(new.vectors[30:]), reference=known)
    right_of_stranger = (stranger.logits[30:].argmax(axis=1) == new.true[30:]).mean()
    right_of_friend = (friend.logits.argmax(axis=1) == new.true[30:]).mean()
    assert right_of_friend > 0.9
    assert right_of_friend > right_of_stranger + 0.1


def test_nothing_heard_is_the_same_as_no_reference(tmp_path: Path) -> None:
    data = voices(n_speakers=4)
    model = train_classical("svm", data, adaptation=TRUSTING)
    export_classical(
        model,
        tmp_path / "bundle",
        name="voices",
        front_end="mfcc",
        conditioning=Conditioning(),
        export=ExportRecipe(description="A toy.", licence="none"),
        training_data=[],
        metrics={},
        check_vectors=data.vectors[:20],
    )
    scorer = open_scorer(open_bundle(tmp_path / "bundle"))
    nothing = SpeakerReference.empty("voices 0.1.0", TRUSTING)
    clips = list(data.vectors[:20])
    np.testing.assert_array_equal(
        scorer.score(clips, reference=nothing).logits, scorer.score(clips).logits
    )


def test_a_recipe_that_adapts_gives_a_model_that_takes_a_speaker_reference(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(toy_recipe, classical=ClassicalRecipe(kind="logistic-regression", adapts=True))
    utterances = read_manifest(toy_manifest)
    run = TrainingRun(tmp_path / "run", noise=None, cache=tmp_path / "cache")
    packaged = package_classical(
        recipe, utterances, run, workers=1, progress=silent_progress, log=lambda text: None
    )
    spec: ModelSpec = open_bundle(packaged.folder).spec
    assert spec.adaptation == Adaptation(429, 20.0, 80.0)
    recognizer = Recognizer.load(packaged.folder)
    reference = recognizer.speaker_reference([utterances[1].path, utterances[2].path])
    adapted = recognizer.predict(utterances[0].path, reference=reference)
    plain = recognizer.predict(utterances[0].path)
    assert adapted.emotion == plain.emotion == utterances[0].emotion
    assert adapted.probabilities != plain.probabilities
