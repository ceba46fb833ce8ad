"""Fetch corpora from their publishers: resumed after a break, checked, and never half there."""

from __future__ import annotations

import csv
import http.client
import re
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from serenade.corpora.archive import ARCHIVE_EXTENSIONS, RefusedContentError, extract, is_archive
from serenade.corpora.corpus import RemoteFile, RemoteIndex
from serenade.corpora.download_record import RECORD, digests_of, forget, recorded_digest, remember
from serenade.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serenade.corpora.corpus import Corpus

    Progress = Callable[[str, int, int | None], None]

_BLOCK_BYTES = 1 << 18
_RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_SAFE_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to try.

    Parameters
    ----------
    attempts : int
        Tries per file without a new byte; a try that brought some does not count.
    backoff_seconds : float
        Wait after the first failed try [s]; it doubles each time.
    timeout_seconds : float
        Longest silence of the server [s].
    """

    attempts: int = 6
    backoff_seconds: float = 1.0
    timeout_seconds: float = 30.0


DEFAULT_PATIENCE = Patience()


class _TryAgainError(Exception):
    """A try failed in a way that another may mend."""


class _BlockedError(DownloadError):
    """A file cannot be had for a reason that stops the others as well: the network or the disk."""


def _no_progress(_name: str, _done_bytes: int, _total_bytes: int | None) -> None:
    pass


def download_corpus(
    corpus: Corpus,
    folder: Path,
    *,
    progress: Progress = _no_progress,
    patience: Patience = DEFAULT_PATIENCE,
) -> None:
    """Fetch a corpus and unpack it.

    What is complete is not fetched again, so that an interrupted download is taken up by calling
    this again.

    Parameters
    ----------
    corpus : Corpus
        Its card says what to fetch.
    folder : Path
        Is made where needed. Each archive is unpacked into a sub-folder with its name, and then
        removed.
    progress : callable
        Called with file name, bytes so far and bytes in all (``None`` where it is not known).
    patience : Patience
        How often and how long to try.

    Raises
    ------
    DownloadError
        If the corpus must be asked for (the message says how), or a file cannot be had, is not
        as published, or is an archive that is refused.
    """
    if not corpus.card.download:
        raise DownloadError(f"{corpus.name} must be fetched by hand: {corpus.card.registration}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"{folder}: the folder cannot be made ({error.strerror})") from error
    with _disk_trouble_told(folder):
        for part in corpus.card.download:
            if isinstance(part, RemoteIndex):
                _fetch_index(part, folder, progress, patience)
            elif is_archive(Path(part.name)):
                _fetch_archive(part, folder, progress, patience)
            else:
                fetch(part, folder, progress=progress, patience=patience)


def fetch(
    file: RemoteFile,
    folder: Path,
    *,
    progress: Progress = _no_progress,
    patience: Patience = DEFAULT_PATIENCE,
) -> Path:
    """Fetch one file.

    Parameters
    ----------
    file : RemoteFile
        What to fetch. Without a published digest, that of the first download is recorded in
        :data:`~serenade.corpora.download_record.RECORD`, and a later one must be equal.
    folder : Path
        Where it goes; must exist. A file that is there already is left alone.
    progress, patience
        As in :func:`download_corpus`.

    Returns
    -------
    Path
        The complete and checked file.

    Raises
    ------
    DownloadError
        If the file cannot be had or written, or is not as published.
    """
    target = folder / file.name
    with _disk_trouble_told(target):
        if target.is_file():
            return target
        if target.is_dir():
            raise DownloadError(f"{target}: is a folder; move it away to fetch the file")
        if not file.url.startswith(("https://", "http://")):
            raise DownloadError(f"{file.url}: only http and https addresses are fetched")
        recorded = recorded_digest(file.name, folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        _fetch_patiently(file, part, progress, patience)
        try:
            digest = _check(file, part, recorded)
        except DownloadError:
            _discard(part)
            raise
        remember(file.name, folder, url=file.url, n_bytes=_size(part), digest=digest)
        part.replace(target)
        _tag_of(part).unlink(missing_ok=True)
    return target


@contextmanager
def _disk_trouble_told(path: Path) -> Iterator[None]:
    """Say in one sentence what the disk refuses; trouble of the network never gets here."""
    try:
        yield
    except OSError as error:
        raise _BlockedError(
            f"{error.filename or path}: cannot be written ({error.strerror}); see that the disk"
            " has room and the folder can be written, and run the command again"
        ) from error


@contextmanager
def _removed_if_refused(file: RemoteFile, folder: Path) -> Iterator[None]:
    """Remove a file whose content is refused, unless a published digest says that it is right."""
    try:
        yield
    except RefusedContentError as error:
        if file.digest is not None:
            raise DownloadError(f"{error}; remove {file.name} and run the command again") from error
        forget(file.name, folder)
        (folder / file.name).unlink()
        raise DownloadError(
            f"{error}; {file.name} is removed: run the command again, and if it happens again,"
            f" look at {file.url} in a browser"
        ) from error


def _fetch_archive(file: RemoteFile, folder: Path, progress: Progress, patience: Patience) -> None:
    extension = next(end for end in ARCHIVE_EXTENSIONS if file.name.lower().endswith(end))
    unpacked = folder / file.name[: -len(extension)]
    if not unpacked.exists():
        archive = fetch(file, folder, progress=progress, patience=patience)
        with _removed_if_refused(file, folder):
            extract(archive, unpacked)
        archive.unlink()


def _fetch_index(index: RemoteIndex, folder: Path, progress: Progress, patience: Patience) -> None:
    table = fetch(index.table, folder, progress=progress, patience=patience)
    with _removed_if_refused(index.table, folder):
        names = _names(table, index.column)
    failures = []
    for name in names:
        file = RemoteFile(index.url.format(name), index.name.format(name))
        try:
            fetch(file, folder, progress=progress, patience=patience)
        except _BlockedError:
            raise
        except DownloadError as error:
            failures.append(error)
    if failures:
        raise DownloadError(
            f"{len(failures)} of the files that {table.name} lists could not be fetched; the first"
            f" error is: {failures[0]}"
        )


def _names(table: Path, column: str) -> list[str]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            names = [row[column] for row in csv.DictReader(lines, restval="")]
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise RefusedContentError(f"{table}: is not a table with a column {column!r}") from error
    if not names:
        raise RefusedContentError(f"{table}: is not a table that lists files")
    for name in names:
        if _SAFE_NAME.fullmatch(name) is None:
            raise RefusedContentError(f"{table}: lists {name!r}, which is no plain file name")
    return names


def _fetch_patiently(file: RemoteFile, part: Path, progress: Progress, patience: Patience) -> None:
    failures = 0
    while True:
        before = _size(part)
        try:
            _fetch_once(file, part, progress, patience.timeout_seconds)
        except _TryAgainError as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= patience.attempts:
                raise _BlockedError(
                    f"{file.url}: cannot be fetched ({error}); run the command again to go on"
                    " from where it stopped"
                ) from error
            time.sleep(patience.backoff_seconds * 2 ** (failures - 1))
        else:
            return


def _fetch_once(file: RemoteFile, part: Path, progress: Progress, timeout_seconds: float) -> None:
    """Fetch what is missing of a file; the same file is told by its tag or its digest."""
    tag = _read_tag(part)
    if tag is None and file.digest is None:
        _discard(part)
    start = _size(part)
    headers = {"User-Agent": "serenade", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag is not None:
            headers["If-Range"] = tag
    request = urllib.request.Request(file.url, headers=headers)  # noqa: S310 - http(s), see fetch
    try:
        response = urllib.request.urlopen(request, timeout=timeout_seconds)  # noqa: S310
    except urllib.error.HTTPError as error:
        with error:
            _explain_refusal(error, file, part)
    except (http.client.HTTPException, OSError) as error:
        raise _TryAgainError(str(error) or type(error).__name__) from error
    else:
        with response:
            _receive(response, file, part, progress)


def _explain_refusal(error: urllib.error.HTTPError, file: RemoteFile, part: Path) -> None:
    """Raise what an error status means, unless it says that the part is complete."""
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        if error.headers.get("Content-Range") == f"bytes */{_size(part)}":
            return
        _discard(part)
    elif error.code not in _RETRIED_STATUSES:
        raise DownloadError(
            f"{file.url}: the server answers {error.code} {error.reason}; look at the"
            " publisher's page for a new address"
        ) from error
    raise _TryAgainError(f"the server answers {error.code} {error.reason}") from error


def _receive(
    response: http.client.HTTPResponse, file: RemoteFile, part: Path, progress: Progress
) -> None:
    start = _start_of(response, part)
    length = response.headers.get("Content-Length")
    total = start + int(length) if length is not None and length.isdigit() else None
    if total is not None and file.size_bytes is not None and total != file.size_bytes:
        raise DownloadError(
            f"{file.url}: the server offers {total} bytes where {file.size_bytes} are published"
        )
    if start == 0:
        _write_tag(response, part)
    with part.open("ab" if start else "wb") as sink:
        _copy(response, sink, file, start, total, progress)
    if total is not None and _size(part) < total:
        raise _TryAgainError(f"the connection broke after {_size(part)} of {total} bytes")


def _start_of(response: http.client.HTTPResponse, part: Path) -> int:
    """Give where the server goes on: at the end of the part, or at 0 where it ignores the range."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != _size(part):
        _discard(part)
        raise _TryAgainError("the server sent another part than was asked for")
    return int(match[1])


