"""The discrete Fourier transform of many real frames at once, as two matrix products.

numpy's own transform handles one frame after the other without vector instructions, and takes
four fifths of the time of a log-mel spectrogram. Splitting the transform into two steps
(Cooley and Tukey, 1965), with the frames of a clip side by side as columns, turns nearly all of it
into matrix products, which numpy hands to BLAS: about three times faster at the sizes of speech.

With ``n_fft = N = N1 * N2``, sample ``n = N2 * n1 + n2`` and bin ``k = k1 + N1 * k2``::

    X[k1 + N1 k2] = sum over n2 of  exp(-2 pi i n2 (k1 + N1 k2) / N)  *  A[k1, n2]
    A[k1, n2]     = sum over n1 of  exp(-2 pi i n1 k1 / N1)           *  x[N2 n1 + n2]

The samples are real, so ``k1`` need only run to ``N1 / 2``; the other bins are mirror images.
``N1`` is even, and the factors of ``n1`` and ``n1 + N1 / 2`` are the same for even ``k1`` and
opposite for odd ``k1``. So the two halves of a frame are added for the former and subtracted for
the latter, and ``n1`` need only run to ``N1 / 2`` as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.features.framing import count_frames, frames_as_rows, put_frames_in_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.types import FloatArray

ComplexArray = npt.NDArray[np.complex64]

_SAMPLES_PER_BLOCK = 192 * 1024
"""About as many samples of frames are transformed together.

Fewer make products slow, more leave the cache and the memory that the allocator keeps: to fetch it
anew in every call costs more than the transform itself.
"""

_PRODUCTS_PER_SAMPLE = 300
"""Above this cost, as for large primes, numpy's transform is the faster one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Tables of a transform of one size; see the module for the symbols."""

    n2: int
    even: FloatArray
    odd: FloatArray
    second: FloatArray
    source: npt.NDArray[np.intp]
    mirrored: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _PlanBack:
    """Tables from a power spectrum to lags; see :func:`autocorrelation` for the symbols."""

    first: FloatArray
    second: FloatArray
    source: npt.NDArray[np.intp]


