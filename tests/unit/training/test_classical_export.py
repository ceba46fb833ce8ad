"""Bundles of classical models: what scikit-learn says, without scikit-learn."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from serenade.corpora.manifest import read_manifest
from serenade.emotions import LabelSet
from serenade.errors import TrainingError, UsageError
from serenade.features.frontends import get_front_end
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.model.calibration import probabilities
from serenade.model.scorer import open_scorer
from serenade.model.spec import FeatureInput, TrainingData
from serenade.training import classical_export
from serenade.training.classical import ClassicalModel, train_classical
from serenade.training.classical_export import export_classical
from serenade.training.classifiers import CLASSIFIERS
from serenade.training.feature_cache import cached_features
from serenade.training.recipe import ExportRecipe
from serenade.training.vectors import LabelledVectors, adapt_to_speakers, label_vectors
from serenade.types import Conditioning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.types import FloatArray

TEXTS = ExportRecipe(description="Tells two tones apart.", licence="none: made-up tones")

# An import of any of these fails in the child, as it would in an environment without them.
WITHOUT_WORKBENCH = """
import sys
for name in ("sklearn", "skl2onnx", "onnx", "torch", "scipy"):
    sys.modules[name] = None
from serenade.cli.main import run
run()
"""


@pytest.fixture(scope="module")
def toy_clips(
    toy_manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Utterance], FloatArray]:
    vectors, usable, failed = cached_features(
        read_manifest(toy_manifest),
        "mfcc",
        Conditioning(),
        max_seconds=TEXTS.max_seconds,
        folder=tmp_path_factory.mktemp("features"),
    )
    assert failed == []
    return usable, vectors


@pytest.fixture(scope="module")
def toy_model(toy_clips: tuple[list[Utterance], FloatArray]) -> ClassicalModel:
    utterances, vectors = toy_clips
    return train_classical("svm", label_vectors(vectors, utterances))


@pytest.fixture
def small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(CLASSIFIERS, dict)
    for kind, build in (
        ("random-forest", RandomForestClassifier),
        ("gradient-boosting", GradientBoostingClassifier),
    ):
        small = replace(CLASSIFIERS[kind], build=partial(_small, build))
        monkeypatch.setitem(CLASSIFIERS, kind, small)


def _small(build: Callable[..., Any], seed: int) -> Any:
    return build(n_estimators=20, max_features="sqrt", random_state=seed)


def export(model: ClassicalModel, folder: Path, vectors: FloatArray) -> float:
    return export_classical(
        model,
        folder,
        name="toy",
        front_end="mfcc",
        conditioning=Conditioning(),
        export=TEXTS,
        training_data=[TrainingData("toy", "none", {"clips": 32})],
        metrics={},
        check_vectors=vectors,
    )


@pytest.mark.usefixtures("small_forests")
@pytest.mark.parametrize("n_labels", [2, 5])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_graph_gives_the_probabilities_of_scikit_learn(
    kind: str, n_labels: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(n_labels)
    true = np.tile(np.arange(n_labels), 90)
    values = rng.standard_normal((true.size, 429)) + rng.standard_normal((n_labels, 429))[true]
    values = values * np.exp(rng.uniform(-3, 5, 429)) - 50.0
    data = LabelledVectors(
        values.astype(np.float32),
        true,
        np.array([f"toy/{i % 4}" for i in range(true.size)]),
        np.repeat("toy", true.size),
        LabelSet(("neutral", "happiness", "sadness", "anger", "fear")[:n_labels]),
    )
    model = train_classical(kind, data.where(np.arange(true.size) % 3 > 0))
    unseen = data.vectors[::3]
    export(model, tmp_path / "bundle", unseen)
    scorer = open_scorer(open_bundle(tmp_path / "bundle"))
    one_by_one = np.concatenate([scorer.score([vector]).logits for vector in unseen])
    np.testing.assert_allclose(
        probabilities(one_by_one, temperature=model.temperature),
        model.probabilities(unseen),
        atol=1e-4,
    )


def test_the_recogniser_judges_a_file_as_scikit_learn_judges_its_vector(
    toy_clips: tuple[list[Utterance], FloatArray], toy_model: ClassicalModel, tmp_path: Path
) -> None:
    utterances, vectors = toy_clips
    export(toy_model, tmp_path / "bundle", vectors)
    recognizer = Recognizer.load(tmp_path / "bundle")
    expected = toy_model.probabilities(vectors[:6])
    for utterance, row in zip(utterances[:6], expected, strict=True):
        given = recognizer.predict(utterance.path).probabilities
        assert tuple(given) == toy_model.labels.labels
        np.testing.assert_allclose(list(given.values()), row, atol=1e-4)


def test_prediction_needs_no_part_of_the_workbench(
    toy_clips: tuple[list[Utterance], FloatArray], toy_model: ClassicalModel, tmp_path: Path
) -> None:
    utterances, vectors = toy_clips
    export(toy_model, tmp_path / "bundle", vectors)
    command = ["predict", utterances[0].path, "--model", str(tmp_path / "bundle")]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_WORKBENCH, *command, "--format", "jsonl"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    row = toy_model.probabilities(vectors[:1])[0]
    assert json.loads(done.stdout)["confidence"] == pytest.approx(row.max(), abs=1e-4)


def test_the_bundle_names_its_front_end_and_what_it_was_trained_on(
    toy_clips: tuple[list[Utterance], FloatArray], toy_model: ClassicalModel, tmp_path: Path
) -> None:
    export(toy_model, tmp_path / "bundle", toy_clips[1])
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.spec.input == FeatureInput("mfcc", get_front_end("mfcc").fingerprint)
    assert bundle.spec.front_end["classifier"] == "svm"
    assert bundle.spec.temperature == toy_model.temperature
    assert [data.corpus for data in bundle.spec.training_data] == ["toy"]
    assert "svm (C = " in bundle.card
    assert bundle.card.count("UAR") == len(toy_model.trials)


def test_a_graph_that_differs_is_not_written(
    toy_clips: tuple[list[Utterance], FloatArray],
    toy_model: ClassicalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classical_export, "PARITY", -1.0)
    with pytest.raises(TrainingError, match="differs from scikit-learn"):
        export(toy_model, tmp_path / "bundle", toy_clips[1])
    assert not (tmp_path / "bundle").exists()


def test_a_speaker_adapted_model_is_not_exported(
    toy_clips: tuple[list[Utterance], FloatArray], tmp_path: Path
) -> None:
    utterances, vectors = toy_clips
    adapted = adapt_to_speakers(label_vectors(vectors, utterances))
    model = train_classical("logistic-regression", adapted)
    with pytest.raises(TrainingError, match="cannot judge a single recording"):
        export(model, tmp_path / "bundle", adapted.vectors)


def test_an_export_replaces_what_was_there(
    toy_clips: tuple[list[Utterance], FloatArray], toy_model: ClassicalModel, tmp_path: Path
) -> None:
    export(toy_model, tmp_path / "bundle", toy_clips[1])
    (tmp_path / "bundle" / "stray.txt").write_text("left over")
    export(toy_model, tmp_path / "bundle", toy_clips[1])
    assert open_bundle(tmp_path / "bundle").spec.name == "toy"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_an_unknown_front_end_is_one_clear_error(toy_model: ClassicalModel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="front end must be one of"):
        export_classical(
            toy_model,
            tmp_path / "bundle",
            name="toy",
            front_end="magic",
            conditioning=Conditioning(),
            export=TEXTS,
            training_data=[],
            metrics={},
            check_vectors=np.zeros((1, 429), np.float32),
        )
