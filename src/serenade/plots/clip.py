"""Pictures of one clip: waveform, spectrograms, cepstrum, and what a model heard in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.features.cepstrum import mfcc
from serenade.features.mel import hz_to_mel, mel_to_hz, melspectrogram, power_to_db
from serenade.features.spectrum import spectrogram
from serenade.plots.style import (
    ACCENT,
    INK,
    LINE,
    SPECTRUM_COLOURS,
    emotion_colours,
    new_figure,
    set_head,
    short,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from serenade.types import FloatArray, Prediction, Waveform

FRAME_SECONDS = 0.025
HOP_SECONDS = 0.010
"""Length of and distance between the frames of every picture here [s]."""

RANGE_DB = 80.0
"""What lies this far below the loudest point is drawn as silence [dB]."""

_SILENT_POWER = 1e-10
"""What does not lie above this is digital silence, also where nothing is louder."""

_WIDTH = 8.0
_MOST_COLUMNS = 4000
_MEL_TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000, 16000)


def plot_waveform(waveform: Waveform, *, title: str = "Waveform") -> Figure:
    """Draw the amplitude of a clip against time.

    Parameters
    ----------
    waveform : Waveform
        At least one sample. Of long clips the lowest and highest sample of each column is drawn.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One pair of axes.
    """
    figure = new_figure(width_inches=_WIDTH, height_inches=2.4)
    axes = figure.add_subplot()
    draw_waveform(axes, waveform)
    tidy(axes, title=title, x_label="time (s)", y_label="amplitude")
    return figure


def plot_spectrogram(waveform: Waveform, *, title: str = "Spectrogram") -> Figure:
    """Draw the level of a clip against time and frequency in even steps.

    Parameters
    ----------
    waveform : Waveform
        At least one sample.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One pair of axes and a colour bar.
    """
    hop, n_fft = _frames(waveform)
    power = spectrogram(y=waveform.samples, n_fft=n_fft, hop_length=hop, power=2.0)
    figure = new_figure(width_inches=_WIDTH, height_inches=3.2)
    axes = figure.add_subplot()
    image = _draw_level(axes, power, waveform, top=waveform.sample_rate / 2000)
    _explain_level(figure, axes, image)
    tidy(axes, title=title, x_label="time (s)", y_label="frequency (kHz)")
    return figure


def plot_mel_spectrogram(
    waveform: Waveform, *, n_mels: int = 64, title: str = "Mel spectrogram"
) -> Figure:
    """Draw the level of a clip against time and pitch as people hear it.

    Parameters
    ----------
    waveform : Waveform
        At least one sample.
    n_mels : int
        Number of mel bands, at least 1.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One pair of axes and a colour bar.
    """
    figure = new_figure(width_inches=_WIDTH, height_inches=3.2)
    axes = figure.add_subplot()
    image = draw_mel_spectrogram(axes, waveform, n_mels=n_mels)
    _explain_level(figure, axes, image)
    tidy(axes, title=title, x_label="time (s)", y_label="frequency (Hz, mel scale)")
    return figure


def plot_mfcc(waveform: Waveform, *, n_mfcc: int = 13, title: str = "MFCC") -> Figure:
    """Draw the mel-frequency cepstral coefficients of a clip against time.

    Parameters
    ----------
    waveform : Waveform
        At least one sample.
    n_mfcc : int
        Number of coefficients, at least 2. The first, which is the level, is left out: it is ten
        times as large as the others.
    title : str
        Above the picture.

    Returns
    -------
    Figure
        One pair of axes and a colour bar; zero is white.
    """
    hop, n_fft = _frames(waveform)
    coefficients = mfcc(
        y=waveform.samples, sr=waveform.sample_rate, n_mfcc=n_mfcc, n_fft=n_fft, hop_length=hop
    )[1:]
    largest = max(float(np.abs(coefficients).max()), 1.0)  # silence has rounding errors alone
    figure = new_figure(width_inches=_WIDTH, height_inches=3.0)
    axes = figure.add_subplot()
    image = axes.imshow(
        coefficients,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        cmap="RdBu_r",
        vmin=-largest,
        vmax=largest,
        extent=(0.0, waveform.duration_seconds, 0.5, n_mfcc - 0.5),
    )
    bar = figure.colorbar(image, ax=axes, pad=0.01)
    bar.ax.tick_params(labelsize=8)
    tidy(axes, title=title, x_label="time (s)", y_label="coefficient")
    return figure


def plot_prediction(waveform: Waveform, prediction: Prediction, *, title: str = "") -> Figure:
    """Draw a clip and what a model heard in it.

    Parameters
    ----------
    waveform : Waveform
        What the model heard.
    prediction : Prediction
        What it said.
    title : str
        Above the picture; empty for the emotion and its confidence.

    Returns
    -------
    Figure
        Waveform, mel spectrogram and the probability of each emotion.
    """
    figure = new_figure(width_inches=10.0, height_inches=4.6)
    grid = figure.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(1, 2))
    shape = figure.add_subplot(grid[0, 0])
    draw_waveform(shape, waveform)
    tidy(shape, y_label="amplitude")
    shape.tick_params(labelbottom=False)
    bands = figure.add_subplot(grid[1, 0], sharex=shape)
    draw_mel_spectrogram(bands, waveform, n_mels=64)
    tidy(bands, x_label="time (s)", y_label="frequency (Hz, mel scale)")
    _draw_probabilities(figure.add_subplot(grid[:, 1]), prediction)
    sure = " (not sure)" if prediction.abstained else ""
    heading = title or f"{prediction.emotion} {100 * prediction.confidence:.0f} %{sure}"
    set_head(figure, heading)
    return figure


def draw_waveform(axes: Axes, waveform: Waveform) -> None:
    """Draw the amplitude of a clip into axes.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    waveform : Waveform
        At least one sample.
    """
    samples, rate = waveform.samples, waveform.sample_rate
    step = -(-samples.size // _MOST_COLUMNS)
    if step == 1:
        axes.plot(np.arange(samples.size) / rate, samples, color=ACCENT, linewidth=0.6)
    else:
        starts = np.arange(0, samples.size, step)
        lowest = np.minimum.reduceat(samples, starts)
        highest = np.maximum.reduceat(samples, starts)
        axes.fill_between(starts / rate, lowest, highest, color=ACCENT, linewidth=0.3)
    axes.axhline(0.0, color=LINE, linewidth=0.6, zorder=0)
    axes.set_xlim(0.0, waveform.duration_seconds)
    reach = 1.05 * max(float(np.abs(samples).max()), 1e-3)
    axes.set_ylim(-reach, reach)


def draw_mel_spectrogram(axes: Axes, waveform: Waveform, *, n_mels: int) -> AxesImage:
    """Draw the mel spectrogram of a clip into axes.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    waveform : Waveform
        At least one sample.
    n_mels : int
        Number of mel bands, at least 1.

    Returns
    -------
    AxesImage
        For a colour bar.
    """
    hop, n_fft = _frames(waveform)
    power = melspectrogram(
        y=waveform.samples,
        sr=waveform.sample_rate,
        n_fft=n_fft,
        hop_length=hop,
        n_mels=n_mels,
    )
    image = _draw_level(axes, power, waveform, top=float(n_mels))
    highest_mel = float(hz_to_mel(waveform.sample_rate / 2))
    centres_hz = mel_to_hz(np.linspace(0.0, highest_mel, n_mels + 2))[1:-1]
    ticks = [hz for hz in _MEL_TICKS_HZ if centres_hz[0] <= hz <= centres_hz[-1]]
    places = np.interp(ticks, centres_hz, np.arange(n_mels) + 0.5)
    axes.set_yticks(places, [f"{hz:,}" for hz in ticks])
    return image


def _draw_probabilities(axes: Axes, prediction: Prediction) -> None:
    emotions = list(prediction.probabilities)[::-1]
    colours = emotion_colours(emotions)
    shares = [100 * prediction.probabilities[emotion] for emotion in emotions]
    places = range(len(emotions))
    bars = axes.barh(places, shares, color=[colours[emotion] for emotion in emotions])
    axes.set_yticks(places, [short(emotion) for emotion in emotions])
    axes.bar_label(bars, fmt="%.0f %%", padding=3, fontsize=8, color=INK)
    axes.set_xlim(0, 112)
    axes.set_xticks((0, 25, 50, 75, 100))
    tidy(axes, x_label="probability (%)")


def _draw_level(axes: Axes, power: FloatArray, waveform: Waveform, *, top: float) -> AxesImage:
    level = power_to_db(power, ref=np.max, top_db=RANGE_DB)
    level[power <= _SILENT_POWER] = -RANGE_DB
    return axes.imshow(
        level,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        cmap=SPECTRUM_COLOURS,
        vmin=-RANGE_DB,
        vmax=0.0,
        extent=(0.0, waveform.duration_seconds, 0.0, top),
    )


def _explain_level(figure: Figure, axes: Axes, image: AxesImage) -> None:
    bar = figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("dB below the loudest point", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _frames(waveform: Waveform) -> tuple[int, int]:
    """Distance between frames and length of the transform [samples]."""
    hop = max(1, round(HOP_SECONDS * waveform.sample_rate))
    length = max(2, round(FRAME_SECONDS * waveform.sample_rate))
    return hop, 1 << (length - 1).bit_length()
