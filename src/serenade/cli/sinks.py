"""How records are written, in each format."""

from __future__ import annotations

import csv
import json
import os
import shutil
from typing import TYPE_CHECKING, Protocol, TextIO

from serenade.cli.bars import Style, render
from serenade.cli.outputs import Format
from serenade.cli.records import csv_columns, to_csv_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.inference.records import Record


class Sink(Protocol):
    """Takes records one by one."""

    def write(self, record: Record) -> None:
        """Write a record."""

    def finish(self) -> None:
        """Write what comes after the last record."""


class TextSink:
    """Tables of bars for people; errors are left to standard error."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._style = style_for(file)

    def write(self, record: Record) -> None:
        """Draw a prediction."""
        if "error" not in record:
            self._file.write(render(record, self._style))
            self._file.flush()

    def finish(self) -> None:
        """Do nothing: every table is whole."""


class JsonSink:
    """One object, or an array that grows as records come."""

    def __init__(self, file: TextIO, *, single: bool) -> None:
        self._file = file
        self._single = single
        self._separator = "" if single else "[\n"
        self._is_begun = False

    def write(self, record: Record) -> None:
        """Write an object."""
        indent = 2 if self._single else None
        self._file.write(self._separator + json.dumps(record, ensure_ascii=False, indent=indent))
        self._separator = ",\n"
        self._is_begun = True

    def finish(self) -> None:
        """Close the array, if there was a record."""
        if self._is_begun:
            self._file.write("\n" if self._single else "\n]\n")


class JsonlSink:
    """One object a line, each in the file as soon as it is known."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, record: Record) -> None:
        """Write a line."""
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def finish(self) -> None:
        """Do nothing: every line is whole."""


class CsvSink:
    """One row per record, each in the file as soon as it is known."""

    def __init__(self, file: TextIO, labels: Sequence[str], *, with_header: bool) -> None:
        self._file = file
        self._labels = labels
        self._writer = csv.writer(file, lineterminator="\n")
        self._needs_header = with_header

    def write(self, record: Record) -> None:
        """Write a row, the first one below the header."""
        if self._needs_header:
            self._writer.writerow(csv_columns(self._labels))
            self._needs_header = False
        self._writer.writerow(to_csv_row(record, self._labels))
        self._file.flush()

    def finish(self) -> None:
        """Do nothing: every row is whole."""


def make_sink(
    form: Format, file: TextIO, *, labels: Sequence[str], single: bool, with_header: bool
) -> Sink:
    """Open a format.

    Parameters
    ----------
    form : Format
        Which one.
    file : TextIO
        Where records go.
    labels : sequence of str
        Emotions of the model, for CSV.
    single : bool
        Whether there is one record that is not put into an array, for JSON.
    with_header : bool
        Whether the names of the columns are written, for CSV.

    Returns
    -------
    Sink
        Takes records until it is finished.
    """
    match form:
        case Format.TEXT:
            return TextSink(file)
        case Format.JSON:
            return JsonSink(file, single=single)
        case Format.JSONL:
            return JsonlSink(file)
        case Format.CSV:
            return CsvSink(file, labels, with_header=with_header)


def style_for(file: TextIO) -> Style:
    """Find out how text may be drawn.

    Parameters
    ----------
    file : TextIO
        Where it goes.

    Returns
    -------
    Style
        With colours only on a terminal and where ``NO_COLOR`` is not set.
    """
    try:
        "█▏".encode(file.encoding or "ascii")
        blocks = True
    except UnicodeEncodeError:
        blocks = False
    return Style(
        columns=shutil.get_terminal_size().columns,
        colour=file.isatty() and not os.environ.get("NO_COLOR"),
        blocks=blocks,
    )
