"""A batch job: what is read, what is done with it and where the results go."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serenade.distributed.urls import READABLE, WRITABLE, check_location, protocol_of
from serenade.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS = ("predict", "features", "evaluate")
FORMATS = ("jsonl", "parquet")
LARGEST_NUMBER = 1_000_000_000
"""Of any key of a job, and of the seconds of a manifest."""

_BITS_OF_TOML = 63


@dataclass(frozen=True, slots=True)
class Job:
    """A batch job, as a TOML file says it.

    Parameters
    ----------
    input : str
        Folder, pattern, list (``.txt``), manifest (``.jsonl``) or single recording; a path, or a
        URL of one of these.
    output : str
        Folder of the results; a path or a URL.
    task : {"predict", "features", "evaluate"}
        What is done: predictions, feature vectors, or predictions that are then measured.
    model : str
        Name of a bundled model or folder of a model; empty for the default model.
    front_end : str
        Which features; key of :data:`serenade.features.frontends.FRONT_ENDS`.
    labels : str
        Emotions that an evaluation tells apart: ``"corpus"`` or a label set.
    format : {"jsonl", "parquet"}
        How the results are written.
    shard_size : int
        Recordings per file of results, 1 or more.
    denoise : bool
        Reduce noise before the model listens.
    attempts : int
        How often a recording is tried where the fault may pass, 1 or more.
    max_megabytes : float
        Largest recording that is fetched [MB]; files on this machine are read piece by piece.
    max_seconds : float
        Longest recording [s].

    Raises
    ------
    JobError
        If a value is out of range.
    """

    input: str
    output: str
    task: str = "predict"
    model: str = ""
    front_end: str = "mfcc"
    labels: str = "corpus"
    format: str = "jsonl"
    shard_size: int = 256
    denoise: bool = False
    attempts: int = 5
    max_megabytes: float = 256.0
    max_seconds: float = 14_400.0

    def __post_init__(self) -> None:
        for name, allowed in (("task", TASKS), ("format", FORMATS)):
            if getattr(self, name) not in allowed:
                raise JobError(
                    f"{name} is {getattr(self, name)!r}; allowed are {', '.join(allowed)}"
                )
        for name in ("input", "output"):
            if not getattr(self, name):
                raise JobError(f"{name} is empty; give a path or a URL")
        for name in ("shard_size", "attempts"):
            if getattr(self, name) < 1:
                raise JobError(f"{name} is {getattr(self, name)}; it must be 1 or more")
        for name in ("max_megabytes", "max_seconds"):
            if not getattr(self, name) > 0:
                raise JobError(f"{name} is {getattr(self, name)}; it must be positive")
        for name in ("shard_size", "attempts", "max_megabytes", "max_seconds"):
            if getattr(self, name) > LARGEST_NUMBER:
                raise JobError(
                    f"{name} is {getattr(self, name)}; it must be {LARGEST_NUMBER:,} or less"
                )
        check_location(self.input, READABLE)
        check_location(self.output, WRITABLE)

    @property
    def max_bytes(self) -> int:
        """Largest recording that is fetched [bytes]."""
        return round(self.max_megabytes * 1_000_000)


def read_job(path: str | Path) -> Job:
    """Read a job.

    Parameters
    ----------
    path : str or Path
        TOML file; relative paths in it start from its folder.

    Returns
    -------
    Job
        With defaults where the file is silent.

    Raises
    ------
    JobError
        If the file cannot be read, is not TOML, or a key or value is not allowed.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise JobError(
            f"{path}: the job cannot be read ({error.strerror}); give a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: not a TOML file ({error})") from error
    except (ValueError, RecursionError):
        raise JobError(
            f"{path}: holds a number that is too long or brackets that are too deep; correct it"
        ) from None
    try:
        job = _parse(table)
    except JobError as error:
        raise JobError(f"{path}: {error}") from error
    return replace(
        job,
        input=_from_folder(job.input, path.parent),
        output=_from_folder(job.output, path.parent),
        model=_model_from_folder(job.model, path.parent),
    )


def _parse(table: Mapping[str, Any]) -> Job:
    kinds = {field.name: field.type for field in fields(Job)}
    unknown = sorted(set(table) - set(kinds))
    if unknown:
        raise JobError(f"unknown key {unknown[0]!r}; allowed are {', '.join(kinds)}")
    missing = [name for name in ("input", "output") if name not in table]
    if missing:
        raise JobError(f"key {missing[0]!r} is missing; input and output are required")
    return Job(**{name: _value(name, value, str(kinds[name])) for name, value in table.items()})


def _value(name: str, value: object, kind: str) -> Any:  # noqa: ANN401 - one of four types
    if type(value) is int and value.bit_length() > _BITS_OF_TOML:
        raise JobError(f"{name} is far too large or small a number; correct it")
    if kind == "float" and type(value) is int:
        return float(value)
    if type(value).__name__ != kind:
        raise JobError(f"{name} is {value!r:.80}; it must be of type {kind}")
    return value


def _from_folder(location: str, folder: Path) -> str:
    return location if protocol_of(location) is not None else str(folder / location)


def _model_from_folder(model: str, folder: Path) -> str:
    """Resolve the folder of a model; what has no separator is a name."""
    return os.path.abspath(folder / model) if "/" in model else model  # noqa: PTH100 - keeps links
