"""Opening of audio by its content, with every failure as one sentence."""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import soundfile

from serenade.audio.completeness import check_complete
from serenade.audio.limits import check_rate
from serenade.audio.naming import AudioSource, name_of
from serenade.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Memory(io.BytesIO):
    """Bytes as a file whose impossible seeks leave it where it is, as libsndfile expects.

    libsndfile seeks before the start of short files; an exception in its callback would be
    printed by cffi and lost.
    """

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: len(self.getbuffer())}
        if base[whence] + offset < 0:
            return self.tell()
        return super().seek(offset, whence)


@contextmanager
def open_raw(source: AudioSource) -> Iterator[BinaryIO]:
    """Open the bytes of a source.

    Parameters
    ----------
    source : path, bytes or binary stream
        A path must lead to a regular file. A stream is read to its end into memory.

    Yields
    ------
    BinaryIO
        Seekable, at its start, not empty.

    Raises
    ------
    AudioError
        If there is no such file, it may not be read, is not a regular file or is empty, or if the
        source is nothing that holds audio.
    """
    name = name_of(source)
    if isinstance(source, str | os.PathLike):
        with _open_file(source, name) as raw:
            yield raw
        return
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
    else:
        content = _read_stream(source, name)
    if not content:
        raise AudioError(f"{name} is empty")
    yield _Memory(content)


def _read_stream(source: BinaryIO, name: str) -> bytes:
    if not hasattr(source, "read"):
        raise AudioError(
            f"a {type(source).__name__} is no audio; give a path, the bytes of a file, a binary"
            " stream or an array with its sample rate"
        )
    try:
        content: object = source.read()
    except (OSError, ValueError) as error:
        raise AudioError(f"{name} cannot be read: {error}; open it anew for reading") from error
    except MemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise AudioError(f"{name} cannot be read ({reason}); give the bytes of a file") from error
    if not isinstance(content, bytes):
        raise AudioError(f"{name} gives text, not bytes; open the file in binary mode")
    return content


def _open_file(path: str | os.PathLike[str], name: str) -> BinaryIO:
    try:
        # asked before opening: to open a named pipe would wait for a writer
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioError(f"{name} is a directory; give a file")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(f"{name} is a pipe, socket or device; give a regular file")
        if status.st_size == 0:
            raise AudioError(f"{name} is empty")
        return Path(path).open("rb")
    except FileNotFoundError:
        raise AudioError(f"{name} does not exist; check the path") from None
    except PermissionError:
        raise AudioError(f"{name} may not be read; check its permissions") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{name} cannot be opened ({reason}); check the path") from None


@contextmanager
def open_audio(source: AudioSource) -> Iterator[soundfile.SoundFile]:
    """Open a source for decoding, by its content and never by its extension.

    Parameters
    ----------
    source : path, bytes or binary stream
        wav, AIFF, flac, Ogg Vorbis, Ogg Opus, mp3 or whatever else libsndfile knows.

    Yields
    ------
    soundfile.SoundFile
        At its first frame; its sample rate is one that can be worked with.

    Raises
    ------
    AudioError
        If the source cannot be opened or decoded or is truncated; also where libsndfile fails in
        the body.
    """
    name = name_of(source)
    with open_raw(source) as raw:
        target: _Memory | int
        try:
            check_complete(raw, name)
            if isinstance(raw, _Memory):
                target = raw
            else:
                # libsndfile reads from the descriptor, whose place a buffered seek need not change
                target = raw.fileno()
                os.lseek(target, 0, os.SEEK_SET)
        except OSError as error:
            raise AudioError(
                f"{name} cannot be read ({error.strerror}); check the disk or get a new copy"
            ) from None
        try:
            with soundfile.SoundFile(target, closefd=False) as file:
                check_rate(file.samplerate, name)
                yield file
        except soundfile.LibsndfileError as error:
            reason = error.error_string.strip().rstrip(".")
            raise AudioError(
                f"{name} is not audio that can be decoded ({reason}); give wav, AIFF, flac, ogg or"
                " mp3"
            ) from None
