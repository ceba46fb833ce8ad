"""Decoding of audio files to mono float32, whole or in blocks.

Decoding goes by content, never by extension. Memory never depends on what a header claims: samples
are read block by block until they end, and a file that ends clearly before its header says so is
refused as truncated instead of being judged by its first part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from serenade.audio.limits import check_amplitudes, check_rate
from serenade.audio.naming import AudioSource, name_of
from serenade.audio.opening import open_audio
from serenade.audio.resample import StreamResampler
from serenade.errors import AudioError, UsageError
from serenade.types import FloatArray, Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SAMPLE_RATE", "AudioInfo", "AudioSource", "decode", "decode_blocks", "probe"]

SAMPLE_RATE = 16_000
"""Samples per second of everything after decoding [Hz]."""

_READ_VALUES = 1 << 18
"""Values (frames times channels) read at a time: 1 MiB as float32."""

_LARGEST_CLAIM = 1 << 40
"""Frame counts beyond this are libsndfile's word for "unknown"."""

_MISSING_SECONDS = 0.1
"""A file that ends this much before its header says so is truncated; encoders' padding is less."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a header says about its file.

    Parameters
    ----------
    sample_rate : int
        Samples per second [Hz].
    channels : int
        Number of channels.
    n_frames : int or None
        Samples per channel; ``None`` where the header does not say.
    duration_seconds : float or None
        Length [s]; ``None`` where the header does not say.
    container : str
        File format, for example ``"WAV"``.
    encoding : str
        Sample format, for example ``"PCM_16"``.
    """

    sample_rate: int
    channels: int
    n_frames: int | None
    duration_seconds: float | None
    container: str
    encoding: str


def probe(source: AudioSource) -> AudioInfo:
    """Read the header of an audio file without decoding it.

    Parameters
    ----------
    source : path, bytes or binary stream
        A stream is read to its end.

    Returns
    -------
    AudioInfo
        As the header claims; only decoding shows whether the data is there.

    Raises
    ------
    AudioError
        If the source cannot be opened or its header cannot be read.
    """
    with open_audio(source) as file:
        n_frames = _claimed_frames(file)
        return AudioInfo(
            sample_rate=file.samplerate,
            channels=file.channels,
            n_frames=n_frames,
            duration_seconds=None if n_frames is None else n_frames / file.samplerate,
            container=file.format,
            encoding=file.subtype,
        )


def decode(
    source: AudioSource,
    *,
    sample_rate: int = SAMPLE_RATE,
    max_seconds: float | None = None,
    channel: int | None = None,
) -> Waveform:
    """Decode a whole audio file.

    Parameters
    ----------
    source : path, bytes or binary stream
        wav, AIFF, flac, Ogg Vorbis, Ogg Opus or mp3 with 8,000 to 192,000 Hz and any number of
        channels.
    sample_rate : int
        The rate to reach [Hz].
    max_seconds : float or None
        Decode no more than this from the start [s]; ``None`` decodes everything.
    channel : int or None
        The channel to take, from 0; ``None`` averages all.

    Returns
    -------
    Waveform
        At least one sample, all finite.

    Raises
    ------
    AudioError
        If the source cannot be opened or decoded, is truncated, holds no samples or samples that
        are not finite, or lacks the channel.
    UsageError
        If ``max_seconds`` is not positive.
    """
    if max_seconds is not None and not max_seconds > 0:
        raise UsageError(f"max_seconds is {max_seconds}; it must be positive")
    pieces = list(_decoded(source, sample_rate, max_seconds, channel))
    return Waveform(np.concatenate(pieces), sample_rate)


