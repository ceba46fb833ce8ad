from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serenade.errors import AudioError, UsageError
from serenade.features.fourier import autocorrelation, complex_spectrum, power_spectrum_blocks
from serenade.features.framing import PAD_MODES, continued, frame
from serenade.features.spectrum import (
    WINDOWS,
    accumulate_rows,
    fft_frequencies,
    get_window,
    spectrogram,
    stft,
)

NOISE = np.random.default_rng(0).standard_normal(4000).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(
    n_fft=st.integers(2, 700),
    n_frames=st.integers(1, 200),
    missing=st.floats(0, 0.9),
    hop_length=st.integers(1, 800),
    left_over=st.floats(0, 0.99),
)
def test_transform_of_any_size_equals_numpy_in_double_precision(
    n_fft: int, n_frames: int, missing: float, hop_length: int, left_over: float
) -> None:
    length = max(1, round(n_fft * (1 - missing)))
    rng = np.random.default_rng(n_fft * 1000 + n_frames)
    n_samples = (n_frames - 1) * hop_length + length + int(left_over * hop_length)
    samples = rng.standard_normal(n_samples).astype(np.float32)
    window = rng.random(length).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop_length]
    expected = np.fft.rfft(frames.astype(np.float64) * window, n_fft, axis=1).T
    spectrum = complex_spectrum(samples, window, hop_length=hop_length, n_fft=n_fft)
    scale = np.abs(expected).max()
    assert spectrum.dtype == np.complex64
    assert spectrum.shape == (n_fft // 2 + 1, n_frames)
    assert np.abs(spectrum - expected).max() <= 2e-6 * scale
    power = np.full(spectrum.shape, np.nan, dtype=np.float32)
    for block, values in power_spectrum_blocks(samples, window, hop_length=hop_length, n_fft=n_fft):
        power[:, block] = values
    assert np.abs(power - np.abs(expected) ** 2).max() <= 4e-6 * scale**2


@pytest.mark.parametrize(
    ("frame_length", "hop_length", "longest"),
    [(1024, 160, 247), (500, 77, 200), (300, 400, 299), (20, 3, 0), (30_000, 5000, 100)],
)
def test_autocorrelation_is_the_sum_of_products(
    frame_length: int, hop_length: int, longest: int
) -> None:
    samples = np.tile(NOISE, 10)[: frame_length + 7 * hop_length + hop_length // 2]
    every = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), frame_length)
    frames = every[::hop_length]
    expected = [
        np.einsum("tn,tn->t", frames[:, : frame_length - lag], frames[:, lag:])
        for lag in range(longest + 1)
    ]
    correlation = autocorrelation(
        samples, frame_length=frame_length, hop_length=hop_length, longest=longest
    )
    assert correlation.dtype == np.float32
    np.testing.assert_allclose(correlation, expected, atol=2e-6 * np.max(expected))


def test_a_sine_peaks_in_its_own_bin() -> None:
    y = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    magnitude = spectrogram(y=y, n_fft=512, hop_length=160)
    loudest = fft_frequencies(sr=16_000, n_fft=512)[magnitude[:, 5:-5].argmax(axis=0)]
    assert magnitude.shape == (257, 101)
    assert np.all(loudest == 1000)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_spectrogram_is_the_magnitude_to_the_given_power(power: float) -> None:
    expected = np.abs(stft(NOISE, n_fft=256, hop_length=64)) ** power
    own = spectrogram(y=NOISE, n_fft=256, hop_length=64, power=power)
    np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-4 * expected.max())


def test_defaults_are_a_full_window_and_a_quarter_of_it_as_hop() -> None:
    np.testing.assert_array_equal(
        stft(NOISE, n_fft=512), stft(NOISE, n_fft=512, hop_length=128, win_length=512)
    )


