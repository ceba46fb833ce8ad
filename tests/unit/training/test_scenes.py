"""Recordings made as if elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.audio.condition import condition
from serenade.corpora.manifest import Utterance, read_manifest
from serenade.evaluation.clips import utterance_waveform
from serenade.training import scenes
from serenade.training.scenes import POOL_SIZE, Surroundings, in_the_field
from serenade.types import Conditioning

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def utterances(toy_manifest: Path) -> list[Utterance]:
    """Clips of four speakers."""
    return list(read_manifest(toy_manifest))


def test_voices_behind_a_clip_are_of_its_own_speaker_and_never_itself(
    utterances: list[Utterance],
) -> None:
    surroundings = Surroundings(utterances, ())
    for utterance in utterances:
        behind = surroundings.behind(utterance)
        assert 0 < len(behind) <= POOL_SIZE
        assert {voice.speaker_key for voice in behind} == {utterance.speaker_key}
        assert utterance.id not in {voice.id for voice in behind}


def test_who_is_behind_a_clip_does_not_depend_on_the_other_speakers(
    utterances: list[Utterance],
) -> None:
    """So folds share what is cached."""
    first = utterances[0]
    alone = [other for other in utterances if other.speaker_key == first.speaker_key]
    everybody = Surroundings(utterances, ()).behind(first)
    assert Surroundings(alone, ()).behind(first) == everybody


def test_a_recording_in_the_field_is_repeatable_and_fit_for_training(
    utterances: list[Utterance],
) -> None:
    surroundings = Surroundings(utterances, ())
    recording = utterance_waveform(utterances[0], None)
    for seed in range(30):
        first, again = (
            in_the_field(recording, utterances[0], surroundings, np.random.default_rng(seed))
            for _ in range(2)
        )
        np.testing.assert_array_equal(first.samples, again.samples)
        heard = condition(first, Conditioning())
        assert np.isfinite(heard.samples).all()
        assert 0.8 < heard.samples.size / recording.samples.size < 1.3


@pytest.mark.parametrize(("kind", "differs"), [("none", False), ("voices", True), ("white", True)])
def test_backgrounds_are_what_they_are_called(
    utterances: list[Utterance], monkeypatch: pytest.MonkeyPatch, kind: str, *, differs: bool
) -> None:
    monkeypatch.setattr(scenes, "BACKGROUNDS", {kind: 1.0})
    rng = np.random.default_rng(0)
    background = Surroundings(utterances, ()).background(utterances[0], 16_000, rng)
    assert (background is not None) == differs
    if background is not None:
        assert background.shape == (16_000,)
        peaks = np.abs(np.fft.rfft(background)) ** 2
        flatness = np.exp(np.log(peaks + 1e-12).mean()) / peaks.mean()
        assert (flatness > 0.4) == (kind == "white")
