"""Folders of results, here or in a store; a file in one is whole or not there."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from serenade.distributed.stores import attempt_call, open_store
from serenade.distributed.urls import local_path
from serenade.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Folder(Protocol):
    """A flat folder."""

    @property
    def name(self) -> str:
        """As the user gave it."""

    def names(self) -> set[str]:
        """Give the names of the files."""

    def read(self, name: str) -> bytes:
        """Give a file that is there."""

    def write(self, name: str, content: bytes) -> None:
        """Put a whole file into the place of what was there."""

    def delete(self, name: str) -> None:
        """Remove a file that is there."""


def open_folder(location: str, *, attempts: int) -> Folder:
    """Open a folder for results; one on this machine is made where it is missing.

    Parameters
    ----------
    location : str
        Path or URL, already checked.
    attempts : int
        How often a store is tried, 1 or more.

    Returns
    -------
    Folder
        Ready.

    Raises
    ------
    JobError
        If it cannot be made.
    MissingExtraError
        If what the protocol needs is not installed.
    """
    path = local_path(location)
    if path is None:
        return _StoreFolder(location.rstrip("/"), attempts)
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JobError(
            f"the output {path!r} cannot be made ({error.strerror}); give another folder"
        ) from error
    return _LocalFolder(Path(path))


class _LocalFolder:
    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return str(self._path)

    def names(self) -> set[str]:
        with _one_sentence(self._path, "listed"):
            return {entry.name for entry in self._path.iterdir()}

    def read(self, name: str) -> bytes:
        with _one_sentence(self._path / name, "read"):
            return (self._path / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        # a run that is killed leaves the hidden file, which the next run writes over
        part = self._path / f".{name}.part"
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path / name)
        except OSError as error:
            raise JobError(
                f"{self._path / name} cannot be written ({error.strerror}); make room or give"
                " another folder, then run the job again"
            ) from error

    def delete(self, name: str) -> None:
        with _one_sentence(self._path / name, "deleted"):
            (self._path / name).unlink()


@contextmanager
def _one_sentence(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JobError(
            f"{path} cannot be {verb} ({error.strerror}); move it away or give another output"
        ) from error


class _StoreFolder:
    """A prefix of an object store, where a put is whole or does not happen."""

    def __init__(self, url: str, attempts: int) -> None:
        self._url = url
        self._store = open_store(url)
        self._attempts = attempts

    @property
    def name(self) -> str:
        return self._url

    def names(self) -> set[str]:
        def look() -> list[str]:
            try:
                return list(self._store.ls(self._url, detail=False, refresh=True))
            except FileNotFoundError:  # a prefix without objects
                return []

        return {key.rpartition("/")[2] for key in self._call(look, "listed")}

    def read(self, name: str) -> bytes:
        content: bytes = self._call(lambda: self._store.cat_file(f"{self._url}/{name}"), "read")
        return content

    def write(self, name: str, content: bytes) -> None:
        self._call(lambda: self._store.pipe_file(f"{self._url}/{name}", content), "written")

    def delete(self, name: str) -> None:
        self._call(lambda: self._store.rm_file(f"{self._url}/{name}"), "deleted from")

    def _call(self, call: Callable[[], Any], verb: str) -> Any:  # noqa: ANN401 - as fsspec
        return attempt_call(call, f"{self._url!r} cannot be {verb}", attempts=self._attempts)
