"""Records as the bytes of a file, JSONL or Parquet."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Protocol

from serenade.distributed.items import PART_KEYS
from serenade.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.inference.records import Record


class Table(Protocol):
    """A way to write records; the same records give the same bytes."""

    @property
    def extension(self) -> str:
        """Ends the names of the files."""

    def encode(self, records: Sequence[Record]) -> bytes:
        """Give the file that holds the records."""

    def decode(self, content: bytes) -> list[Record]:
        """Give the records that a file holds; raises ValueError where it holds none."""


class JsonlTable:
    """One JSON object a line."""

    extension = ".jsonl"

    def encode(self, records: Sequence[Record]) -> bytes:
        """Give the file that holds the records."""
        return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode()

    def decode(self, content: bytes) -> list[Record]:
        """Give the records that a file holds; raises ValueError where it holds none."""
        return [json.loads(line) for line in content.decode().split("\n") if line]


class ParquetTable:
    """Apache Parquet with the columns of the JSON objects.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns and types.
    """

    extension = ".parquet"

    def __init__(self, schema: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        self._schema = schema

    def encode(self, records: Sequence[Record]) -> bytes:
        """Give the file that holds the records."""
        import pyarrow as pa
        from pyarrow import parquet

        sink = io.BytesIO()
        table = pa.Table.from_pylist(list(records), schema=self._schema)
        parquet.write_table(table, sink, compression="zstd")
        return sink.getvalue()

    def decode(self, content: bytes) -> list[Record]:
        """Give the records that a file holds; raises ValueError where it holds none."""
        from pyarrow import parquet

        records: list[Record] = parquet.read_table(io.BytesIO(content)).to_pylist()
        return records


def prediction_table(form: str, labels: Sequence[str]) -> Table:
    """Choose how predictions are written.

    Parameters
    ----------
    form : str
        One of :data:`serenade.distributed.job.FORMATS`.
    labels : sequence of str
        Emotions of the model.

    Returns
    -------
    Table
        For the records of ``docs/prediction.schema.json``.

    Raises
    ------
    MissingExtraError
        If pyarrow is wanted and not installed.
    """
    if form == "jsonl":
        return JsonlTable()
    pa = _import_pyarrow()
    columns = {
        "schema": pa.int32(),
        "path": pa.string(),
        "duration_s": pa.float64(),
        "model": pa.string(),
        "emotion": pa.string(),
        "confidence": pa.float64(),
        "abstained": pa.bool_(),
        "probabilities": pa.struct([(label, pa.float64()) for label in labels]),
        "intensity": pa.float64(),
        "warnings": pa.list_(pa.string()),
    }
    return ParquetTable(pa.schema(list(columns.items())))


def feature_table(form: str) -> Table:
    """Choose how feature vectors are written.

    Parameters
    ----------
    form : str
        One of :data:`serenade.distributed.job.FORMATS`.

    Returns
    -------
    Table
        For records with the key ``values``.

    Raises
    ------
    MissingExtraError
        If pyarrow is wanted and not installed.
    """
    if form == "jsonl":
        return JsonlTable()
    pa = _import_pyarrow()
    columns = {
        "schema": pa.int32(),
        "path": pa.string(),
        "duration_s": pa.float64(),
        "front_end": pa.string(),
        "fingerprint": pa.string(),
        "values": pa.list_(pa.float32()),
    }
    return ParquetTable(pa.schema(list(columns.items())))


def failure_table(form: str) -> Table:
    """Choose how failed inputs are written.

    Parameters
    ----------
    form : str
        One of :data:`serenade.distributed.job.FORMATS`.

    Returns
    -------
    Table
        For records with the key ``error``.

    Raises
    ------
    MissingExtraError
        If pyarrow is wanted and not installed.
    """
    if form == "jsonl":
        return JsonlTable()
    pa = _import_pyarrow()
    error = pa.struct([("kind", pa.string()), ("message", pa.string())])
    columns = {"schema": pa.int32(), "path": pa.string(), "error": error}
    columns |= dict.fromkeys(PART_KEYS, pa.float64())
    return ParquetTable(pa.schema(list(columns.items())))


def _import_pyarrow() -> Any:  # noqa: ANN401 - pyarrow has no types
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("batch", "Writing Parquet") from None
    return pa
