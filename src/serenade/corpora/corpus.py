"""What every corpus has: a name, a card, and a scan that turns its folder into utterances."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from serenade.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from serenade.corpora.manifest import Utterance

AUDIO_EXTENSIONS: tuple[str, ...] = (
    ".wav",
    ".flac",
    ".aiff",
    ".aif",
    ".au",
    ".w64",
    ".caf",
    ".opus",
    ".ogg",
    ".oga",
    ".mp3",
    ".m4a",
)
"""Names of files that are looked at, the most faithful first; the content is never trusted to fit.

Where a publisher gives the same clip in several formats, the first of these is taken.
"""

REPORTED_EXTENSIONS: tuple[str, ...] = (
    ".zip",
    ".gz",
    ".tar",
    ".tgz",
    ".7z",
    ".rar",
    ".mp4",
    ".flv",
)
"""Archives and videos: nothing is read from them, and the scan says so."""

NO_DEFECTS: Mapping[str, str] = MappingProxyType({})


class Dropped(NamedTuple):
    """A file that gave no utterance, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a corpus folder holds.

    Parameters
    ----------
    utterances : tuple of Utterance
        Sorted by id, which is unique.
    dropped : tuple of Dropped
        Audio files, archives and videos that gave no utterance, sorted by path.
    """

    utterances: tuple[Utterance, ...]
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that a publisher offers.

    Parameters
    ----------
    url : str
        Where it is.
    name : str
        What it is called on disk.
    size_bytes : int or None
        Published length; ``None`` where it is not published.
    digest : str or None
        Published checksum as ``"md5:<hex>"`` or ``"sha256:<hex>"``; ``None`` where none is
        published: the size is checked and the digest is recorded on the first download.
    """

    url: str
    name: str
    size_bytes: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteIndex:
    """Many files that a publisher offers one by one, listed in a table.

    Parameters
    ----------
    table : RemoteFile
        CSV file with a header.
    column : str
        Holds the names of the files.
    url : str
        Address of one file, with ``{}`` where its name goes.
    name : str
        What one file is called on disk, with ``{}`` where its name goes.
    """

    table: RemoteFile
    column: str
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a person must know before using a corpus.

    Parameters
    ----------
    title : str
        Full name.
    speakers, clips : int
        How many the published corpus has.
    labels : tuple of str
        Its emotions by canonical name, and new names where it has its own.
    languages : tuple of str
        ISO 639-1 codes.
    licence : str
        Of the recordings; says so where none is stated.
    citation : str
        The publication to cite.
    url : str
        The publisher's page.
    download : tuple of RemoteFile or RemoteIndex
        What can be fetched without asking; empty where `registration` says what to do.
    registration : str or None
        How to get the corpus by hand.
    notes : str or None
        What to know when judging by it.
    """

    title: str
    speakers: int
    clips: int
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    licence: str
    citation: str
    url: str
    download: tuple[RemoteFile | RemoteIndex, ...] = ()
    registration: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus that Serenade knows.

    Parameters
    ----------
    name : str
        As in the registry and in :attr:`Utterance.corpus`.
    card : Card
        Size, licence, citation and source.
    scan : callable
        Takes the corpus folder, gives a :class:`ScanResult`, and raises
        :class:`~serenade.errors.ManifestError` where the folder does not hold the corpus.
    """

    name: str
    card: Card
    scan: Callable[[Path], ScanResult]


def audio_files(root: Path) -> Iterator[Path]:
    """Give all files below a folder that are called like audio.

    Parameters
    ----------
    root : Path
        Folder; hidden files and folders are passed over, links to folders are not followed.

    Yields
    ------
    Path
        Starting with `root`; in the order of the names, whatever the file system.

    Raises
    ------
    ManifestError
        If `root` is not a folder that can be read.
    """
    return files_with(root, AUDIO_EXTENSIONS)


def check_folder(root: Path, what: str) -> None:
    """Refuse what is not a folder that can be looked into.

    Parameters
    ----------
    root : Path
        What was given.
    what : str
        What the folder should hold.

    Raises
    ------
    ManifestError
        If it is no folder, or it or one above it cannot be read.
    """
    try:
        is_folder = root.is_dir()
        if is_folder:
            next(root.iterdir(), None)
    except OSError as error:
        raise ManifestError(f"{root}: cannot be read ({error.strerror})") from error
    if not is_folder:
        raise ManifestError(f"{root}: not a folder; give the folder that holds {what}")


def files_with(root: Path, extensions: tuple[str, ...]) -> Iterator[Path]:
    """Give all files below a folder whose names end in one of some extensions.

    Parameters
    ----------
    root : Path
        As in :func:`audio_files`.
    extensions : tuple of str
        In lower case, with the dot.

    Yields
    ------
    Path
        As in :func:`audio_files`.

    Raises
    ------
    ManifestError
        If `root` is not a folder that can be read.
    """
    check_folder(root, "the corpus")

    def refuse(error: OSError) -> None:
        raise ManifestError(f"{error.filename}: cannot be read ({error.strerror})") from error

    for folder, subfolders, names in os.walk(root, onerror=refuse):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in extensions:
                yield Path(folder, name)


def scan_names(
    root: Path,
    *,
    corpus: str,
    parse: Callable[[Path], Utterance | None],
    rule: str,
    defects: Mapping[str, str] = NO_DEFECTS,
) -> ScanResult:
    """Scan a corpus whose labels are in the names of files and folders.

    Parameters
    ----------
    root : Path
        Corpus folder.
    corpus : str
        Name of the corpus.
    parse : callable
        Takes the path of an audio file, gives its utterance, or ``None`` where the name does not
        follow the naming rule.
    rule : str
        The naming rule, for messages.
    defects : mapping of str to str
        Ids of utterances that are known to be wrong, and why; they are dropped.

    Returns
    -------
    ScanResult
        An id that occurs twice keeps its most faithful format, then its first path.

    Raises
    ------
    ManifestError
        If the folder cannot be read or holds no clip of the corpus.
    """
    utterances: dict[str, Utterance] = {}
    dropped = [
        Dropped(str(path), f"{path.suffix} files are not read; unpack or convert it")
        for path in files_with(root, REPORTED_EXTENSIONS)
    ]
    for path in sorted(audio_files(root), key=_faithful_first):
        utterance = parse(path)
        if utterance is None:
            dropped.append(Dropped(str(path), f"the name does not follow the rule {rule}"))
        elif utterance.id in defects:
            dropped.append(Dropped(str(path), defects[utterance.id]))
        elif utterance.id in utterances:
            dropped.append(Dropped(str(path), f"same clip as {utterances[utterance.id].path}"))
        else:
            utterances[utterance.id] = utterance
    if not utterances:
        first = f"; {dropped[0].path}: {dropped[0].reason}" if dropped else ""
        raise ManifestError(
            f"{root}: holds no clip of {corpus}; its files are called {rule}, with any audio"
            f" extension{first}"
        )
    return ScanResult(
        utterances=tuple(utterances[key] for key in sorted(utterances)),
        dropped=tuple(sorted(dropped)),
    )


def _faithful_first(path: Path) -> tuple[int, Path]:
    return AUDIO_EXTENSIONS.index(path.suffix.lower()), path