def complex_spectrum(
    samples: FloatArray, window: FloatArray, *, hop_length: int, n_fft: int
) -> ComplexArray:
    """Transform windowed frames.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        At least one frame.
    window : ndarray of shape (frame_length,), float32
        Weight of each sample of a frame.
    hop_length : int
        Distance between frames [samples].
    n_fft : int
        Size of the transform, at least `frame_length`; frames are continued with zeros.

    Returns
    -------
    ndarray of shape (n_fft // 2 + 1, n_frames), complex64
        Bins from 0 Hz to half the sample rate.
    """
    plan = _plan(n_fft, window.shape[0])
    if plan is None:
        return _plain_transform(samples, window, hop_length, n_fft)
    n_frames = count_frames(samples, frame_length=window.shape[0], hop_length=hop_length)
    spectrum = np.empty((n_fft // 2 + 1, n_frames), dtype=np.complex64)
    for block, parts, spare in _transformed_blocks(samples, window, hop_length, plan):
        real, imaginary = _in_order(parts, plan, spare)
        spectrum.real[:, block] = real
        spectrum.imag[:, block] = imaginary
    np.negative(spectrum.imag, out=spectrum.imag, where=plan.mirrored[:, None])
    return spectrum


def power_spectrum_blocks(
    samples: FloatArray, window: FloatArray, *, hop_length: int, n_fft: int
) -> Iterator[tuple[slice, FloatArray]]:
    """Give the squared magnitude of :func:`complex_spectrum` in parts, without forming it.

    Parameters
    ----------
    samples, window, hop_length, n_fft
        As in :func:`complex_spectrum`.

    Yields
    ------
    block : slice
        Which frames.
    power : ndarray of shape (n_fft // 2 + 1, n_frames_of_block), float32
        Power of each bin; it may be overwritten, and is by the next block.
    """
    plan = _plan(n_fft, window.shape[0])
    if plan is None:
        spectrum = _plain_transform(samples, window, hop_length, n_fft)
        yield slice(0, spectrum.shape[1]), np.square(np.abs(spectrum))
        return
    for block, parts, spare in _transformed_blocks(samples, window, hop_length, plan):
        real, imaginary = _in_order(parts, plan, spare)
        power = np.square(real, out=real)
        power += np.square(imaginary, out=imaginary)
        yield block, power


def autocorrelation(
    samples: FloatArray, *, frame_length: int, hop_length: int, longest: int
) -> FloatArray:
    """Correlate each frame with itself, through its power spectrum.

    The inverse transform takes two steps as well, from the bins as they come out of the way there
    and only to the lags that are wanted. With ``u`` for ``lag`` modulo ``N2``::

        r[lag]   = sum over k1 of  Re(exp(2 pi i k1 lag / N) * C[k1, u]) / N
        C[k1, u] = sum over k2 of  exp(2 pi i k2 u / N2)     * |X[k1 + N1 k2]|^2

    Parameters
    ----------
    samples, hop_length
        As in :func:`complex_spectrum`.
    frame_length : int
        Length of a frame [samples].
    longest : int
        Longest lag [samples], below `frame_length`.

    Returns
    -------
    ndarray of shape (longest + 1, n_frames), float32
        Sum of the products of samples that are as many samples apart as the row says.
    """
    # Long enough that no lag wraps round, and a multiple of 64, which transforms fast.
    n_fft = 64 * -(-(frame_length + longest) // 64)
    boxcar = np.ones(frame_length, dtype=np.float32)
    plan = _plan(n_fft, frame_length)
    if plan is None:
        power = np.square(np.abs(_plain_transform(samples, boxcar, hop_length, n_fft)))
        inverse = np.fft.irfft(power, n_fft, axis=0)[: longest + 1]
        return inverse.astype(np.float32, copy=False)
    back = _plan_back(n_fft, plan.n2, longest)
    n_frames = count_frames(samples, frame_length=frame_length, hop_length=hop_length)
    correlation = np.empty((longest + 1, n_frames), dtype=np.float32)
    for block, parts, spare in _transformed_blocks(samples, boxcar, hop_length, plan):
        n_k1, _, size = parts.shape
        np.square(parts, out=parts)
        power = _part_of(spare, plan.n2, n_k1, size)
        np.add(parts[:, : plan.n2], parts[:, plan.n2 :], out=power.transpose(1, 0, 2))
        by_u = _part_of(parts, back.second.shape[0], 2 * n_k1, size)
        np.matmul(back.first, power.reshape(plan.n2, -1), out=by_u.reshape(-1, n_k1 * size))
        lags = _part_of(spare, *back.second.shape[:2], size)
        np.matmul(back.second, by_u, out=lags)
        correlation[:, block] = lags.reshape(-1, size)[back.source]
    return correlation


def _plain_transform(
    samples: FloatArray, window: FloatArray, hop_length: int, n_fft: int
) -> ComplexArray:
    frames = frames_as_rows(samples, frame_length=window.shape[0], hop_length=hop_length)
    return np.fft.rfft(frames * window, n_fft, axis=1).T.astype(np.complex64, copy=False)


def _transformed_blocks(
    samples: FloatArray, window: FloatArray, hop_length: int, plan: _Plan
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Apply both steps to block after block of frames.

    The result has the shape (n_k1, 2 * n2, n_frames_of_block): for each k1, the real parts by k2
    and then the imaginary ones. It comes with spare memory of that shape; all blocks share both.
    """
    length = window.shape[0]
    n_frames = count_frames(samples, frame_length=length, hop_length=hop_length)
    n_blocks = -(-n_frames * length // _SAMPLES_PER_BLOCK)
    size = -(-n_frames // n_blocks)
    n_even, n_steps = plan.even.shape
    n_half = n_steps * plan.n2
    # The steps go to and fro between two halves of one piece of memory. The allocator keeps one
    # large piece for the next call, where of several it would give some back to the system.
    here, there = np.empty((2, *plan.second.shape[:2], size), dtype=np.float32)
    columns = _part_of(here, max(length, n_half), size)
    even, odd = _part_of(there, 2, n_half, size)
    by_k1 = here.reshape(-1, plan.n2 * size)
    for start in range(0, n_frames, size):
        # The last block begins earlier, so that it is whole; its first frames are done twice.
        first = min(start, n_frames - size)
        put_frames_in_columns(
            columns[:length], samples[first * hop_length :], window, hop_length=hop_length
        )
        columns[length:] = 0.0
        _fold(columns, even, odd)
        np.matmul(plan.even, even.reshape(n_steps, -1), out=by_k1[:n_even])
        np.matmul(plan.odd, odd.reshape(n_steps, -1), out=by_k1[n_even:])
        np.matmul(plan.second, here, out=there)
        yield slice(first, first + size), there, here


def _in_order(parts: FloatArray, plan: _Plan, spare: FloatArray) -> FloatArray:
    """Sort the result of both steps by bins: real parts, and imaginary parts, wrong if mirrored."""
    n_frames = parts.shape[2]
    bins = _part_of(spare, *plan.source.shape, n_frames)
    rows = parts.reshape(-1, n_frames)
    return np.take(rows, plan.source, axis=0, out=bins, mode="clip")  # "raise" would copy


def _part_of(memory: FloatArray, *shape: int) -> FloatArray:
    """Use the beginning of contiguous memory for a smaller array."""
    return memory.reshape(-1)[: prod(shape)].reshape(shape)


def _fold(columns: FloatArray, even: FloatArray, odd: FloatArray) -> None:
    """Add the second half of the rows to the first, and subtract it, where there are any."""
    n_half = even.shape[0]
    n_pairs = columns.shape[0] - n_half
    np.add(columns[:n_pairs], columns[n_half:], out=even[:n_pairs])
    np.subtract(columns[:n_pairs], columns[n_half:], out=odd[:n_pairs])
    even[n_pairs:] = odd[n_pairs:] = columns[n_pairs:n_half]


@lru_cache(maxsize=32)
def _plan(n_fft: int, frame_length: int) -> _Plan | None:
    """Make the tables of a transform, or give ``None`` where it would not pay or has no halves."""
    if n_fft % 2 == 1:
        return None
    divisors = [n1 for n1 in range(2, n_fft + 1, 2) if n_fft % n1 == 0]
    n1 = min(divisors, key=lambda divisor: _products(n_fft, divisor))
    if _products(n_fft, n1) > _PRODUCTS_PER_SAMPLE * n_fft:
        return None
    n2 = n_fft // n1
    n_steps = min(n1 // 2, -(-frame_length // n2))
    k1 = _k1_in_order(n1)
    k2 = np.arange(n2)

    angle = -2 * np.pi / n1 * np.outer(k1, np.arange(n_steps))
    first: FloatArray = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    n_even = n1 // 4 + 1

    turns = (k1[:, None, None] + n1 * k2[None, :, None]) * k2[None, None, :] % n_fft
    twiddle = -2 * np.pi / n_fft * turns
    cosines, sines = np.cos(twiddle), np.sin(twiddle)
    second = np.block([[cosines, -sines], [sines, cosines]])

    bins = np.arange(n_fft // 2 + 1)
    mirrored = bins % n1 > n1 // 2
    computed = np.where(mirrored, n_fft - bins, bins)
    real = np.argsort(k1)[computed % n1] * 2 * n2 + computed // n1
    return _Plan(
        n2=n2,
        even=first[:n_even].reshape(-1, n_steps),
        odd=first[n_even:].reshape(-1, n_steps),
        second=np.ascontiguousarray(second, dtype=np.float32),
        source=np.stack([real, real + n2]),
        mirrored=mirrored,
    )


@lru_cache(maxsize=32)
def _plan_back(n_fft: int, n2: int, longest: int) -> _PlanBack:
    """Make the tables of an inverse transform whose way forward was split at `n2`."""
    k1 = _k1_in_order(n_fft // n2)
    # u and N2 - u differ in the sign of the imaginary part alone, and share it.
    u = np.arange(n2 // 2 + 1)
    angle = 2 * np.pi / n2 * np.outer(u, np.arange(n2))
    first = np.stack([np.cos(angle), np.sin(angle)], axis=1).reshape(-1, n2)

    turns = np.arange(longest // n2 + 1)
    lags = np.concatenate([u[:, None] + n2 * turns, n2 - u[:, None] + n2 * turns], axis=1)
    sign = np.repeat([-1.0, 1.0], turns.size)[:, None]
    phase = 2 * np.pi / n_fft * (lags[:, :, None] * k1 % n_fft)
    # The other half of the k1 are mirror images; 0 and N1 / 2 are their own.
    weights = np.where(np.isin(k1, [0, k1.max()]), 1.0, 2.0) / n_fft
    second = np.concatenate([weights * np.cos(phase), sign * weights * np.sin(phase)], axis=2)

    turn, rest = np.divmod(np.arange(longest + 1), n2)
    is_first = rest <= n2 // 2
    row = np.where(is_first, rest, n2 - rest) * lags.shape[1]
    return _PlanBack(
        first=first.astype(np.float32),
        second=second.astype(np.float32),
        source=row + turn + np.where(is_first, 0, turns.size),
    )


def _k1_in_order(n1: int) -> npt.NDArray[np.intp]:
    """Give the first bins up to the middle: even ones, then odd ones."""
    k1 = np.arange(n1 // 2 + 1)
    return np.concatenate([k1[::2], k1[1::2]])


def _products(n_fft: int, n1: int) -> int:
    """Count the multiplications per frame when the first step has the size `n1`."""
    return (n1 // 2 + 1) * (n_fft + (2 * n_fft // n1) ** 2)
