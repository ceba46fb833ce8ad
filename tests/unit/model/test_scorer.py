"""The ONNX session of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.tiny_bundle import (
    TONES_HZ,
    tiny_spec,
    tone,
    waveform_model,
    write_adaptive_bundle,
    write_tiny_bundle,
)

from serenade.errors import ModelError
from serenade.model.adaptation import Adaptation, SpeakerReference
from serenade.model.bundle import open_bundle
from serenade.model.scorer import Scorer, open_scorer

if TYPE_CHECKING:
    from pathlib import Path

    from onnx import ModelProto


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    folder = write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")
    return open_scorer(open_bundle(folder))


def test_each_tone_gets_the_highest_logit_of_its_emotion(scorer: Scorer) -> None:
    scores = scorer.score([tone(f, seconds=1.0) for f in TONES_HZ.values()])
    assert scores.logits.shape == (4, 4)
    assert scores.logits.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert scores.intensity is not None
    assert np.all(np.diff(scores.intensity[[2, 0, 1, 3]]) > 0)


def test_a_batch_of_different_lengths_scores_as_one_by_one(scorer: Scorer) -> None:
    waveforms = [tone(700.0, seconds=s) for s in (0.1, 1.7, 0.4)]
    batch = scorer.score(waveforms)
    single = [scorer.score([waveform]) for waveform in waveforms]
    np.testing.assert_allclose(batch.logits, np.vstack([s.logits for s in single]), atol=1e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (waveform_model(output="scores"), "'scores'.* instead of .*'logits'"),
        (waveform_model(n_labels=3), r"logits of shape \(1, 3\) instead of \(1, 4\)"),
    ],
)
def test_a_graph_that_breaks_the_contract_is_a_model_error(
    tmp_path: Path, model: ModelProto, message: str
) -> None:
    bundle = open_bundle(write_tiny_bundle(tmp_path / "tiny", model=model))
    with pytest.raises(ModelError, match=message):
        open_scorer(bundle).score([tone(700.0, seconds=1.0)])


def test_a_file_that_is_no_graph_is_a_model_error(tmp_path: Path) -> None:
    bundle = open_bundle(write_tiny_bundle(tmp_path / "tiny"))
    bundle.model_path.write_bytes(b"not a protocol buffer")
    with pytest.raises(ModelError, match=r"cannot be loaded .*; export the bundle anew"):
        open_scorer(bundle)


def test_logits_that_are_not_finite_are_a_model_error(scorer: Scorer) -> None:
    with pytest.raises(ModelError, match="logits that are not finite"):
        scorer.score([np.full(1600, np.nan, dtype=np.float32)])


def test_intensity_is_asked_for_only_where_the_specification_has_it(tmp_path: Path) -> None:
    bundle = open_bundle(write_tiny_bundle(tmp_path / "tiny", tiny_spec(intensity=False)))
    assert open_scorer(bundle).score([tone(700.0, seconds=1.0)]).intensity is None


def test_an_adaptive_model_without_reference_scores_as_the_plain_one(
    tmp_path: Path, scorer: Scorer
) -> None:
    adaptive = open_scorer(open_bundle(write_adaptive_bundle(tmp_path / "tiny")))
    waveforms = [tone(f, seconds=1.0) for f in TONES_HZ.values()]
    plain, scores = scorer.score(waveforms), adaptive.score(waveforms)
    np.testing.assert_allclose(scores.logits, plain.logits, atol=1e-5)
    assert plain.embedding is None
    assert scores.embedding is not None
    pitches = [[2 * np.sin(np.pi * f / 16000)] for f in TONES_HZ.values()]
    np.testing.assert_allclose(scores.embedding, pitches, rtol=0.1)


def test_a_reference_shifts_and_scales_what_is_judged(tmp_path: Path) -> None:
    bundle = open_bundle(
        write_adaptive_bundle(tmp_path / "tiny", adaptation=Adaptation(1, 0.0, 1.0))
    )
    adaptive = open_scorer(bundle)
    plain = adaptive.score([tone(1000.0, seconds=1.0)])
    assert plain.embedding is not None
    reference = SpeakerReference.empty("tiny 1.0.0", Adaptation(1, 0.0, 1.0)).with_clip(
        plain.embedding[0], seconds=1.0
    )
    # one clip and no prior for the mean: nothing is left of it; the deviation is (0 + 1) / 2
    scores = adaptive.score([tone(1000.0, seconds=1.0)], reference=reference)
    centres = np.array([2 * np.sin(np.pi * f / 16000) for f in TONES_HZ.values()])
    np.testing.assert_allclose(scores.logits[0], -20.0 * centres**2, atol=1e-4)
    assert scores.embedding == pytest.approx(plain.embedding)


def test_a_graph_that_cannot_adapt_as_its_specification_says_is_a_model_error(
    tmp_path: Path,
) -> None:
    spec = tiny_spec(adaptation=Adaptation(1, 2.0, 4.0))
    bundle = open_bundle(write_tiny_bundle(tmp_path / "tiny", spec))
    with pytest.raises(ModelError, match="cannot adapt to a speaker; export the bundle anew"):
        open_scorer(bundle)


def test_an_inner_vector_of_another_length_is_a_model_error(tmp_path: Path) -> None:
    folder = write_adaptive_bundle(tmp_path / "tiny", adaptation=Adaptation(2, 2.0, 4.0))
    with pytest.raises(ModelError, match=r"embedding of shape \(1, 1\) instead of \(1, 2\)"):
        open_scorer(open_bundle(folder)).score([tone(700.0, seconds=1.0)])


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bundle = open_bundle(write_tiny_bundle(tmp_path / "tiny"))
    open_scorer(bundle).score([tone(700.0, seconds=1.0)])
    with pytest.raises(ModelError):
        open_scorer(bundle).score([np.full(1600, np.nan, dtype=np.float32)])
    assert capfd.readouterr() == ("", "")
