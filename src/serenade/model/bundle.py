"""Bundles: a model as a folder of data files that is verified whenever it is opened.

::

    <bundle>/spec.json     what the model is and needs (:mod:`serenade.model.spec`)
    <bundle>/model.onnx    the graph
    <bundle>/CARD.md       the same for people: data, licence, results, limits
    <bundle>/SHA256SUMS    a checksum of every file, as ``sha256sum -c`` reads it
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from threading import Thread
from typing import TYPE_CHECKING

from serenade.errors import ModelError
from serenade.model.spec import ModelSpec, read_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SPEC_NAME = "spec.json"
MODEL_NAME = "model.onnx"
CARD_NAME = "CARD.md"
CHECKSUMS_NAME = "SHA256SUMS"

MAX_MODEL_BYTES = 2 * 1024**3
"""Largest ``model.onnx``; protocol buffers cannot be larger."""

MAX_TEXT_BYTES = 4 * 1024**2
"""Largest of each other file."""

MAX_FILES = 64
"""Most files in a bundle."""

_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S.*)")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified model folder.

    Parameters
    ----------
    path : Path
        The folder.
    spec : ModelSpec
        Its ``spec.json``.
    card : str
        Its ``CARD.md``.
    """

    path: Path
    spec: ModelSpec
    card: str

    @property
    def model_path(self) -> Path:
        """The ONNX graph."""
        return self.path / MODEL_NAME


def open_bundle(path: Path) -> Bundle:
    """Verify a model folder and read what it says.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    Bundle
        The model, ready for :func:`serenade.model.scorer.open_scorer`.

    Raises
    ------
    ModelError
        If a file is missing, changed, not listed, too large or a link, or the specification is
        wrong or too new.
    """
    verify_checksums(path)
    with _trouble_told(path):
        return _read(path)


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """Open a model folder for a body that loads its graph, which is verified meanwhile.

    The checksum of a large graph takes a good part of the time that loading it does (ADR 13), and
    neither needs the other's core. All else is verified before the body begins.

    Parameters
    ----------
    path : Path
        The folder.

    Yields
    ------
    Bundle
        The model. Nothing of its graph may leave the body before the body has ended.

    Raises
    ------
    ModelError
        As :func:`open_bundle`; a changed graph is told of at the end of the body, in place of
        whatever the graph made the body raise.
    """
    with _trouble_told(path):
        expected = _expected_checksums(path)
        graph = {MODEL_NAME: expected.pop(MODEL_NAME)}
        _compare_checksums(path, expected)
    failures: list[ModelError] = []

    def verify_graph() -> None:
        try:
            with _trouble_told(path):
                _compare_checksums(path, graph)
        except ModelError as failure:
            failures.append(failure)

    verification = Thread(target=verify_graph, name="serenade-checksum")
    verification.start()
    try:
        with _trouble_told(path):
            bundle = _read(path)
        yield bundle
    finally:
        verification.join()
        if failures:
            raise failures[0] from None


def verify_checksums(path: Path) -> None:
    """Check that a model folder holds exactly the files that it was written with.

    Parameters
    ----------
    path : Path
        The folder. Hidden files are ignored.

    Raises
    ------
    ModelError
        Naming the first file that is missing, changed, not listed, too large or a link.
    """
    with _trouble_told(path):
        _compare_checksums(path, _expected_checksums(path))


@contextmanager
def _trouble_told(path: Path) -> Iterator[None]:
    """Say in one sentence what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"model {path} cannot be read ({error.strerror}); check its permissions and the disk"
        ) from error


def _read(path: Path) -> Bundle:
    card = (path / CARD_NAME).read_text(encoding="utf-8", errors="replace")
    return Bundle(path=path, spec=read_spec(path / SPEC_NAME), card=card)


def _expected_checksums(path: Path) -> dict[str, str]:
    """Give what the files of a folder should be, if they are those that it should hold."""
    if not path.is_dir():
        raise ModelError(f"{path} is not a model: a model is a folder with {SPEC_NAME}")
    present = _list_files(path)
    for name in (SPEC_NAME, MODEL_NAME, CARD_NAME, CHECKSUMS_NAME):
        if name not in present:
            raise ModelError(f"{path} is not a whole model: {name} is missing")
    listed = _read_checksums(path / CHECKSUMS_NAME)
    for name in sorted(present - listed.keys() - {CHECKSUMS_NAME}):
        raise ModelError(
            f"model {path} holds {name}, which {CHECKSUMS_NAME} does not list; remove the file"
        )
    for name in sorted(listed.keys() - present):
        raise ModelError(f"model {path} lacks {name}, which {CHECKSUMS_NAME} lists; get it anew")
    return listed


def _compare_checksums(path: Path, expected: Mapping[str, str]) -> None:
    for name, checksum in expected.items():
        if _checksum(path / name) != checksum:
            raise ModelError(
                f"{name} of model {path} was changed after the model was made"
                " (its checksum is wrong); get the model anew"
            )


def write_checksums(path: Path) -> None:
    """Write ``SHA256SUMS`` over every file of a model folder that is not hidden.

    Parameters
    ----------
    path : Path
        The folder, complete but for the checksums.

    Raises
    ------
    ModelError
        If the folder holds a link or a file that is too large.
    """
    names = sorted(_list_files(path) - {CHECKSUMS_NAME})
    lines = [f"{_checksum(path / name)}  {name}\n" for name in names]
    (path / CHECKSUMS_NAME).write_text("".join(lines), encoding="utf-8")


def _list_files(path: Path) -> set[str]:
    names: set[str] = set()
    for entry in path.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() or not entry.is_file():
            raise ModelError(
                f"model {path} holds {entry.name}, which is a link or a folder; a model may hold"
                " only plain files"
            )
        limit = MAX_MODEL_BYTES if entry.name == MODEL_NAME else MAX_TEXT_BYTES
        size = entry.stat().st_size
        if size > limit:
            raise ModelError(f"{entry.name} of model {path} has {size} bytes; {limit} are allowed")
        names.add(entry.name)
        if len(names) > MAX_FILES:
            raise ModelError(
                f"model {path} holds more than {MAX_FILES} files, which is not a model"
            )
    return names


def _read_checksums(path: Path) -> dict[str, str]:
    listed: dict[str, str] = {}
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        match = _CHECKSUM_LINE.fullmatch(line)
        if match is None or match[2] in listed:
            raise ModelError(
                f"line {number} of {path} is not '<sha256>  <file>' or repeats a file;"
                " get the model anew"
            )
        listed[match[2]] = match[1]
    return listed


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
