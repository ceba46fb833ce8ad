"""Where an mp3 stream ends according to its own frames.

Decoding is libsndfile's work; this only finds out whether the file holds the stream to its end,
which libsndfile does not tell.

References
----------
ISO/IEC 11172-3 and 13818-3, frame header of layer III; the length headers of Xing
(as LAME writes it) and Fraunhofer (VBRI).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from serenade.errors import AudioError

if TYPE_CHECKING:
    from typing import BinaryIO

_MPEG1 = 3
_RESERVED_VERSION = 1
_LAYER_3 = 1
# fmt: off
_KBITS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KBITS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
# fmt: on
_RATES = {
    3: (44_100, 48_000, 32_000, 0),
    2: (22_050, 24_000, 16_000, 0),
    0: (11_025, 12_000, 8_000, 0),
}
_LENGTH_HEADER_WITHIN = 4 + 2 + 32
"""Header, checksum and the longest side information: a length header starts here at the latest."""

_ID3V1_BYTES = 128

_FRAMES_OF_A_STREAM = 4
"""A few frames more than stated are a writer's miscount, so many are another stream."""

_HAS_FRAME_COUNT = 1
_HAS_BYTE_COUNT = 2


def end_of_stream(raw: BinaryIO, name: str) -> int:
    """Give the position at which the stream ends that the file begins.

    Parameters
    ----------
    raw : BinaryIO
        The bytes of a file, seekable.
    name : str
        The file's name, as the subject of the message.

    Returns
    -------
    int
        The end that the length header states or, without one, the end of the last frame that was
        begun; this may lie beyond the end of the file. 0 if the file does not begin as an mp3.

    Raises
    ------
    AudioError
        If the bit rate varies and there is no length header: libsndfile would guess the length
        from the first frame and drop whatever lies behind. If another stream follows behind the
        stated end, which libsndfile would drop as well.
    """
    position = _after_tag(raw, 0)
    raw.seek(position)
    head = raw.read(_LENGTH_HEADER_WITHIN + 18)
    if _frame_bytes(head) == 0:
        return 0
    stated = _stated_bytes(head)
    if stated is not None:
        if stated > 0 and _another_follows(raw, position + stated):
            raise joined(name)
        return position + stated
    bit_rates = set()
    while n_bytes := _frame_bytes(head):
        bit_rates.add(_bit_rate_index(head))
        position += n_bytes
        raw.seek(position)
        head = raw.read(4)
    if len(bit_rates) > 1:
        raise AudioError(
            f"{name} is an mp3 of variable bit rate that does not state its length;"
            " convert it to wav or flac"
        )
    return position


def joined(name: str) -> AudioError:
    """Give the error for files that were put one behind the other.

    Parameters
    ----------
    name : str
        The file's name, as the subject of the message.

    Returns
    -------
    AudioError
        To be raised.
    """
    return AudioError(
        f"{name} holds several recordings one behind the other, of which only the first would be"
        " heard; convert it to wav or flac as a whole"
    )


def _another_follows(raw: BinaryIO, end: int) -> bool:
    """Tell whether frames of another stream lie behind the end of one, tags between them or not."""
    raw.seek(end)
    if raw.read(3) == b"TAG":
        end += _ID3V1_BYTES
    position = _after_tag(raw, end)
    for _ in range(_FRAMES_OF_A_STREAM):
        raw.seek(position)
        n_bytes = _frame_bytes(raw.read(4))
        if n_bytes == 0:
            return False
        position += n_bytes
    return True


def _after_tag(raw: BinaryIO, start: int) -> int:
    """Give the position after an ID3v2 tag that may be there."""
    raw.seek(start)
    tag = raw.read(10)
    if tag[:3] != b"ID3" or len(tag) < 10:
        return start
    # the size has seven bits a byte, so that it never looks like a frame
    a, b, c, d = tag[6:10]
    return start + 10 + (a << 21 | b << 14 | c << 7 | d)


def _frame_bytes(header: bytes) -> int:
    """Give the length of the frame that starts here; 0 if none does."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    if version == _RESERVED_VERSION or layer != _LAYER_3:
        return 0
    kbits = (_KBITS_MPEG1 if version == _MPEG1 else _KBITS_MPEG2)[_bit_rate_index(header)]
    sample_rate = _RATES[version][header[2] >> 2 & 3]
    if kbits == 0 or sample_rate == 0:
        return 0
    samples_per_byte = 144 if version == _MPEG1 else 72
    padding = header[2] >> 1 & 1
    return samples_per_byte * kbits * 1000 // sample_rate + padding


def _bit_rate_index(header: bytes) -> int:
    return header[2] >> 4


def _stated_bytes(frame: bytes) -> int | None:
    """Give the length that the length header in the first frame states.

    0 if it states the number of frames alone, with which the decoded ones are compared later;
    nothing if there is no such header.
    """
    xing = max(frame.find(name, 4, _LENGTH_HEADER_WITHIN + 4) for name in (b"Xing", b"Info"))
    vbri = frame.find(b"VBRI", 4, _LENGTH_HEADER_WITHIN + 4)
    if xing >= 0 and (flags := _integer_at(frame, xing + 4)) & _HAS_FRAME_COUNT:
        return _integer_at(frame, xing + 12) if flags & _HAS_BYTE_COUNT else 0
    if vbri >= 0:
        return _integer_at(frame, vbri + 10)
    return None


def _integer_at(frame: bytes, offset: int) -> int:
    """Read four bytes as a number; 0 where the data ends before."""
    if len(frame) < offset + 4:
        return 0
    number: int = struct.unpack_from(">I", frame, offset)[0]
    return number
