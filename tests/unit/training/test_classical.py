"""Classical models: tuned, weighed and calibrated without ever meeting a speaker twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

from serenade.corpora.manifest import Utterance, read_manifest
from serenade.emotions import LabelSet
from serenade.errors import TrainingError, UsageError
from serenade.training import feature_cache
from serenade.training.classical import class_scores, search, train_classical
from serenade.training.classifiers import CLASSIFIERS, ClassifierKind
from serenade.training.feature_cache import cached_features
from serenade.training.vectors import LabelledVectors, adapt_to_speakers, label_vectors
from serenade.types import Conditioning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EMOTIONS = ("neutral", "happiness", "anger")


def dict_of_kinds() -> dict[str, ClassifierKind]:
    assert isinstance(CLASSIFIERS, dict)
    return CLASSIFIERS


@pytest.fixture(autouse=True)
def small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of trees would make these tests slow and no better."""

    def small(build: Callable[[int], Any]) -> Callable[[int], Any]:
        return lambda seed: build(seed).set_params(n_estimators=20)

    for kind in ("random-forest", "gradient-boosting"):
        chosen = CLASSIFIERS[kind]
        monkeypatch.setitem(dict_of_kinds(), kind, replace(chosen, build=small(chosen.build)))


def made_up(
    *, speakers: int = 6, clips: int = 24, emotion: float = 3.0, speaker: float = 1.0
) -> LabelledVectors:
    """Vectors that hold the emotion and the speaker, each as strongly as asked for."""
    rng = np.random.default_rng(7)
    n_values = 20
    true = np.tile(np.arange(3), speakers * clips // 3)
    who = np.repeat(np.arange(speakers), clips)
    vectors = (
        emotion * rng.standard_normal((3, n_values))[true]
        + speaker * rng.standard_normal((speakers, n_values))[who]
        + rng.standard_normal((true.size, n_values))
    )
    scales = np.exp(rng.uniform(-3, 5, n_values))
    return LabelledVectors(
        vectors=(vectors * scales + 10 * scales).astype(np.float32),
        true=true,
        speakers=np.array([f"made-up/{name}" for name in who]),
        corpora=np.repeat("made-up", true.size),
        labels=LabelSet(EMOTIONS),
    )


def only(data: LabelledVectors, *speakers: int) -> LabelledVectors:
    return data.where(np.isin(data.speakers, [f"made-up/{name}" for name in speakers]))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_every_kind_recognises_the_emotions_of_a_speaker_it_never_heard(kind: str) -> None:
    data = made_up()
    test = only(data, 5)
    model = train_classical(kind, only(data, 0, 1, 2, 3, 4))
    probabilities = model.probabilities(test.vectors)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert balanced_accuracy_score(test.true, probabilities.argmax(axis=1)) > 0.7


def test_a_search_cannot_profit_from_knowing_the_speaker() -> None:
    data = made_up(speakers=6, emotion=0.0, speaker=8.0)
    # Each speaker plays one emotion, so the voice alone gives it away in folds that share voices.
    voices = np.unique(data.speakers, return_inverse=True)[1]
    confounded = replace(data, true=voices % 3)
    found = search("k-nearest-neighbours", confounded, n_folds=3)
    shared = found.pipeline.score(confounded.vectors, confounded.true)
    assert shared > 0.95
    assert max(trial.uar for trial in found.trials) < 0.6


def test_the_best_trial_is_the_one_that_is_used() -> None:
    found = search("svm-linear", made_up(emotion=1.0))
    best = max(found.trials, key=lambda trial: trial.uar)
    assert len(found.trials) == 3
    assert found.settings == best.settings
    assert found.pipeline.get_params()["classifier__C"] == best.settings["C"]


def test_a_trial_tells_each_fold_and_their_mean() -> None:
    found = search("svm-linear", made_up(emotion=1.0), n_folds=3)
    for trial in found.trials:
        assert len(trial.fold_uars) == 3
        assert trial.uar == pytest.approx(np.mean(trial.fold_uars))


def test_a_grid_of_ones_own_takes_the_place_of_the_usual_one() -> None:
    found = search("decision-tree", made_up(), grid={"max_depth": (1, 4), "criterion": ("gini",)})
    assert [dict(trial.settings) for trial in found.trials] == [
        {"criterion": "gini", "max_depth": 1},
        {"criterion": "gini", "max_depth": 4},
    ]
    assert found.settings == {"criterion": "gini", "max_depth": 4}


def test_a_setting_that_the_classifier_does_not_have_is_one_clear_error() -> None:
    with pytest.raises(TrainingError, match="svm has no setting 'depth'; it has C, "):
        search("svm", made_up(), grid={"depth": (1,)})
    with pytest.raises(TrainingError, match="setting 'C' of svm has no value"):
        search("svm", made_up(), grid={"C": ()})


def test_the_scaler_knows_training_clips_alone() -> None:
    train = only(made_up(), 0, 1, 2)
    found = search("svm", train)
    np.testing.assert_allclose(
        found.pipeline.named_steps["scaler"].mean_, train.vectors.mean(axis=0), rtol=1e-4
    )


@pytest.mark.parametrize("kind", ["svm", "svm-linear"])
def test_the_kernel_of_the_search_gives_the_scores_of_the_one_that_is_exported(kind: str) -> None:
    data = made_up(emotion=1.0)
    searched = search(kind, data).pipeline
    exported = train_classical(kind, data).pipeline
    np.testing.assert_allclose(
        class_scores(searched, data.vectors, n_labels=3),
        class_scores(exported, data.vectors, n_labels=3),
        atol=2e-3,
    )


@pytest.mark.parametrize("kind", ["svm", "svm-linear"])
@pytest.mark.parametrize(
    "setting",
    [{"gamma": 0.3}, {"kernel": "sigmoid"}, {"kernel": "poly", "degree": 2, "coef0": 1.0}],
    ids=["gamma", "sigmoid", "poly"],
)
def test_kernel_and_gamma_are_those_of_the_search_where_they_are_searched(
    kind: str, setting: dict[str, Any]
) -> None:
    if kind == "svm-linear" and "kernel" not in setting:
        setting = {"kernel": "rbf", **setting}
    data = made_up(emotion=1.0)
    usual = search(kind, data, grid={"C": (1.0,)}).trials[0]
    found = search(kind, data, grid={"C": (1.0,), **{k: (v,) for k, v in setting.items()}})
    by_hand = make_pipeline(
        StandardScaler(),
        SVC(**{"kernel": "rbf", "C": 1.0, "gamma": "auto", "break_ties": True} | setting),
    )
    by_hand.fit(
        data.vectors,
        data.true,
        svc__sample_weight=compute_sample_weight("balanced", data.true),
    )
    scores = class_scores(found.pipeline, data.vectors, n_labels=3)
    expected = by_hand.decision_function(data.vectors)
    if kind == "svm" or "gamma" in setting:  # the kinds differ in their usual gamma
        np.testing.assert_allclose(scores, expected, atol=1e-3)
    assert found.trials[0].fold_uars != usual.fold_uars


def test_a_setting_that_would_change_what_the_scores_are_is_refused() -> None:
    with pytest.raises(TrainingError, match="svm has no setting 'decision_function_shape'"):
        search("svm", made_up(), grid={"decision_function_shape": ("ovo",)})


@pytest.mark.parametrize("speakers", [1, 6])
def test_a_value_that_scikit_learn_refuses_is_one_clear_error(speakers: int) -> None:
    with pytest.raises(TrainingError, match=r"svm cannot be fitted with .*'gamma'"):
        search("svm", made_up(speakers=speakers, clips=48), grid={"gamma": ("magic",)})


@pytest.mark.parametrize("kind", [name for name, kind in CLASSIFIERS.items() if kind.weighs_clips])
def test_a_rare_emotion_gets_the_weight_of_a_frequent_one(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_up(speakers=8, clips=60, emotion=0.6, speaker=0.0)
    data = replace(data, vectors=data.vectors[:, :4])  # so few values that the emotions overlap
    rng = np.random.default_rng(1)
    kept = (data.true == 0) | ((data.true == 1) & (rng.random(data.true.size) < 0.2))
    uneven = only(data.where(kept), 0, 1, 2, 3, 4)
    rare = only(data.where(data.true == 1), 5, 6, 7)

    def recall_of_the_rare() -> float:
        found = search(kind, uneven)
        answers = class_scores(found.pipeline, rare.vectors, n_labels=3).argmax(axis=1)
        return float((answers == 1).mean())

    weighed = recall_of_the_rare()
    monkeypatch.setitem(dict_of_kinds(), kind, replace(CLASSIFIERS[kind], weighs_clips=False))
    assert weighed > recall_of_the_rare() + 0.03


def test_confidence_on_a_new_speaker_is_about_how_often_it_is_right() -> None:
    data = made_up(speakers=24, clips=60, emotion=0.6, speaker=0.6)
    heard = only(data, *range(16))
    new = only(data, *range(16, 24))
    model = train_classical("svm", heard)
    probabilities = model.probabilities(new.vectors)
    right = (probabilities.argmax(axis=1) == new.true).mean()
    assert 0.45 < right < 0.95
    assert probabilities.max(axis=1).mean() == pytest.approx(right, abs=0.08)


def test_calibration_leaves_the_answers_as_they_are() -> None:
    data = made_up(emotion=1.0)
    model = train_classical("mlp", data)
    raw = class_scores(model.pipeline, data.vectors, n_labels=3)
    np.testing.assert_array_equal(
        model.probabilities(data.vectors).argmax(axis=1), raw.argmax(axis=1)
    )


def test_with_one_speaker_nothing_is_searched_and_nothing_calibrated() -> None:
    data = only(made_up(), 0)
    found = search("svm", data)
    assert found.trials == ()
    assert found.settings == {"C": 1.0}
    model = train_classical("svm", data)
    assert (model.temperature, model.abstain_below) == (1.0, 0.0)


def test_too_few_clips_for_the_neighbours_is_one_clear_error() -> None:
    data = made_up(speakers=2, clips=24)
    with pytest.raises(TrainingError, match="needs 45 training clips and the smallest fold has 24"):
        search("k-nearest-neighbours", data)


def test_an_emotion_that_was_not_learnt_scores_lowest() -> None:
    data = made_up()
    found = search("svm", data.where(data.true != 1))
    scores = class_scores(found.pipeline, data.vectors, n_labels=3)
    np.testing.assert_array_equal(scores[:, 1], scores.min(axis=1))


def test_an_unknown_kind_is_one_clear_error() -> None:
    with pytest.raises(TrainingError, match="unknown classifier 'magic'; allowed are svm"):
        search("magic", made_up())


def test_speaker_adaptation_uses_each_speakers_own_clips_and_nothing_else() -> None:
    data = made_up(speakers=3)
    adapted = adapt_to_speakers(data)
    assert adapted.mode == "speaker-adapted"
    for speaker in np.unique(data.speakers):
        own = adapted.vectors[data.speakers == speaker]
        np.testing.assert_allclose(own.mean(axis=0), 0.0, atol=1e-4)
        np.testing.assert_allclose(own.std(axis=0), 1.0, atol=1e-4)
    np.testing.assert_array_equal(
        adapt_to_speakers(only(data, 2)).vectors, only(adapted, 2).vectors
    )


def test_a_speaker_with_one_clip_adapts_to_zeros() -> None:
    data = made_up(speakers=1)
    adapted = adapt_to_speakers(data.where(np.arange(data.true.size) == 0))
    np.testing.assert_array_equal(adapted.vectors, np.zeros((1, 20)))


def utterance(name: str = "a", emotion: str = "anger", speaker: str | None = "x") -> Utterance:
    return Utterance(name, path=f"{name}.wav", emotion=emotion, speaker=speaker, corpus="toy")


def test_a_clip_of_an_unknown_speaker_is_refused() -> None:
    clips = [utterance(), utterance("b", "fear", None)]
    with pytest.raises(TrainingError, match="no known speaker, first 'b'"):
        label_vectors(np.zeros((2, 4), np.float32), clips)


def test_a_single_emotion_is_refused() -> None:
    with pytest.raises(TrainingError, match="the emotions anger; two or more"):
        label_vectors(np.zeros((1, 4), np.float32), [utterance()])


def test_labels_are_the_emotions_at_hand_in_the_usual_order() -> None:
    clips = [utterance(), utterance("b", "neutral", "y")]
    data = label_vectors(np.zeros((2, 4), np.float32), clips)
    assert data.labels.labels == ("neutral", "anger")
    assert data.true.tolist() == [1, 0]
    assert data.speakers.tolist() == ["toy/x", "toy/y"]


def test_features_are_computed_once(
    toy_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_manifest(toy_manifest)[:3]
    first, _, _ = cached_features(clips, "mfcc", Conditioning(), max_seconds=8.0, folder=tmp_path)
    monkeypatch.setattr(feature_cache, "functional_vector", None)
    again, _, _ = cached_features(clips, "mfcc", Conditioning(), max_seconds=8.0, folder=tmp_path)
    assert first.shape == (3, 429)
    np.testing.assert_array_equal(first, again)


def test_another_front_end_or_conditioning_is_never_served_from_old_entries(
    toy_manifest: Path, tmp_path: Path
) -> None:
    clips = read_manifest(toy_manifest)[:1]
    loud, _, _ = cached_features(clips, "mfcc", Conditioning(), max_seconds=8.0, folder=tmp_path)
    full, _, _ = cached_features(clips, "full", Conditioning(), max_seconds=8.0, folder=tmp_path)
    quiet, _, _ = cached_features(
        clips, "mfcc", Conditioning(level_dbfs=-46.0), max_seconds=8.0, folder=tmp_path
    )
    assert full.shape == (1, 1652)
    assert not np.array_equal(loud, quiet)


def test_unusable_clips_are_named_and_the_rest_stays_in_step(
    toy_manifest: Path, tmp_path: Path
) -> None:
    good = read_manifest(toy_manifest)[:2]
    bad = replace(good[0], id="gone", path=str(tmp_path / "gone.wav"))
    vectors, usable, failed = cached_features(
        [good[0], bad, good[1]], "mfcc", Conditioning(), max_seconds=8.0, folder=tmp_path
    )
    assert vectors.shape[0] == 2
    assert usable == good
    assert [clip.id for clip, _ in failed] == ["gone"]
    with pytest.raises(TrainingError, match="none of the 1 clips can be used"):
        cached_features([bad], "mfcc", Conditioning(), max_seconds=8.0, folder=tmp_path)


def test_an_unknown_front_end_is_one_clear_error(toy_manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="front end must be one of"):
        cached_features(
            read_manifest(toy_manifest), "magic", Conditioning(), max_seconds=8.0, folder=tmp_path
        )
