"""Ensembles: one bundle that answers as its members do together, or one sentence why it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.tiny_bundle import (
    feature_model,
    tiny_spec,
    tone,
    waveform_model,
    write_adaptive_bundle,
    write_tiny_bundle,
)

from serenade.emotions import LabelSet
from serenade.errors import UsageError
from serenade.inference.recognizer import Recognizer
from serenade.model.spec import FeatureInput, read_spec
from serenade.model.windowing import Windowing
from serenade.training.ensemble import build_ensemble
from serenade.types import Conditioning, Waveform

if TYPE_CHECKING:
    from pathlib import Path

CLIPS = [
    Waveform(tone(hertz, seconds=seconds), 16_000)
    for hertz, seconds in ((600.0, 0.5), (2_000.0, 1.1), (4_500.0, 1.9))
]


@pytest.fixture
def soft(tmp_path: Path) -> Path:
    spec = tiny_spec(name="soft", temperature=3.0, abstain_below=0.2, licence="CC-BY-4.0")
    return write_tiny_bundle(tmp_path / "soft", spec)


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """The labels of the tiny model in another order, so that it contradicts the other one."""
    spec = tiny_spec(
        name="turned",
        labels=LabelSet(("anger", "sadness", "happiness", "neutral")),
        temperature=0.7,
        windowing=Windowing(
            min_seconds=0.3, max_seconds=5.0, hop_seconds=2.5, sure_from_seconds=0.8
        ),
        intensity=False,
    )
    return write_tiny_bundle(tmp_path / "turned", spec)


def _probabilities(model: Path, clip: Waveform) -> dict[str, float]:
    return dict(Recognizer.load(model).predict(clip).probabilities)


def test_it_answers_with_the_weighted_mean_of_the_calibrated_probabilities(
    soft: Path, turned: Path, tmp_path: Path
) -> None:
    assert build_ensemble([soft, turned], [3.0, 1.0], tmp_path / "both", version="1.0.0") < 1e-5
    for clip in CLIPS:
        one, other = _probabilities(soft, clip), _probabilities(turned, clip)
        for emotion, probability in _probabilities(tmp_path / "both", clip).items():
            expected = 0.75 * one[emotion] + 0.25 * other[emotion]
            assert probability == pytest.approx(expected, abs=1e-5)


def test_it_says_where_it_comes_from_and_suits_all_members(
    soft: Path, turned: Path, tmp_path: Path
) -> None:
    build_ensemble([soft, turned], [3.0, 1.0], tmp_path / "both", version="2.0.0")
    spec = read_spec(tmp_path / "both" / "spec.json")
    assert spec.model_id == "both 2.0.0"
    assert spec.windowing.min_seconds == 0.3
    assert spec.windowing.max_seconds == 2.0
    assert spec.windowing.sure_from_seconds == 0.8
    assert spec.temperature == 1.0
    assert spec.abstain_below == pytest.approx(0.75 * 0.2 + 0.25 * 0.4)
    assert spec.licence == "CC-BY-4.0; CC0-1.0"
    assert spec.metrics["members"]["soft 1.0.0"]["weight"] == 0.75
    assert spec.intensity  # of the member that rates it
    assert Recognizer.load(tmp_path / "both").predict(CLIPS[0]).intensity == pytest.approx(
        Recognizer.load(soft).predict(CLIPS[0]).intensity, abs=1e-6
    )


def test_of_different_label_sets_the_common_emotions_count(soft: Path, tmp_path: Path) -> None:
    spec = tiny_spec(name="few", labels=LabelSet(("sadness", "boredom", "anger")), intensity=False)
    few = write_tiny_bundle(tmp_path / "few", spec, model=waveform_model(n_labels=3))
    build_ensemble([soft, few], [1.0, 1.0], tmp_path / "both", version="1.0.0")
    one, other = _probabilities(soft, CLIPS[0]), _probabilities(few, CLIPS[0])
    got = _probabilities(tmp_path / "both", CLIPS[0])
    assert list(got) == ["sadness", "anger"]
    expected = 0.5 * one["anger"] / (one["anger"] + one["sadness"]) + 0.5 * other["anger"] / (
        other["anger"] + other["sadness"]
    )
    assert got["anger"] == pytest.approx(expected, abs=1e-5)


def test_members_that_adapt_to_speakers_join_as_they_are_without_a_speaker(
    soft: Path, tmp_path: Path
) -> None:
    adaptive = write_adaptive_bundle(tmp_path / "adaptive", name="adaptive")
    build_ensemble([soft, adaptive], [1.0, 1.0], tmp_path / "both", version="1.0.0")
    assert read_spec(tmp_path / "both" / "spec.json").adaptation is None


def test_an_ensemble_can_be_a_member(soft: Path, turned: Path, tmp_path: Path) -> None:
    build_ensemble([soft, turned], [1.0, 1.0], tmp_path / "both", version="1.0.0")
    build_ensemble([tmp_path / "both", soft], [1.0, 1.0], tmp_path / "more", version="1.0.0")
    one, other = (_probabilities(model, CLIPS[1]) for model in (soft, turned))
    for emotion, probability in _probabilities(tmp_path / "more", CLIPS[1]).items():
        assert probability == pytest.approx(0.75 * one[emotion] + 0.25 * other[emotion], abs=1e-5)


def test_what_cannot_be_joined_is_one_clear_error(soft: Path, tmp_path: Path) -> None:
    output = tmp_path / "both"
    spec = tiny_spec(name="raw", conditioning=Conditioning(level_dbfs=None))
    raw = write_tiny_bundle(tmp_path / "raw", spec)
    with pytest.raises(UsageError, match="condition audio differently"):
        build_ensemble([soft, raw], [1.0, 1.0], output, version="1.0.0")
    spec = tiny_spec(name="vector", input=FeatureInput("mfcc", "x"), intensity=False)
    vector = write_tiny_bundle(tmp_path / "vector", spec, model=feature_model(3))
    with pytest.raises(UsageError, match="features of a classical model"):
        build_ensemble([soft, vector], [1.0, 1.0], output, version="1.0.0")
    spec = tiny_spec(name="other", labels=LabelSet(("boredom", "calm")), intensity=False)
    other = write_tiny_bundle(tmp_path / "other", spec, model=waveform_model(n_labels=2))
    with pytest.raises(UsageError, match="fewer than two emotions in common"):
        build_ensemble([soft, other], [1.0, 1.0], output, version="1.0.0")
    with pytest.raises(UsageError, match="two models or more"):
        build_ensemble([soft], [1.0], output, version="1.0.0")
    with pytest.raises(UsageError, match="2 models and 1 weights"):
        build_ensemble([soft, soft], [1.0], output, version="1.0.0")
    with pytest.raises(UsageError, match="weights must be above 0"):
        build_ensemble([soft, soft], [1.0, np.nan], output, version="1.0.0")
    with pytest.raises(UsageError, match="weights must have a finite sum, got inf"):
        build_ensemble([soft, soft], [1e308, 1e308], output, version="1.0.0")
    with pytest.raises(UsageError, match=r"version must be 1 to 40 letters.* got 'zz z'"):
        build_ensemble([soft, soft], [1.0, 1.0], output, version="zz z")
    assert not output.exists()
    output.mkdir()
    with pytest.raises(UsageError, match="exists already"):
        build_ensemble([soft, soft], [1.0, 1.0], output, version="1.0.0")
