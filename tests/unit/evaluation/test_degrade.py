from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from serenade.evaluation import degrade
from serenade.types import Waveform

RATE = 16_000


def tone(hz: float, *, seconds: float = 1.0, level: float = 0.1) -> Waveform:
    time = np.arange(round(seconds * RATE)) / RATE
    return Waveform((level * np.sin(2 * np.pi * hz * time)).astype(np.float32), RATE)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("snr_db", [20, 5, 0])
def test_noise_is_added_at_the_ratio_asked_for(snr_db: int) -> None:
    speech = tone(200)
    noise = degrade.white_noise(5000, np.random.default_rng(0))
    noisy = degrade.add_noise(speech, noise, snr_db=snr_db)
    added = noisy.samples - speech.samples
    assert level_db(speech.samples) - level_db(added) == pytest.approx(snr_db, abs=0.01)


def test_silent_noise_changes_nothing() -> None:
    speech = tone(200)
    assert degrade.add_noise(speech, np.zeros(10, dtype=np.float32), snr_db=0) is speech


def test_babble_has_every_voice_at_the_same_level() -> None:
    loud, soft = tone(300, level=0.5).samples, tone(1000, level=0.001).samples
    total = degrade.babble([loud, soft], RATE)
    spectrum = np.abs(np.fft.rfft(total))
    assert spectrum[300] == pytest.approx(spectrum[1000], rel=0.01)


def test_reverberation_agrees_with_scipy_and_keeps_length_level_and_place() -> None:
    rng = np.random.default_rng(1)
    speech = Waveform(rng.normal(size=4000).astype(np.float32), RATE)
    response = degrade.room_response(reverberation_seconds=0.2, sample_rate=RATE, rng=rng)
    delayed = np.concatenate([np.zeros(50, dtype=np.float32), response])
    wet = degrade.reverberate(speech, delayed)
    expected = signal.fftconvolve(speech.samples, response)[:4000]
    expected *= np.sqrt(np.mean(speech.samples**2) / np.mean(expected**2))
    np.testing.assert_allclose(wet.samples, expected, atol=1e-5)
    assert level_db(wet.samples) == pytest.approx(level_db(speech.samples), abs=1e-3)


def test_made_up_room_falls_by_sixty_decibels_in_its_time() -> None:
    rng = np.random.default_rng(0)
    response = degrade.room_response(reverberation_seconds=1.0, sample_rate=RATE, rng=rng)
    early, late = response[200:1800], response[-1600:]
    assert level_db(early) - level_db(late) == pytest.approx(60 * 0.9, abs=3)


def test_band_pass_agrees_with_scipy() -> None:
    ours = degrade.band_pass(300, 3400, sample_rate=8000)
    theirs = signal.firwin(321, [300, 3400], pass_zero=False, fs=8000, scale=False)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_telephone_keeps_its_band_and_nothing_else() -> None:
    for hz, kept in ((1000, True), (3000, True), (100, False), (3800, False), (5000, False)):
        heard = degrade.telephone(tone(hz)).samples[4000:12000]
        loss = level_db(tone(hz).samples) - level_db(heard)
        assert (abs(loss) < 0.5) if kept else (loss > 40), hz


def test_codecs_leave_speech_of_about_the_same_length() -> None:
    rng = np.random.default_rng(0)
    speech = Waveform(rng.normal(scale=0.05, size=RATE).astype(np.float32), RATE)
    for container in ("mp3", "opus"):
        heard = degrade.compress(speech, container, kbits_per_second=16)
        assert heard.duration_seconds == pytest.approx(1.0, abs=0.12)
        assert not np.array_equal(heard.samples[:8000], speech.samples[:8000])


def test_gain_is_in_decibels() -> None:
    loud = degrade.change_gain(tone(200), gain_db=20)
    np.testing.assert_allclose(loud.samples, 10 * tone(200).samples, rtol=1e-6)


def test_clipping_cuts_the_share_asked_for() -> None:
    rng = np.random.default_rng(0)
    speech = Waveform(rng.normal(size=10_000).astype(np.float32), RATE)
    clipped = degrade.clip_loudest(speech, share=0.1).samples
    assert np.mean(np.abs(clipped) >= 1.0) == pytest.approx(0.1, abs=0.001)
    silent = Waveform(np.zeros(10, dtype=np.float32), RATE)
    assert degrade.clip_loudest(silent, share=0.1) is silent


def test_speed_moves_length_and_pitch() -> None:
    fast = degrade.change_speed(tone(400), factor=1.1)
    assert fast.duration_seconds == pytest.approx(1 / 1.1, abs=0.001)
    spectrum = np.abs(np.fft.rfft(fast.samples))
    assert spectrum.argmax() / fast.duration_seconds == pytest.approx(440, abs=1.5)


def test_cut_keeps_the_middle_and_leaves_short_clips_alone() -> None:
    ramp = Waveform(np.arange(1000, dtype=np.float32), 1000)
    np.testing.assert_array_equal(degrade.cut(ramp, seconds=0.5).samples, ramp.samples[250:750])
    np.testing.assert_array_equal(degrade.cut(ramp, seconds=2).samples, ramp.samples)
