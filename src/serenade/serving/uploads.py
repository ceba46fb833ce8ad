"""Uploads: how the audio of a request is read, in memory and never on disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from serenade.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.datastructures import FormData
    from starlette.requests import Request

MULTIPART = "multipart/form-data"
FIELD = "file"
"""Name of the form field that holds the recording."""
REFERENCE_FIELD = "speaker_reference"
"""Name of the form fields that hold other recordings of the same speaker."""
MOST_REFERENCES = 20
"""More recordings of the speaker than this are refused."""

_RAW_TYPES = ("application/octet-stream", "application/ogg", "video/ogg", "")
_UNNAMED = "-"
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """A recording as it was sent.

    Parameters
    ----------
    name : str
        The file's name, or ``"-"`` where the client gave none.
    content : bytes
        The file; at least one byte.
    speaker_reference : tuple of bytes
        Other recordings of the same speaker, which the model is to adapt to.
    """

    name: str
    content: bytes
    speaker_reference: tuple[bytes, ...] = ()


class _MemoryParser(MultiPartParser):
    """Keeps files in memory; the body is bounded, so they are as well."""

    spool_max_size = 0  # for a SpooledTemporaryFile, 0 means: never move to disk


async def read_upload(request: Request, *, max_bytes: int) -> Upload:
    """Read the recording of a request.

    Parameters
    ----------
    request : Request
        Its body is the file itself, or a form with the file in the field ``file`` and recordings
        of the speaker in as many fields ``speaker_reference`` as there are.
    max_bytes : int
        Largest body [bytes], counted while it comes in.

    Returns
    -------
    Upload
        The recording, not yet decoded.

    Raises
    ------
    ProblemError
        413 if the body is too large, 415 if it is declared as something else than audio, 400 if
        the form is broken, 422 if there is no recording in it.
    """
    _check_encoding(request)
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != MULTIPART and declared not in _RAW_TYPES and not declared.startswith("audio/"):
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "not-audio",
            f"the body is declared as {declared!r:.80}; send audio/wav, audio/flac, audio/ogg,"
            f" audio/mpeg, application/octet-stream or a form ({MULTIPART})",
        )
    _check_declared_size(request, max_bytes)
    body = _bounded(request.stream(), max_bytes)
    if declared == MULTIPART:
        upload = await _read_form(request, body)
    else:
        upload = Upload(_UNNAMED, b"".join([chunk async for chunk in body]))
    if not upload.content:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "no-recording", "the recording is empty; send a file"
        )
    return upload


def _check_encoding(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "compressed-body",
            f"the body is compressed ({encoding!r:.40}); send it as it is",
        )


def _check_declared_size(request: Request, max_bytes: int) -> None:
    """Refuse at once what says itself that it is too large."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > max_bytes:
        raise _too_large(max_bytes)


async def _bounded(body: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes]:
    n_bytes = 0
    async for chunk in body:
        n_bytes += len(chunk)
        if n_bytes > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


async def _read_form(request: Request, body: AsyncGenerator[bytes]) -> Upload:
    try:
        form = await _MemoryParser(
            request.headers, body, max_files=1 + MOST_REFERENCES, max_fields=16
        ).parse()
    except MultiPartException as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "broken-form", f"the form cannot be read: {error.message}"
        ) from None
    except UnicodeError:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "broken-form",
            "the form cannot be read: its names are not in the charset that it declares; send them"
            " in UTF-8",
        ) from None
    try:
        file = _file_of(form.get(FIELD), FIELD)
        _check_fields(form)
        references = [_file_of(value, REFERENCE_FIELD) for value in form.getlist(REFERENCE_FIELD)]
        return Upload(
            _clean(file.filename or _UNNAMED),
            await file.read(),
            tuple([await reference.read() for reference in references]),
        )
    finally:
        await form.close()


def _clean(name: str) -> str:
    """Give a name as text that UTF-8 can hold, whatever charset the form declared."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")[:_LONGEST_NAME]


def _check_fields(form: FormData) -> None:
    """Refuse files that nobody would listen to."""
    files = Counter(name for name, value in form.multi_items() if isinstance(value, UploadFile))
    unknown = files.keys() - {FIELD, REFERENCE_FIELD}
    if unknown or files[FIELD] > 1:
        found = f"a file in the field {min(unknown)!r:.80}" if unknown else f"{files[FIELD]} files"
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "broken-form",
            f"the form has {found}; send one in the field {FIELD!r} and other recordings of the"
            f" speaker in {REFERENCE_FIELD!r}",
        )


def _file_of(value: UploadFile | str | None, field: str) -> UploadFile:
    if isinstance(value, UploadFile):
        return value
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "no-recording",
        f"the form has no file in the field {field!r}; send one there",
    )


def _too_large(max_bytes: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body is larger than {max_bytes:,} bytes; send a shorter or compressed recording",
        headers={"Connection": "close"},
    )
