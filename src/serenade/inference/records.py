"""Outcomes as the JSON objects of ``docs/prediction.schema.json``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from serenade.errors import SerenadeError
from serenade.types import JSON_SCHEMA_VERSION

if TYPE_CHECKING:
    from serenade.inference.batch import Outcome

Record = dict[str, Any]


def display_path(path: str) -> str:
    r"""Give a path as text that any encoding of Unicode can hold.

    Parameters
    ----------
    path : str
        As the operating system gave it.

    Returns
    -------
    str
        The same, but for bytes that are not UTF-8, which become ``\xNN``, and for half a
        character, which no path holds but other text may: it becomes ``\udNNN``.
    """
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace").decode("utf-8")


def to_record(outcome: Outcome, *, top: int | None = None) -> Record:
    """Give an outcome as a JSON object.

    Parameters
    ----------
    outcome : Outcome
        What became of a recording.
    top : int or None
        Keep only so many of the most probable emotions, the most probable first.

    Returns
    -------
    dict
        Only JSON types and text that is valid UTF-8.
    """
    path = display_path(outcome.path)
    if outcome.prediction is None:
        return failure_record(path, outcome.error or SerenadeError("no reason was given"))
    record = outcome.prediction.to_json(path)
    if top is not None:
        chances = record["probabilities"]
        best = sorted(chances, key=chances.__getitem__, reverse=True)[:top]
        record["probabilities"] = {emotion: chances[emotion] for emotion in best}
    return record


def failure_record(path: str, error: SerenadeError) -> Record:
    """Give a failure as a JSON object.

    Parameters
    ----------
    path : str
        How the input is named in the output.
    error : SerenadeError
        Why there is no result.

    Returns
    -------
    dict
        Only JSON types; the message is one line.
    """
    message = " ".join(str(error).splitlines())
    return {
        "schema": JSON_SCHEMA_VERSION,
        "path": path,
        "error": {"kind": error.kind, "message": message},
    }
