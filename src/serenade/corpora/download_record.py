"""The record of downloads: what came from where, so that a later download must be equal."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from serenade.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

    Record = dict[str, dict[str, object]]

RECORD = "downloads.json"
"""File beside the downloads that holds address, size and SHA-256 of each."""

_BLOCK_BYTES = 1 << 18


def digests_of(path: Path) -> dict[str, str]:
    """Give what tells one content from another.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    dict of str to str
        The digests by algorithm, ``"sha256"`` and ``"md5"``, like ``"md5:…"``.
    """
    sums = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    with path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            for checksum in sums.values():
                checksum.update(block)
    return {name: f"{name}:{checksum.hexdigest()}" for name, checksum in sums.items()}


def recorded_digest(name: str, folder: Path) -> str | None:
    """Give the digest that a file had when it was fetched first.

    Parameters
    ----------
    name : str
        What the file is called in the folder.
    folder : Path
        Holds the record.

    Returns
    -------
    str or None
        Like ``"sha256:…"``; ``None`` for a file that is not recorded.

    Raises
    ------
    DownloadError
        If the record cannot be read.
    """
    entry = _read(folder).get(name)
    return None if entry is None else str(entry["digest"])


def remember(name: str, folder: Path, *, url: str, n_bytes: int, digest: str) -> None:
    """Record a file that was fetched.

    Parameters
    ----------
    name, folder
        As in :func:`recorded_digest`.
    url : str
        Where it came from.
    n_bytes : int
        Its size.
    digest : str
        Its SHA-256, like ``"sha256:…"``.

    Raises
    ------
    DownloadError
        If the record cannot be read.
    """
    _write(folder, _read(folder) | {name: {"url": url, "bytes": n_bytes, "digest": digest}})


def forget(name: str, folder: Path) -> None:
    """Drop a file from the record, so that its next download may be another.

    Parameters
    ----------
    name, folder
        As in :func:`recorded_digest`; a file that is not recorded is fine.

    Raises
    ------
    DownloadError
        If the record cannot be read.
    """
    record = _read(folder)
    if record.pop(name, None) is not None:
        _write(folder, record)


def _read(folder: Path) -> Record:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DownloadError(f"{path}: cannot be read; remove it to start a new record") from error
    if not _is_record(record):
        raise DownloadError(f"{path}: is no record of downloads; remove it to start a new record")
    return dict(record)


def _is_record(record: object) -> bool:
    return isinstance(record, dict) and all(
        isinstance(entry, dict) and str(entry.get("digest")).startswith("sha256:")
        for entry in record.values()
    )


def _write(folder: Path, record: Record) -> None:
    part = folder / f"{RECORD}.part"
    part.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(folder / RECORD)
