"""Encoding of audio to the content of a file, in memory."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import soundfile

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serenade.types import Waveform

CONTAINERS: Mapping[str, tuple[str, str]] = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
}
"""Formats by name, with libsndfile's names of file format and encoding."""

MEDIA_TYPES: Mapping[str, str] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
}
"""What a browser calls the formats."""

OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
"""The only sample rates of Opus [Hz]."""

MP3_RATES = (16_000, 22_050, 24_000)
"""The sample rates of mp3 that are supported here: those of MPEG-2 [Hz]."""

_MP3_KBITS = (8.0, 160.0)
_OPUS_KBITS = (6.0, 256.0)


def encode(waveform: Waveform, container: str, *, kbits_per_second: float | None = None) -> bytes:
    """Encode a waveform as the content of a file.

    Parameters
    ----------
    waveform : Waveform
        At least one sample; what lies beyond full scale is clipped.
    container : str
        One of :data:`CONTAINERS`.
    kbits_per_second : float or None
        Nominal bit rate [kbit/s], for mp3 (8 to 160) and opus (6 to 256) and needed there; the
        encoder takes the nearest that it has.

    Returns
    -------
    bytes
        A complete file.

    Raises
    ------
    UsageError
        If the container is unknown, the bit rate is missing, out of range or not wanted, or the
        format does not have the sample rate.
    """
    if container not in CONTAINERS:
        raise UsageError(f"unknown container {container!r}; allowed are {', '.join(CONTAINERS)}")
    if container in ("wav", "flac"):
        if kbits_per_second is not None:
            raise UsageError(f"{container} has no bit rate to choose; leave it out")
        return _write(waveform, container)
    if container == "mp3":
        _check_rate(container, waveform.sample_rate, MP3_RATES)
        level = _compression_level(container, kbits_per_second, _MP3_KBITS)
        return _write(waveform, container, compression_level=level, bitrate_mode="CONSTANT")
    _check_rate(container, waveform.sample_rate, OPUS_RATES)
    level = _compression_level(container, kbits_per_second, _OPUS_KBITS)
    return _write(waveform, container, compression_level=level)


def _check_rate(container: str, sample_rate: int, allowed: tuple[int, ...]) -> None:
    if sample_rate not in allowed:
        raise UsageError(
            f"{container} cannot hold {sample_rate} Hz; resample to one of"
            f" {', '.join(str(rate) for rate in allowed)} Hz"
        )


def _compression_level(
    container: str, kbits_per_second: float | None, allowed: tuple[float, float]
) -> float:
    """Turn a bit rate into libsndfile's level, which runs from the highest (0) to the lowest."""
    low, high = allowed
    if kbits_per_second is None or not low <= kbits_per_second <= high:
        raise UsageError(
            f"{container} needs a bit rate from {low:g} to {high:g} kbit/s, got {kbits_per_second}"
        )
    # libsndfile refuses a level of exactly 1 for mp3
    return min((high - kbits_per_second) / (high - low), 0.9999)


def _write(
    waveform: Waveform,
    container: str,
    *,
    compression_level: float | None = None,
    bitrate_mode: str | None = None,
) -> bytes:
    file_format, encoding = CONTAINERS[container]
    content = io.BytesIO()
    with soundfile.SoundFile(
        content,
        "w",
        samplerate=waveform.sample_rate,
        channels=1,
        format=file_format,
        subtype=encoding,
        compression_level=compression_level,
        bitrate_mode=bitrate_mode,
    ) as file:
        file.write(waveform.samples.clip(-1.0, 1.0))
    return content.getvalue()
