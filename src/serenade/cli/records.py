"""Outcomes as the JSON objects of ``docs/prediction.schema.json`` and as rows of a table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from serenade.types import JSON_SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        The same, but for bytes that are not UTF-8, which become ``\xNN``.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


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
        error = {
            "kind": type(outcome.error).__name__,
            "message": " ".join(str(outcome.error).splitlines()),
        }
        return {"schema": JSON_SCHEMA_VERSION, "path": path, "error": error}
    record = outcome.prediction.to_json(path)
    if top is not None:
        chances = record["probabilities"]
        best = sorted(chances, key=chances.__getitem__, reverse=True)[:top]
        record["probabilities"] = {emotion: chances[emotion] for emotion in best}
    return record


def csv_columns(labels: Sequence[str]) -> list[str]:
    """Give the header of the CSV output.

    Parameters
    ----------
    labels : sequence of str
        Emotions of the model.

    Returns
    -------
    list of str
        Names of the columns.
    """
    before = ["path", "emotion", "confidence", "abstained", "duration_s"]
    return [*before, *labels, "warnings", "error"]


def to_csv_row(record: Record, labels: Sequence[str]) -> list[str]:
    """Give a record as a row of the CSV output.

    Parameters
    ----------
    record : dict
        Made by :func:`to_record`.
    labels : sequence of str
        Emotions of the model.

    Returns
    -------
    list of str
        One cell per column; what a record does not have is empty.
    """
    if "error" in record:
        message = f"{record['error']['kind']}: {record['error']['message']}"
        return [record["path"], *[""] * (5 + len(labels)), message]
    return [
        record["path"],
        record["emotion"],
        str(record["confidence"]),
        str(record["abstained"]).lower(),
        str(record["duration_s"]),
        *(str(record["probabilities"].get(label, "")) for label in labels),
        " ".join(record["warnings"]),
        "",
    ]
