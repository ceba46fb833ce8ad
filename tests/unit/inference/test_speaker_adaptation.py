"""A model that adapts hears a voice by what it knows of the speaker.

The tiny model hears pitch. A speaker whose voice is higher than that of the population sounds like
another emotion, until the model knows the voice.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.tiny_bundle import TONES_HZ, tone, write_adaptive_bundle, write_tiny_bundle

from serenade.audio.codec import encode
from serenade.errors import AudioError, UsageError
from serenade.inference.recognizer import Recognizer
from serenade.inference.timeline import TimelineConfig
from serenade.model.adaptation import Adaptation
from serenade.types import HeardSpeech, Waveform

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.inference.timeline import Timeline
    from serenade.types import Prediction

CENTRES = {name: 2 * np.sin(np.pi * f / 16000) for name, f in TONES_HZ.items()}
PACE = TimelineConfig(window_seconds=2.0, step_seconds=1.0)
LITTLE_PRIOR = Adaptation(n_embedding=1, prior_clips=0.01, prior_clips_deviation=1000.0)


def _clip(pitch: float, seconds: float = 1.0) -> Waveform:
    """Give a tone of a pitch, as the tiny model measures it."""
    return Waveform(tone(np.arcsin(pitch / 2) * 16000 / np.pi, seconds=seconds), 16000)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    return Recognizer.load(write_adaptive_bundle(folder, adaptation=LITTLE_PRIOR))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


def _between_pauses(clip: Waveform) -> Waveform:
    """Add what shows that the clip is speech, with some noise."""
    samples = np.concatenate([np.zeros(16000), clip.samples, np.zeros(16000)])
    noise = np.random.default_rng(7).normal(0.0, 1e-4, samples.size)
    return Waveform((samples + noise).astype(np.float32), 16000)


def _emotions(timeline: Timeline) -> list[str]:
    return [hop.prediction.emotion for hop in timeline.hops if hop.prediction is not None]


def _chances(prediction: Prediction) -> list[float]:
    return list(prediction.probabilities.values())


def test_a_known_voice_is_judged_relative_to_itself(recognizer: Recognizer) -> None:
    # the speaker's usual pitch is 0.7, so 0.7 + 0.08 is as sadness is to a voice of pitch 0
    reference = recognizer.speaker_reference([_clip(0.6), _clip(0.8)])
    assert recognizer.predict(_clip(0.78)).emotion != "sadness"
    adapted = recognizer.predict(_clip(0.78), reference=reference)
    assert adapted.emotion == "sadness"
    assert adapted.adapted_to == HeardSpeech(2, 2.0)


def test_the_prior_keeps_a_single_clip_from_deciding(tmp_path: Path) -> None:
    shy = write_adaptive_bundle(tmp_path / "tiny", adaptation=Adaptation(1, 50.0, 50.0))
    recognizer = Recognizer.load(shy)
    reference = recognizer.speaker_reference([_clip(1.1)])
    before, after = (
        recognizer.predict(_clip(1.1)),
        recognizer.predict(_clip(1.1), reference=reference),
    )
    assert after.emotion == before.emotion == "happiness"
    np.testing.assert_allclose(_chances(after), _chances(before), atol=0.05)


def test_a_prediction_says_whether_it_was_adapted(recognizer: Recognizer) -> None:
    clip = _clip(0.4)
    reference = recognizer.speaker_reference([clip, clip, clip])
    assert "adapted_to" not in recognizer.predict(clip).to_json("a.wav")
    record = recognizer.predict(clip, reference=reference).to_json("a.wav")
    assert record["adapted_to"] == {"clips": 3, "seconds": 3.0}


def test_a_batch_adapts_in_one_process_as_in_several(recognizer: Recognizer) -> None:
    reference = recognizer.speaker_reference([_clip(0.6), _clip(0.8)])
    clips = [_clip(pitch) for pitch in (0.5, 0.78, 1.4)]
    alone = [recognizer.predict(clip, reference=reference) for clip in clips]
    for workers in (1, 2):
        outcomes = recognizer.predict_many(clips, workers=workers, reference=reference)
        assert [outcome.prediction for outcome in outcomes] == alone


def test_a_long_recording_is_known_window_by_window(recognizer: Recognizer) -> None:
    # windows of 2 s: 0 to 2, 2 to 4 and, half of it again, 3 to 5
    reference = recognizer.speaker_reference([_clip(0.5, seconds=5.0)])
    assert reference.heard == HeardSpeech(3, 5.0)
    assert reference.weight == pytest.approx(2.5)


def test_silence_tells_nothing_of_a_speaker(recognizer: Recognizer, tmp_path: Path) -> None:
    silence = Waveform(np.zeros(16000, np.float32), 16000)
    (tmp_path / "voice.wav").write_bytes(encode(_clip(0.5), "wav"))
    reference = recognizer.speaker_reference([silence, tmp_path / "voice.wav"])
    assert reference.heard == HeardSpeech(1, 1.0)
    with pytest.raises(
        AudioError, match=r"hold nothing that the model can hear; give at least one"
    ):
        recognizer.speaker_reference([silence])
    with pytest.raises(AudioError, match=r"give at least one with 0\.1 s of speech"):
        recognizer.speaker_reference([])


def test_an_unreadable_recording_of_the_speaker_is_an_error(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    (tmp_path / "voice.wav").write_bytes(b"no audio")
    with pytest.raises(AudioError, match=r"voice\.wav"):
        recognizer.speaker_reference([_clip(0.5), tmp_path / "voice.wav"])


def test_a_model_that_does_not_adapt_says_so_once(
    plain: Recognizer, recognizer: Recognizer
) -> None:
    assert recognizer.adapts_to_speakers
    assert not plain.adapts_to_speakers
    reference = recognizer.speaker_reference([_clip(0.5)])
    with pytest.raises(UsageError, match=r"model tiny 1\.0\.0 cannot adapt to a speaker; leave"):
        plain.speaker_reference([_clip(0.5)])
    with pytest.raises(UsageError, match="cannot adapt to a speaker"):
        plain.predict(_clip(0.5), reference=reference)
    with pytest.raises(UsageError, match="cannot adapt to a speaker"):
        plain.predict_many([_clip(0.5)], reference=reference)
    with pytest.raises(UsageError, match="cannot adapt to a speaker"):
        plain.stream(16000, adapt=True)


def test_a_reference_of_another_model_is_refused(recognizer: Recognizer, tmp_path: Path) -> None:
    folder = write_adaptive_bundle(tmp_path / "tiny", version="2.0.0")
    reference = Recognizer.load(folder).speaker_reference([_clip(0.5)])
    with pytest.raises(UsageError, match=r"made with tiny 2\.0\.0 and cannot be used with tiny 1"):
        recognizer.predict(_clip(0.5), reference=reference)


def test_only_what_was_added_can_be_taken_away(recognizer: Recognizer) -> None:
    one, other = (recognizer.speaker_reference([_clip(pitch)]) for pitch in (0.5, 0.8))
    assert (one + other - one).heard == other.heard
    assert (one - one).heard == HeardSpeech(0, 0.0)
    with pytest.raises(UsageError, match=r"of 1 clips \(1\.000 s\) does not hold one of 2 \(2"):
        one - (one + other)
    with pytest.raises(UsageError, match="take away only what was added"):
        one - recognizer.speaker_reference([_clip(0.5, seconds=2.0)])
    for operation in (operator.add, operator.sub):
        with pytest.raises(TypeError, match="unsupported operand"):
            operation(one, 5)


def test_a_reference_is_made_by_a_model(plain: Recognizer, recognizer: Recognizer) -> None:
    message = "reference must be a SpeakerReference, got 'x'"
    for model in (plain, recognizer):
        with pytest.raises(UsageError, match=message):
            model.predict(_clip(0.5), reference="x")  # type: ignore[arg-type]  # on purpose
        with pytest.raises(UsageError, match=message):
            model.predict_many([], reference="x")  # type: ignore[arg-type]  # on purpose
        with pytest.raises(UsageError, match=message):
            model.stream(16000, reference="x", adapt=True)  # type: ignore[arg-type]  # on purpose


def test_a_stream_gets_to_know_the_speaker(recognizer: Recognizer) -> None:
    one, other = (_between_pauses(_clip(0.7, seconds=s)).samples for s in (8.3, 4.1))
    voice = Waveform(np.concatenate([one, other]), 16000)
    plain = recognizer.timeline(voice, config=PACE)
    running = recognizer.timeline(voice, config=PACE, adapt=True)
    assert plain.adapted_to is None
    assert "adapted_to" not in plain.to_json("a.wav")
    assert "sadness" not in _emotions(plain)
    # a voice that never changes is 0 to itself, which is nearest to sadness
    assert _emotions(running)[-1] == "sadness"
    assert running.adapted_to is not None
    assert running.adapted_to.seconds == pytest.approx(plain.speech_seconds, abs=0.05)
    record = running.to_json("a.wav")
    assert record["adapted_to"] == running.adapted_to.to_json()
    judged = [hop["adapted_to"]["clips"] for hop in record["hops"] if "emotion" in hop]
    assert judged == sorted(judged)


def test_a_stream_goes_on_from_what_is_known(recognizer: Recognizer) -> None:
    reference = recognizer.speaker_reference([_clip(0.6), _clip(0.8)])
    voice = _between_pauses(_clip(0.78, seconds=3.0))
    fixed = recognizer.timeline(voice, config=PACE, reference=reference)
    assert set(_emotions(fixed)) == {"sadness"}
    assert fixed.adapted_to == HeardSpeech(2, 2.0)
    going_on = recognizer.timeline(voice, config=PACE, reference=reference, adapt=True)
    assert going_on.adapted_to is not None
    assert going_on.adapted_to.n_clips > 4


def test_every_stream_knows_only_its_own_speaker(recognizer: Recognizer) -> None:
    one, other = (_between_pauses(_clip(pitch, seconds=4.0)) for pitch in (0.3, 0.9))
    alone = recognizer.timeline(other, adapt=True)
    recognizer.timeline(one, adapt=True)
    assert recognizer.timeline(other, adapt=True) == alone
