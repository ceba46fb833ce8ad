"""Unpack archives from the net without trusting them: nothing is written outside, nothing explodes.

An archive is judged as a whole before anything is written, its bytes are counted again while they
are written, and its folder appears only when everything is in it.
"""

from __future__ import annotations

import errno
import lzma
import stat
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from serenade.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARCHIVE_EXTENSIONS: tuple[str, ...] = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Ends of the names of files that :func:`extract` takes; the content decides what they are."""

_BLOCK_BYTES = 1 << 20
_ERRNOS_OF_DAMAGE = frozenset({None, errno.EINVAL})  # bad gzip or bzip2, bad offset in a zip
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold.

    Parameters
    ----------
    entries : int
        Most files and folders.
    total_bytes : int
        Most bytes when unpacked.
    ratio : float
        Most bytes when unpacked, per byte of the archive. Audio shrinks to a half or a tenth at
        best; bombs reach a thousand.
    """

    entries: int = 200_000
    total_bytes: int = 50_000_000_000
    ratio: float = 100.0


DEFAULT_LIMITS = Limits()


class RefusedContentError(DownloadError):
    """What a file holds is refused; another download of it may be better."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of an archive, with what opens it; ``None`` for a folder."""

    path: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]] | None


def is_archive(path: Path) -> bool:
    """Tell whether a file is called like an archive.

    Parameters
    ----------
    path : Path
        Only its name matters.

    Returns
    -------
    bool
        Whether it ends in one of :data:`ARCHIVE_EXTENSIONS`.
    """
    return path.name.lower().endswith(ARCHIVE_EXTENSIONS)


def extract(archive: Path, folder: Path, *, limits: Limits = DEFAULT_LIMITS) -> list[Path]:
    """Unpack a zip or tar archive into a new folder.

    Parameters
    ----------
    archive : Path
        Zip, or tar as it is or packed with gzip, bzip2 or xz.
    folder : Path
        Must not exist. It appears when all is unpacked, and not at all after an error.
    limits : Limits
        What is too much.

    Returns
    -------
    list of Path
        The files, sorted.

    Raises
    ------
    RefusedContentError
        If the archive is damaged, encrypted or too large, or an entry is a link or a device,
        leaves the folder or has the name of another (also where case does not count).
    DownloadError
        If the archive cannot be read, or the folder exists or cannot be written.
    """
    try:
        if folder.exists():
            raise DownloadError(f"{folder}: exists already; move it away to unpack {archive.name}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as temporary:
            unpacked = Path(temporary, "unpacked")
            unpacked.mkdir()
            with _opened(archive) as entries:
                _check(entries, archive, limits)
                _write(entries, unpacked, archive, limits)
            unpacked.rename(folder)
    except _DAMAGE as error:
        raise RefusedContentError(f"{archive}: the archive is damaged ({error})") from error
    except (NotImplementedError, RuntimeError) as error:
        raise RefusedContentError(
            f"{archive}: is encrypted or packed in an unknown way ({error})"
        ) from error
    except OSError as error:
        if error.errno in _ERRNOS_OF_DAMAGE:
            raise RefusedContentError(f"{archive}: the archive is damaged ({error})") from error
        raise DownloadError(
            f"{archive}: cannot be unpacked ({error}); see that the disk has room and"
            f" {folder.parent} can be written"
        ) from error
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _opened(archive: Path) -> Iterator[list[_Entry]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            yield [_zip_entry(file, info) for info in file.infolist()]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as file:
            yield [_tar_entry(file, info) for info in file]
            _read_to_the_end(file)
    else:
        raise RefusedContentError(f"{archive}: is neither a zip nor a tar archive")


def _read_to_the_end(file: tarfile.TarFile) -> None:
    """Read what follows the last entry: the packing keeps its checksum there."""
    while file.fileobj is not None and file.fileobj.read(_BLOCK_BYTES):
        pass


def _zip_entry(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    is_folder = info.orig_filename.endswith("/")
    path = _safe_path(info.orig_filename, is_folder=is_folder)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise RefusedContentError(f"{info.orig_filename!r} is a link or a device, which is refused")
    if is_folder:
        return _Entry(path, 0, None)
    return _Entry(path, info.file_size, lambda: file.open(info))


def _tar_entry(file: tarfile.TarFile, info: tarfile.TarInfo) -> _Entry:
    path = _safe_path(info.name, is_folder=info.isdir())
    if info.isdir():
        return _Entry(path, 0, None)
    if not info.isreg():
        raise RefusedContentError(f"{info.name!r} is a link or a device, which is refused")

    def open_file() -> IO[bytes]:
        content = file.extractfile(info)
        if content is None:
            raise tarfile.ReadError(f"{info.name!r} holds no data")
        return content

    return _Entry(path, info.size, open_file)


def _safe_path(name: str, *, is_folder: bool) -> PurePosixPath:
    """Refuse names that lead out of a folder on any operating system; "." is the folder itself."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or not (path.parts or is_folder)
    if outside or any(character in name for character in "\\:\0"):
        raise RefusedContentError(f"{name!r} leads out of the folder, which is refused")
    return path


def _check(entries: list[_Entry], archive: Path, limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise RefusedContentError(
            f"{archive}: holds {len(entries)} entries; {limits.entries} are allowed"
        )
    _check_size(sum(entry.size for entry in entries), archive, limits)
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        name = str(entry.path).casefold()
        parents = {str(parent).casefold() for parent in entry.path.parents} - {"."}
        if name in files or (entry.open and name in folders) or parents & files:
            raise RefusedContentError(f"{archive}: two entries are called {str(entry.path)!r}")
        (files if entry.open else folders).add(name)
        folders |= parents


def _check_size(n_bytes: int, archive: Path, limits: Limits) -> None:
    allowed = min(limits.total_bytes, limits.ratio * archive.stat().st_size)
    if n_bytes > allowed:
        raise RefusedContentError(
            f"{archive}: unpacks to {n_bytes} bytes or more; {allowed:.0f} are allowed for an"
            " archive of its size"
        )


def _write(entries: list[_Entry], folder: Path, archive: Path, limits: Limits) -> None:
    written = 0
    for entry in entries:
        target = folder / entry.path
        if entry.open is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with entry.open() as source, target.open("xb") as sink:
            while block := source.read(_BLOCK_BYTES):
                written += len(block)
                _check_size(written, archive, limits)
                sink.write(block)
