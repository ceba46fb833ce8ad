"""Resampling against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serenade.audio.resample import StreamResampler, resample
from serenade.errors import AudioError
from serenade.types import Waveform


def tone(hertz: float, rate: int, seconds: float = 1.0) -> Waveform:
    time = np.arange(round(seconds * rate)) / rate
    return Waveform(np.sin(2 * np.pi * hertz * time).astype(np.float32), rate)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_414, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("hertz", [100, 1000, 3400])
def test_a_tone_stays_the_same_tone(rate: int, hertz: float) -> None:
    result = resample(tone(hertz, rate), 16_000)
    expected = tone(hertz, 16_000)
    assert result.samples.size == expected.samples.size
    inside = slice(1600, -1600)
    np.testing.assert_allclose(result.samples[inside], expected.samples[inside], atol=1e-4)


@pytest.mark.parametrize("hertz", [8_500, 12_000, 20_000])
def test_what_lies_above_half_the_new_rate_is_gone(hertz: float) -> None:
    result = resample(tone(hertz, 48_000), 16_000)
    level = 20 * np.log10(np.abs(result.samples[1600:-1600]).max())
    assert level < -100


def test_the_same_rate_changes_nothing() -> None:
    waveform = tone(440, 16_000)
    np.testing.assert_array_equal(resample(waveform, 16_000).samples, waveform.samples)


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from([8_000, 16_000, 24_414, 44_100, 192_000]),
    cuts=st.lists(st.integers(0, 5_000), max_size=8),
)
def test_any_cutting_gives_the_same_stream(rate: int, cuts: list[int]) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, 5_000).astype(np.float32)
    resampler = StreamResampler(from_rate=rate, to_rate=16_000)
    pieces = [resampler.push(piece) for piece in np.split(samples, sorted(cuts))]
    pieces.append(resampler.finish())
    whole = resample(Waveform(samples, rate), 16_000).samples
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole.size == round(5_000 * 16_000 / rate)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(4_000, 16_000), (16_000, 4_000)])
def test_other_rates_are_refused(from_rate: int, to_rate: int) -> None:
    with pytest.raises(AudioError, match="sample rate of 4000 Hz; allowed"):
        resample(Waveform(np.zeros(9, np.float32), from_rate), to_rate)