def _copy(
    response: http.client.HTTPResponse,
    sink: IO[bytes],
    file: RemoteFile,
    done: int,
    total: int | None,
    progress: Progress,
) -> None:
    progress(file.name, done, total)
    while block := _next_block(response):
        sink.write(block)
        done += len(block)
        progress(file.name, done, total)
        if file.size_bytes is not None and done > file.size_bytes:
            raise DownloadError(
                f"{file.url}: sends more than the {file.size_bytes} bytes that are published"
            )


def _next_block(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_BLOCK_BYTES)
    except (http.client.HTTPException, OSError) as error:
        raise _TryAgainError(str(error) or type(error).__name__) from error


def _read_tag(part: Path) -> str | None:
    """Give the tag of a part, or ``None`` where there is none that a header can hold."""
    try:
        tag = _tag_of(part).read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return tag if tag and tag.isprintable() else None


def _write_tag(response: http.client.HTTPResponse, part: Path) -> None:
    """Keep what tells the same version of the file again; weak tags do not."""
    tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
    if tag is None or tag.startswith("W/"):
        _tag_of(part).unlink(missing_ok=True)
    else:
        _tag_of(part).write_text(tag, encoding="ascii", errors="replace")


def _check(file: RemoteFile, part: Path, recorded: str | None) -> str:
    """Give the SHA-256 of a complete part that is as published and as recorded."""
    size = _size(part)
    if file.size_bytes is not None and size != file.size_bytes:
        raise DownloadError(
            f"{file.url}: {size} bytes came where {file.size_bytes} are published; try again"
        )
    digests = digests_of(part)
    expected = file.digest or recorded
    if expected is not None:
        algorithm = expected.partition(":")[0]
        if digests[algorithm] != expected:
            source = "published" if file.digest else f"recorded in {RECORD}"
            raise DownloadError(
                f"{file.url}: came with the digest {digests[algorithm]} where {expected} is"
                f" {source}; try again, and do not use the file if that does not help"
            )
    return digests["sha256"]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _tag_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_of(part).unlink(missing_ok=True)