@pytest.mark.parametrize("n_samples", [1, 2, 100, 511])
def test_a_clip_shorter_than_a_frame_still_has_frames(n_samples: int) -> None:
    magnitude = spectrogram(y=NOISE[:n_samples], n_fft=512, hop_length=160)
    assert magnitude.shape == (257, 1 + n_samples // 160)
    assert np.isfinite(magnitude).all()


@pytest.mark.parametrize("window", WINDOWS)
def test_windows_are_periodic(window: str) -> None:
    scipy_signal = pytest.importorskip("scipy.signal")
    expected = scipy_signal.get_window(window, 25, fftbins=True)
    np.testing.assert_allclose(get_window(window, win_length=25), expected, atol=1e-6)
    assert get_window(window, win_length=1) == scipy_signal.get_window(window, 1, fftbins=True)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("win_length", [1, 2, 3, 25, 512])
def test_weights_of_windows_lie_from_0_to_1(window: str, win_length: int) -> None:
    weights = get_window(window, win_length=win_length)
    assert 0.0 <= weights.min() <= weights.max() <= 1.0
    assert weights.max() > 0


def test_frames_that_are_not_centred_start_at_multiples_of_the_hop() -> None:
    frames = frame(NOISE, frame_length=10, hop_length=7, center=False)
    assert frames.shape == (1 + (4000 - 10) // 7, 10)
    np.testing.assert_array_equal(frames[3], NOISE[21:31])


@pytest.mark.parametrize("pad_mode", PAD_MODES)
@pytest.mark.parametrize("frame_length", [4, 300])
def test_samples_are_continued_as_numpy_does(pad_mode: str, frame_length: int) -> None:
    expected = np.pad(NOISE[:100], frame_length // 2, mode=pad_mode)  # type: ignore[call-overload]
    samples = continued(NOISE[:100], frame_length=frame_length, pad_mode=pad_mode)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, expected)


def test_continuing_by_reflection_mirrors_the_ends() -> None:
    samples = continued(NOISE[:5], frame_length=4, pad_mode="reflect")
    np.testing.assert_array_equal(samples, NOISE[[2, 1, 0, 1, 2, 3, 4, 3, 2]])


@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 64, 65, 257])
def test_accumulating_rows_equals_a_cumulative_sum(n_rows: int) -> None:
    values = np.arange(3 * n_rows, dtype=np.float32).reshape(n_rows, 3)
    np.testing.assert_array_equal(accumulate_rows(values), np.cumsum(values, axis=0))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0, np.float32), "at least one sample"),
        (np.zeros((2, 100), np.float32), r"one channel.*got shape \(2, 100\)"),
        (np.zeros(100, np.int16), "floating point.*int16.*full scale"),
        (np.array([0.0, np.nan]), "finite"),
        (np.array([0.0, 1e300]), "finite"),
        (np.array([0.0, -1.1e9]), "at most 1e\\+09 in size"),
        ([[1.0], [1.0, 2.0]], "one channel, got lists of different lengths"),
        ("abc", "floating point"),
    ],
)
def test_unusable_samples_are_one_clear_error(samples: npt.ArrayLike, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        stft(samples, n_fft=64)


def test_too_few_samples_without_centring_is_one_clear_error() -> None:
    with pytest.raises(AudioError, match="50 samples are too few for one frame of 64"):
        stft(NOISE[:50], n_fft=64, center=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_fft": 1}, "n_fft must be a whole number of at least 2, got 1"),
        ({"n_fft": 64.5}, "n_fft must be a whole number"),
        ({"n_fft": 10**9}, "n_fft must be at most 1048576, got 1000000000"),
        ({"hop_length": 0}, "hop_length must be a whole number of at least 1, got 0"),
        ({"hop_length": True}, "hop_length must be a whole number of at least 1, got True"),
        ({"hop_length": 10**12}, "hop_length must be at most 16777216, got 1000000000000"),
        ({"win_length": "64"}, "win_length must be a whole number of at least 1, got '64'"),
        ({"win_length": 65}, "win_length must be at most n_fft=64, got 65"),
        ({"window": "kaiser"}, "window must be one of hann, .* got 'kaiser'"),
        ({"pad_mode": "wrap"}, "pad_mode must be one of .* got 'wrap'"),
        ({"window": ["hann"]}, "window must be one of hann, .* got"),
        ({"power": 0.0}, "power must be above 0, got 0.0"),
        ({"power": np.inf}, "power must be a finite number, got inf"),
        ({"power": "2"}, "power must be a finite number, got '2'"),
        ({"power": 10**400}, "power must be a finite number, got 1000"),
        ({"S": np.ones((33, 4))}, "exactly one of y .* and S"),
        ({"y": None}, "exactly one of y .* and S"),
        ({"y": None, "S": np.ones(3)}, "S must have shape"),
        ({"y": None, "S": -np.ones((33, 4))}, "without negative values"),
        ({"y": None, "S": np.ones((33, 4)) * 1j}, "real numbers, got complex128"),
        ({"y": None, "S": np.full((33, 4), np.inf)}, "finite"),
        ({"y": None, "S": np.full((33, 4), 1e300)}, "finite"),
        ({"y": None, "S": [[1.0], [1.0, 2.0]]}, "S must be an array, got lists of different"),
    ],
)
def test_bad_parameters_are_one_clear_error(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        spectrogram(**({"y": NOISE, "n_fft": 64} | arguments))  # type: ignore[arg-type]
