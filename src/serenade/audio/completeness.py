"""Detection of files whose end is missing.

libsndfile decodes what is left of a truncated wav, AIFF, Ogg or mp3 file without a word, so the
containers are checked before. A flac file checks itself, and other containers are rare: whatever
frames their headers promise is compared with what was decoded.

References
----------
Multimedia Programming Interface and Data Specifications 1.0 (RIFF wave); EBU Tech 3306 (RF64);
Audio Interchange File Format 1.3; RFC 3533 (Ogg); ISO/IEC 11172-3 and 13818-3 (mp3).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from serenade.audio.mp3 import end_of_stream, joined
from serenade.errors import AudioError

if TYPE_CHECKING:
    from typing import BinaryIO

_MISCOUNTED_BYTES = 64
"""Writers of wav that count their header as data are common."""

_FIRST_PAGE = 2
"""Flag of the pages that begin a stream; all of them come before any other page."""

_SIZES_OF_PIPES = {0xFFFFFFFF: 0xFFFFFFFF, 0x7FFFF024: 0x7FFFF000}
"""Sizes of the whole and of its data that ffmpeg and sox write where they cannot go back."""


def check_complete(raw: BinaryIO, name: str) -> None:
    """Refuse a file whose container shows that its end is missing.

    Parameters
    ----------
    raw : BinaryIO
        The bytes of the file, at the start; they are at the start again afterwards.
    name : str
        The file's name, as the subject of the message.

    Raises
    ------
    AudioError
        If data that the container promises is not there, or it cannot be known what is promised,
        or another recording follows the first, which libsndfile would not read.
    """
    missing = _missing_bytes(raw, name)
    raw.seek(0)
    if missing > 0:
        raise AudioError(
            f"{name} is truncated: at least {missing:,} bytes that it promises are missing;"
            " get a complete copy"
        )


def _missing_bytes(raw: BinaryIO, name: str) -> int:
    """Count the bytes that are promised beyond the end of the file."""
    n_bytes = raw.seek(0, os.SEEK_END)
    raw.seek(0)
    head = raw.read(12)
    form = head[8:12]
    if head[:4] in (b"RIFF", b"RF64") and form == b"WAVE":
        promised_end = _end_of_chunk(raw, b"data", "<4sI")
    elif head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        promised_end = _end_of_chunk(raw, b"SSND", ">4sI")
    elif head[:4] == b"OggS":
        promised_end = _end_of_pages(raw, name)
    else:
        promised_end = end_of_stream(raw, name)
    return promised_end - n_bytes


def _end_of_chunk(raw: BinaryIO, wanted: bytes, layout: str) -> int:
    """Give the position that the chunk with the samples reaches; 0 if it does not say."""
    raw.seek(0)
    _, whole_size, _ = struct.unpack(layout + "4s", raw.read(12))
    long_size = None
    while len(header := raw.read(8)) == 8:
        name, size = struct.unpack(layout, header)
        start = raw.tell()
        if name == b"ds64" and len(sizes := raw.read(16)) == 16:
            long_size = struct.unpack("<8xQ", sizes)[0]
        if name == wanted:
            if long_size is None and _SIZES_OF_PIPES.get(whole_size) == size:
                return 0
            return start + int(long_size or size) - _MISCOUNTED_BYTES
        raw.seek(start + size + size % 2)
    return 0


def _end_of_pages(raw: BinaryIO, name: str) -> int:
    """Give the position at which the last Ogg page that was begun ends."""
    end = 0
    is_under_way = False
    raw.seek(0)
    while (header := raw.read(27))[:4] == b"OggS":
        if len(header) < 27:
            return end + 27
        begins = bool(header[5] & _FIRST_PAGE)
        if begins and is_under_way:
            raise joined(name)
        is_under_way = not begins
        lacing = raw.read(header[26])
        end += 27 + header[26] + sum(lacing)
        raw.seek(end)
    return end