def decode_blocks(
    source: AudioSource,
    *,
    sample_rate: int = SAMPLE_RATE,
    block_seconds: float = 30.0,
    channel: int | None = None,
) -> Iterator[Waveform]:
    """Decode an audio file of any length block by block, in bounded memory.

    Parameters
    ----------
    source : path, bytes or binary stream
        As for :func:`decode`; give a path to keep memory bounded.
    sample_rate : int
        The rate to reach [Hz].
    block_seconds : float
        Length of each block but the last [s].
    channel : int or None
        The channel to take, from 0; ``None`` averages all.

    Yields
    ------
    Waveform
        The blocks in order; put together they equal what :func:`decode` gives.

    Raises
    ------
    AudioError
        As for :func:`decode`, when the faulty place is reached.
    UsageError
        If ``block_seconds`` is shorter than one sample.
    """
    block = round(block_seconds * sample_rate) if math.isfinite(block_seconds) else 0
    if block < 1:
        raise UsageError(f"block_seconds is {block_seconds}; it must be at least one sample")
    pending = np.empty(0, np.float32)
    for piece in _decoded(source, sample_rate, None, channel):
        pending = np.concatenate((pending, piece))
        while pending.size >= block:
            yield Waveform(pending[:block], sample_rate)
            pending = pending[block:]
    if pending.size:
        yield Waveform(pending, sample_rate)


def _decoded(
    source: AudioSource, sample_rate: int, max_seconds: float | None, channel: int | None
) -> Iterator[FloatArray]:
    """Give the samples at the wanted rate, piece by piece; at least one in all."""
    to_rate = check_rate(sample_rate, "the output")
    n_samples = 0
    with open_audio(source) as file:
        resampler = StreamResampler(from_rate=file.samplerate, to_rate=to_rate)
        for piece in _mono(file, name_of(source), max_seconds, channel):
            ready = resampler.push(piece)
            n_samples += ready.size
            yield ready
        rest = resampler.finish()
        n_samples += rest.size
        yield rest
    if n_samples == 0:
        raise AudioError(f"{name_of(source)} holds no audio data after its header")


def _mono(
    file: soundfile.SoundFile, name: str, max_seconds: float | None, channel: int | None
) -> Iterator[FloatArray]:
    """Give the samples of the file at its own rate, one channel, up to the limit."""
    if channel is not None and (isinstance(channel, float) or channel not in range(file.channels)):
        raise AudioError(
            f"{name} has no channel {channel}; choose one from 0 to {file.channels - 1}"
        )
    limit = math.inf if max_seconds is None else max_seconds * file.samplerate
    frames_at_a_time = max(1, _READ_VALUES // file.channels)
    n_read = 0
    while n_read < limit:
        n_wanted = min(frames_at_a_time, limit - n_read)
        frames = _read(file, name, math.ceil(n_wanted))
        if not frames.size:
            _check_complete(file, name, n_read)
            return
        check_amplitudes(frames, name)
        n_read += frames.shape[0]
        yield _to_mono(frames, channel)


def _read(file: soundfile.SoundFile, name: str, n_frames: int) -> FloatArray:
    try:
        frames: FloatArray = file.read(n_frames, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        raise AudioError(
            f"{name} is truncated or damaged: its data cannot be decoded to the end;"
            " get a complete copy"
        ) from None
    return frames


def _to_mono(frames: FloatArray, channel: int | None) -> FloatArray:
    if channel is not None or frames.shape[1] == 1:
        return np.ascontiguousarray(frames[:, channel or 0])
    mono: FloatArray = frames.mean(axis=1, dtype=np.float32)
    return mono


def _claimed_frames(file: soundfile.SoundFile) -> int | None:
    return file.frames if 0 <= file.frames < _LARGEST_CLAIM else None


def _check_complete(file: soundfile.SoundFile, name: str, n_read: int) -> None:
    claimed = _claimed_frames(file)
    if claimed is None:
        return
    missing_seconds = (claimed - n_read) / file.samplerate
    if missing_seconds > _MISSING_SECONDS:
        raise AudioError(
            f"{name} is truncated: its header promises {claimed / file.samplerate:.2f} s but the"
            f" data ends after {n_read / file.samplerate:.2f} s; get a complete copy"
        )
