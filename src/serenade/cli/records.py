"""Records as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.inference.records import Record


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
    before = ["path", "emotion", "confidence", "abstained", "duration_s", "model"]
    return [*before, *labels, "warnings", "error"]


def to_csv_row(record: Record, labels: Sequence[str]) -> list[str]:
    """Give a record as a row of the CSV output.

    Parameters
    ----------
    record : dict
        Made by :func:`serenade.inference.records.to_record`.
    labels : sequence of str
        Emotions of the model.

    Returns
    -------
    list of str
        One cell per column; what a record does not have is empty.
    """
    if "error" in record:
        message = f"{record['error']['kind']}: {record['error']['message']}"
        return [record["path"], *[""] * (6 + len(labels)), message]
    return [
        record["path"],
        record["emotion"],
        str(record["confidence"]),
        str(record["abstained"]).lower(),
        str(record["duration_s"]),
        record["model"],
        *(str(record["probabilities"].get(label, "")) for label in labels),
        " ".join(record["warnings"]),
        "",
    ]
