"""Conditioning: each step in closed form, and independence of the gain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from serenade.audio.condition import condition, normalise_level, remove_offset, trim_silence
from serenade.errors import AudioError
from serenade.types import Conditioning, FloatArray, Waveform

RATE = 16_000
PLAIN = Conditioning(remove_offset=False, trim_below_db=None, level_dbfs=None)


def tone(seconds: float = 1.0, amplitude: float = 0.5) -> FloatArray:
    time_axis = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * 400 * time_axis)).astype(np.float32)


def wave(*pieces: npt.NDArray[np.floating]) -> Waveform:
    return Waveform(np.concatenate(pieces).astype(np.float32), RATE)


def silence(seconds: float) -> FloatArray:
    return np.zeros(round(seconds * RATE), np.float32)


def speech_like(seed: int = 0) -> Waveform:
    generator = np.random.default_rng(seed)
    envelope = np.repeat(generator.uniform(0, 1, 30) ** 3, RATE // 10)
    return wave(envelope * generator.standard_normal(envelope.size) * 0.1)


def test_offset_is_subtracted() -> None:
    shifted = remove_offset(wave(tone() + 0.25))
    np.testing.assert_allclose(shifted.samples, tone(), atol=1e-6)


def test_quiet_is_trimmed_up_to_the_padding() -> None:
    hum = tone(1.0, 0.001)
    waveform = wave(hum[: RATE // 2], tone(1.0), hum)
    assert trim_silence(waveform, padding_seconds=0.0).samples.size == RATE
    trimmed = trim_silence(waveform, padding_seconds=0.05)
    start, stop = round(0.45 * RATE), round(1.55 * RATE)
    np.testing.assert_array_equal(trimmed.samples, waveform.samples[start:stop])


def test_digital_silence_around_a_clip_leaves_no_trace() -> None:
    hum = tone(0.02, 0.001)
    clip = wave(hum, tone(1.0), hum)
    surrounded = wave(silence(0.5), clip.samples, silence(0.7))
    np.testing.assert_array_equal(trim_silence(surrounded).samples, clip.samples)
    np.testing.assert_array_equal(trim_silence(clip).samples, clip.samples)
    shifted = Waveform(surrounded.samples + np.float32(0.01), RATE)
    assert trim_silence(shifted, below_db=30.0).samples.size == clip.samples.size


def test_a_wave_that_is_flat_in_every_frame_is_trimmed_as_well() -> None:
    steps = np.repeat([0.1, -0.1, 0.1, -0.1], RATE // 100)
    assert trim_silence(wave(silence(0.1), steps)).samples.size == steps.size


def test_trimming_keeps_pauses_and_what_is_louder_than_the_threshold() -> None:
    waveform = wave(tone(0.3, 0.02), silence(0.5), tone(0.3, 0.5))
    assert trim_silence(waveform, below_db=40.0).samples.size == waveform.samples.size
    assert trim_silence(waveform, below_db=20.0, padding_seconds=0).samples.size == 4800


def test_the_active_part_gets_the_level() -> None:
    result = normalise_level(wave(silence(2.0), tone(1.0, 0.01), silence(1.0)), level_dbfs=-20.0)
    active = result.samples[2 * RATE : 3 * RATE]
    assert 20 * np.log10(np.sqrt(np.mean(active**2))) == pytest.approx(-20.0, abs=0.05)


def test_the_peak_never_passes_full_scale() -> None:
    click = silence(1.0)
    click[::1600] = 0.5
    result = normalise_level(wave(click), level_dbfs=-6.0)
    assert np.abs(result.samples).max() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("denoise", [False, True])
@pytest.mark.parametrize("gain", [0.001, 0.1, 3.0, 100.0])
def test_the_gain_does_not_matter(gain: float, denoise: bool) -> None:
    waveform = speech_like()
    louder = Waveform(waveform.samples * np.float32(gain), RATE)
    expected = condition(waveform, Conditioning(), denoise=denoise)
    result = condition(louder, Conditioning(), denoise=denoise)
    np.testing.assert_allclose(result.samples, expected.samples, atol=2e-5)


def test_no_step_leaves_the_samples_alone() -> None:
    waveform = speech_like()
    np.testing.assert_array_equal(condition(waveform, PLAIN).samples, waveform.samples)


def test_each_step_can_be_had_alone() -> None:
    waveform = wave(silence(0.5), tone() + 0.1, silence(0.5))
    no_offset = condition(waveform, Conditioning(trim_below_db=None, level_dbfs=None))
    np.testing.assert_array_equal(no_offset.samples, remove_offset(waveform).samples)
    level = condition(waveform, Conditioning(remove_offset=False, trim_below_db=None))
    np.testing.assert_array_equal(level.samples, normalise_level(waveform).samples)


def test_the_input_is_not_changed() -> None:
    waveform = speech_like()
    before = waveform.samples.copy()
    condition(waveform, Conditioning(), denoise=True)
    np.testing.assert_array_equal(waveform.samples, before)


@pytest.mark.parametrize("value", [0.0, 0.3])
@pytest.mark.parametrize("conditioning", [Conditioning(), PLAIN])
def test_digital_silence_is_refused(value: float, conditioning: Conditioning) -> None:
    silent = Waveform(np.full(RATE, value, np.float32), RATE)
    with pytest.raises(AudioError, match="holds only silence"):
        condition(silent, conditioning)
    with pytest.raises(AudioError, match="holds only silence"):
        normalise_level(silent)


def test_no_samples_are_refused() -> None:
    with pytest.raises(AudioError, match="holds no samples"):
        condition(Waveform(np.zeros(0, np.float32), RATE), Conditioning())


@pytest.mark.parametrize("n_samples", [2, 5, 159, 161, 320])
def test_very_short_clips_pass(n_samples: int) -> None:
    result = condition(Waveform(tone()[1 : n_samples + 1], RATE), Conditioning(), denoise=True)
    assert result.samples.size == n_samples
    assert np.isfinite(result.samples).all()


def test_noise_is_reduced_where_the_model_asks_for_it() -> None:
    rng = np.random.default_rng(0)
    seconds = np.arange(RATE) / RATE
    speech = np.where(seconds % 0.4 < 0.2, np.sin(2 * np.pi * 200 * seconds), 0.0)
    noisy = Waveform((0.1 * speech + 0.05 * rng.standard_normal(RATE)).astype(np.float32), RATE)
    always = condition(noisy, Conditioning(reduce_noise=True))
    asked = condition(noisy, Conditioning(), denoise=True)
    np.testing.assert_array_equal(always.samples, asked.samples)
    plain = condition(noisy, Conditioning())
    assert plain.samples.size != always.samples.size or np.any(plain.samples != always.samples)


def test_a_step_that_is_off_does_not_change_older_keys() -> None:
    assert "reduce_noise" not in Conditioning().to_json()
    assert Conditioning(reduce_noise=True).to_json()["reduce_noise"] is True
