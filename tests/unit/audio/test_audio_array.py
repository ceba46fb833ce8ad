"""Arrays of users become waveforms, or one clear sentence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from serenade.audio.array import from_array
from serenade.errors import AudioError


@pytest.mark.parametrize(
    ("dtype", "lowest", "zero", "highest"),
    [
        (np.uint8, 0, 128, 255),
        (">i2", -(2**15), 0, 2**15 - 1),
        (">i4", -(2**31), 0, 2**31 - 1),
        (np.int8, -128, 0, 127),
        (np.int16, -(2**15), 0, 2**15 - 1),
        (np.int32, -(2**31), 0, 2**31 - 1),
    ],
)
def test_integers_are_scaled_by_their_range(
    dtype: npt.DTypeLike, lowest: int, zero: int, highest: int
) -> None:
    samples = from_array(np.array([lowest, zero, highest], dtype), 16_000).samples
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, [-1.0, 0.0, 1.0], atol=2**-7)
    assert samples[0] == -1.0
    assert samples[1] == 0.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_are_taken_as_they_are_and_copied(dtype: npt.DTypeLike) -> None:
    array = np.linspace(-1, 1, 9).astype(dtype)
    waveform = from_array(array, 16_000)
    np.testing.assert_array_equal(waveform.samples, array.astype(np.float32))
    waveform.samples[0] = 5
    assert array[0] == -1


def test_channels_are_averaged_and_lists_accepted() -> None:
    np.testing.assert_allclose(
        from_array([[0.5, 0.1], [0.2, -0.2]], 16_000).samples, [0.3, 0.0], atol=1e-7
    )


def test_another_rate_is_resampled() -> None:
    waveform = from_array(np.zeros(48_000), 48_000.0)  # type: ignore[arg-type]  # on purpose
    assert (waveform.samples.size, waveform.sample_rate) == (16_000, 16_000)
    assert from_array(np.zeros(800), 8_000, target_rate=48_000).samples.size == 4_800


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4)), "has 3 dimensions"),
        (np.float64(1.0), "has 0 dimensions"),
        ([[1.0, 2.0], [3.0]], "rows of different lengths"),
        (np.zeros(0), "is empty"),
        (np.zeros((0, 2)), "is empty"),
        (np.zeros((2, 16_000)), "has 16000 channels; .* transpose it"),
        (np.zeros(9, complex), "type complex128"),
        (np.zeros(9, bool), "type bool"),
        (np.zeros(9, np.int64), "type int64"),
        (np.array(["a"]), "type <U1"),
        (np.array([1.0, np.nan]), "NaN, infinite or beyond"),
        (np.array([1.0, -np.inf]), "NaN, infinite or beyond"),
        (np.array([1e300]), "NaN, infinite or beyond"),
        (np.array([1e20]), "NaN, infinite or beyond"),
        (np.ma.masked_array(np.ones(9), mask=True), "masked samples; fill them"),
        (np.ma.masked_array(np.ones(9), mask=[True] + [False] * 8), "masked samples"),
    ],
)
def test_other_arrays_are_refused(array: npt.ArrayLike, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        from_array(array, 16_000)


def test_an_array_that_could_hide_samples_but_hides_none_is_taken() -> None:
    samples = np.linspace(-1, 1, 9, dtype=np.float32)
    np.testing.assert_array_equal(
        from_array(np.ma.masked_array(samples, mask=False), 16_000).samples, samples
    )


@pytest.mark.parametrize("rate", [0, -16_000, 7_999, 192_001, 16_000.5, float("nan"), True, None])
def test_other_rates_are_refused(rate: object) -> None:
    with pytest.raises(AudioError, match=f"the array has a sample rate of {rate} Hz; allowed"):
        from_array(np.zeros(9), rate)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(AudioError, match=f"the output has a sample rate of {rate} Hz; allowed"):
        from_array(np.zeros(9), 16_000, target_rate=rate)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        ("x", "'x'"),
        (10**400, r"10{59}\.\.\."),
        (10**5000, "a number of thousands of digits"),
        (np.arange(3), r"array\(\[0, 1, 2\]\)"),
    ],
    ids=["text", "large", "huge", "array"],
)
def test_rates_that_are_no_float_are_refused_in_one_short_line(rate: object, told: str) -> None:
    with pytest.raises(AudioError, match=f"has a sample rate of {told} Hz; allowed") as refusal:
        from_array(np.zeros(9), rate)  # type: ignore[arg-type]  # on purpose
    assert len(str(refusal.value)) < 160
