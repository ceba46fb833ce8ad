"""The clips that went most wrong, to be seen and heard: spectrograms and small audio."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.audio.codec import MEDIA_TYPES, encode
from serenade.errors import AudioError
from serenade.evaluation.clips import utterance_waveform
from serenade.features.mel import log_mel

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.readings import Reading
    from serenade.types import Waveform

Pixels = npt.NDArray[np.uint8]

CLIP_KBITS = 32.0
"""Bit rate of the clips in the report [kbit/s]."""

_RANGE_DB = 70.0
_MAX_SECONDS = 15.0

# Dark to light over violet, rose and sand; luminance rises evenly, so it also reads in grey.
_COLOURS = (
    (13, 8, 35),
    (59, 22, 92),
    (122, 34, 112),
    (186, 55, 100),
    (236, 104, 80),
    (250, 176, 104),
    (252, 245, 205),
)


@dataclass(frozen=True, slots=True, eq=False)
class WorstClip:
    """A clip that the model was sure about and wrong.

    Parameters
    ----------
    utterance : Utterance
        The clip.
    truth, answer : str
        What it is and what the model said.
    confidence : float
        Of the answer.
    truth_probability : float
        What the model gave the truth.
    """

    utterance: Utterance
    truth: str
    answer: str
    confidence: float
    truth_probability: float


def worst_clips(reading: Reading, *, count: int) -> tuple[WorstClip, ...]:
    """Choose the errors of which the model was most confident.

    Parameters
    ----------
    reading : Reading
        What was judged.
    count : int
        How many to choose at most.

    Returns
    -------
    tuple of WorstClip
        The most confident first.
    """
    predicted, confidence = reading.predicted, reading.confidence
    wrong = np.flatnonzero(predicted != reading.true)
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return tuple(
        WorstClip(
            utterance=reading.answers[i].utterance,
            truth=reading.labels[reading.true[i]],
            answer=reading.labels[predicted[i]],
            confidence=float(confidence[i]),
            truth_probability=float(reading.probabilities[i, reading.true[i]]),
        )
        for i in chosen
    )


def read_clip(utterance: Utterance, root: Path | None) -> Waveform | None:
    """Read the audio of a clip for the report.

    Parameters
    ----------
    utterance : Utterance
        The clip.
    root : Path, optional
        Folder that a relative path starts from.

    Returns
    -------
    Waveform or None
        At most its first 15 seconds; ``None`` if it cannot be read any more.
    """
    try:
        waveform = utterance_waveform(utterance, root)
    except AudioError:
        return None
    n_kept = round(_MAX_SECONDS * waveform.sample_rate)
    return type(waveform)(waveform.samples[:n_kept], waveform.sample_rate)


def audio_uri(waveform: Waveform) -> str:
    """Encode a clip as text that an audio player takes.

    Parameters
    ----------
    waveform : Waveform
        At 16 kHz.

    Returns
    -------
    str
        Data URI of an mp3, which every browser plays.
    """
    content = encode(waveform, "mp3", kbits_per_second=CLIP_KBITS)
    return f"data:{MEDIA_TYPES['mp3']};base64,{base64.b64encode(content).decode()}"


def spectrogram_uri(waveform: Waveform) -> str:
    """Draw the log-mel spectrogram of a clip.

    Parameters
    ----------
    waveform : Waveform
        Speech.

    Returns
    -------
    str
        Data URI of a PNG, low frequencies at the foot, one column per 10 ms.
    """
    rate = waveform.sample_rate
    bands = log_mel(
        y=waveform.samples,
        sr=rate,
        n_fft=512,
        hop_length=rate // 100,
        n_mels=64,
        ref=np.max,
        top_db=_RANGE_DB,
    )
    shades = np.round((np.asarray(bands) + _RANGE_DB) / _RANGE_DB * 255).clip(0, 255)
    content = write_png(shades[::-1].astype(np.uint8), palette())
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def palette() -> Pixels:
    """Give the colours of the spectrograms.

    Returns
    -------
    ndarray of shape (256, 3), uint8
        Red, green and blue from quiet to loud.
    """
    anchors = np.linspace(0, 255, len(_COLOURS))
    channels = [np.interp(np.arange(256), anchors, [c[i] for c in _COLOURS]) for i in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def write_png(pixels: Pixels, colours: Pixels) -> bytes:
    """Encode a picture with a palette as PNG.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), uint8
        Positions in the palette.
    colours : ndarray of shape (256, 3), uint8
        The palette.

    Returns
    -------
    bytes
        A complete file.

    References
    ----------
    W3C, "Portable Network Graphics (PNG) Specification", third edition, 2025.
    """
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = np.insert(pixels, 0, 0, axis=1).tobytes()  # each row starts with filter type 0: none
    chunks = (
        (b"IHDR", header),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
