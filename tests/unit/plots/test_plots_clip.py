"""Pictures of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from serenade.plots.clip import (
    plot_mel_spectrogram,
    plot_mfcc,
    plot_prediction,
    plot_spectrogram,
    plot_waveform,
)
from serenade.types import Prediction, Waveform

RATE = 16_000


def _tone(hz: float, *, seconds: float = 1.0, amplitude: float = 0.5) -> Waveform:
    times = np.arange(round(seconds * RATE)) / RATE
    return Waveform((amplitude * np.sin(2 * np.pi * hz * times)).astype(np.float32), RATE)


def test_a_short_waveform_is_drawn_sample_by_sample() -> None:
    waveform = _tone(100, seconds=0.1)
    line: Any = plot_waveform(waveform).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), waveform.samples)
    np.testing.assert_allclose(line.get_xdata(), np.arange(1600) / RATE)


def test_a_long_waveform_keeps_its_single_peak() -> None:
    samples = np.zeros(60 * RATE, np.float32)
    samples[123_457] = 0.9
    axes: Any = plot_waveform(Waveform(samples, RATE)).axes[0]
    outline = axes.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(0.9)
    place = outline[outline[:, 1].argmax(), 0]
    assert place == pytest.approx(123_457 / RATE, abs=60 / 4000)


def test_a_tone_lies_at_its_frequency_in_the_spectrogram() -> None:
    image: Any = plot_spectrogram(_tone(2000)).axes[0].images[0]
    level = image.get_array()
    left, right, bottom, top = image.get_extent()
    assert (left, right, bottom, top) == (0.0, 1.0, 0.0, 8.0)
    loudest = int(level[:, level.shape[1] // 2].argmax())
    assert loudest / (level.shape[0] - 1) * top == pytest.approx(2.0, abs=0.05)


def test_the_mel_axis_names_the_band_of_a_tone() -> None:
    axes: Any = plot_mel_spectrogram(_tone(1000), n_mels=64).axes[0]
    level = axes.images[0].get_array()
    loudest = int(level[:, level.shape[1] // 2].argmax())
    ticks = dict(
        zip([t.get_text() for t in axes.get_yticklabels()], axes.get_yticks(), strict=True)
    )
    assert ticks["1,000"] == pytest.approx(loudest + 0.5, abs=1.0)


def test_the_cepstrum_leaves_the_level_out_and_is_centred_on_zero() -> None:
    image: Any = plot_mfcc(_tone(500), n_mfcc=13).axes[0].images[0]
    assert image.get_array().shape[0] == 12
    low, high = image.get_clim()
    assert low == -high


def test_silence_can_be_drawn() -> None:
    silence = Waveform(np.zeros(1600, np.float32), RATE)
    for plot in (plot_waveform, plot_spectrogram, plot_mel_spectrogram, plot_mfcc):
        assert plot(silence).axes


def test_silence_is_drawn_as_quiet_not_as_the_loudest_point() -> None:
    silence = Waveform(np.zeros(1600, np.float32), RATE)
    for plot in (plot_spectrogram, plot_mel_spectrogram):
        image: Any = plot(silence).axes[0].images[0]
        assert np.all(image.get_array() == image.get_clim()[0])
    image = plot_mfcc(silence).axes[0].images[0]
    assert np.abs(image.get_array()).max() < 0.01 * image.get_clim()[1]


def test_what_is_silent_beside_a_faint_sound_is_drawn_as_silent() -> None:
    faint = _tone(1000, amplitude=1e-7)
    faint.samples[RATE // 2 :] = 0.0
    image: Any = plot_spectrogram(faint).axes[0].images[0]
    level = image.get_array()
    assert level.max() == pytest.approx(0.0, abs=1e-4)
    assert np.all(level[:, -10:] == image.get_clim()[0])


def test_a_prediction_shows_each_emotion_with_its_probability() -> None:
    prediction = Prediction(
        emotion="anger",
        confidence=0.75,
        probabilities={"neutral": 0.2, "anger": 0.75, "cheeky": 0.05},
        abstained=True,
        intensity=None,
        duration_seconds=1.0,
        model="toy 1",
    )
    figure: Any = plot_prediction(_tone(300), prediction)
    bars = figure.axes[2]
    names = [label.get_text() for label in bars.get_yticklabels()]
    widths = [patch.get_width() for patch in bars.patches]
    assert dict(zip(names, widths, strict=True)) == pytest.approx(
        {"neutral": 20.0, "anger": 75.0, "cheeky": 5.0}
    )
    assert figure.get_suptitle() == "anger 75 % (not sure)"
