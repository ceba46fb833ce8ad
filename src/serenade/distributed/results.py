"""The results of a job: files of rows and failures, and the manifest that describes them.

The files are the state. A shard is finished when its file of rows is there, since that is written
last and as a whole; the manifest adds checksums and says which job made the files.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from serenade.distributed.items import name_failure
from serenade.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serenade.distributed.folders import Folder
    from serenade.distributed.items import Plan
    from serenade.distributed.tables import Table
    from serenade.inference.records import Record

MANIFEST_SCHEMA_VERSION = 1
"""Version of ``manifest.json``."""

MANIFEST_NAME = "manifest.json"

_OUR_FILE = re.compile(r"(part|errors)-\d{5,}\.(jsonl|parquet)|manifest\.json")
_SECONDS_BETWEEN_MANIFESTS = 10.0


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file of rows or failures.

    Parameters
    ----------
    name : str
        In the output folder.
    rows : int
        How many it holds.
    sha256 : str
        Of its bytes.
    """

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """The files of a shard.

    Parameters
    ----------
    part : ResultFile
        Its rows.
    errors : ResultFile or None
        Its failures, where there are some.
    """

    part: ResultFile
    errors: ResultFile | None

    @property
    def n_rows(self) -> int:
        """Items that gave a result."""
        return self.part.rows

    @property
    def n_failed(self) -> int:
        """Items that failed."""
        return 0 if self.errors is None else self.errors.rows


class Results:
    """The output folder of a job.

    Parameters
    ----------
    folder : Folder
        Where files go.
    plan : Plan
        What the job reads.
    made_with : mapping
        All that the rows depend on, as JSON types.
    columns : sequence of str
        Names of the values of a row that is a vector; empty for other rows.
    rows, failures : Table
        How files are written.
    """

    def __init__(
        self,
        folder: Folder,
        plan: Plan,
        made_with: Mapping[str, object],
        columns: Sequence[str],
        rows: Table,
        failures: Table,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._made_with = dict(made_with)
        self._columns = list(columns)
        self._rows = rows
        self._failures = failures
        self._finished: dict[int, FinishedShard] = {}
        self._left_over: set[str] = set()
        self._manifest_written = 0.0

    @property
    def made_with(self) -> Mapping[str, object]:
        """All that the rows depend on."""
        return self._made_with

    @property
    def finished(self) -> Mapping[int, FinishedShard]:
        """The finished shards by number."""
        return self._finished

    @property
    def n_done(self) -> int:
        """Items of the finished shards."""
        return sum(shard.n_rows + shard.n_failed for shard in self._finished.values())

    @property
    def n_failed(self) -> int:
        """How many of them failed."""
        return sum(shard.n_failed for shard in self._finished.values())

    @property
    def is_complete(self) -> bool:
        """Whether every shard is finished."""
        return len(self._finished) == len(self._plan.shards)

    def open(self, *, restart: bool) -> None:
        """Go on with what an earlier run left, or begin anew.

        Parameters
        ----------
        restart : bool
            Whether to throw away what is there.

        Raises
        ------
        JobError
            If the folder holds the results of another job.
        """
        ours = {name for name in self._folder.names() if _OUR_FILE.fullmatch(name)}
        if restart:
            for name in sorted(ours):
                self._folder.delete(name)
        elif MANIFEST_NAME in ours:
            self._left_over = ours
            self._adopt(ours, _read_manifest(self._folder, self._made_with))
        elif ours:
            raise JobError(
                f"{self._folder.name} holds {min(ours)} and no {MANIFEST_NAME}; give another"
                " output, or --restart to throw away what is there"
            )
        self.write_manifest()

    def _adopt(self, names: set[str], listed: Mapping[str, str]) -> None:
        """Take over finished shards, but for those whose files are not as they were written."""
        for shard in self._plan.shards:
            if self._part_name(shard.number) in names:
                found = self._check(shard.number, names, listed)
                if found is not None and found.n_rows + found.n_failed == shard.n_items:
                    self._finished[shard.number] = found

    def save(self, number: int, records: Sequence[Record]) -> None:
        """Write what became of the items of a shard.

        Parameters
        ----------
        number : int
            Of the shard.
        records : sequence of dict
            One per item, in order.
        """
        rows = [record for record in records if "error" not in record]
        failures = [record for record in records if "error" in record]
        errors = None
        if failures:
            errors = self._write(self._errors_name(number), self._failures, failures)
        elif self._errors_name(number) in self._left_over:
            self._folder.delete(self._errors_name(number))  # of a run that died before the rows
        part = self._write(self._part_name(number), self._rows, rows)
        self._finished[number] = FinishedShard(part, errors)
        if time.monotonic() - self._manifest_written > _SECONDS_BETWEEN_MANIFESTS:
            self.write_manifest()

    def write_manifest(self) -> None:
        """Describe what is there."""
        shards = [asdict(self._finished[number]) for number in sorted(self._finished)]
        manifest = {
            "schema": MANIFEST_SCHEMA_VERSION,
            "complete": self.is_complete,
            "made_with": self._made_with,
            "columns": self._columns,
            "rows": self.n_done - self.n_failed,
            "failed": self.n_failed,
            "shards": shards,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
        self._folder.write(MANIFEST_NAME, text.encode())
        self._manifest_written = time.monotonic()

    def records(self, number: int) -> list[Record]:
        """Read the rows and failures of a finished shard.

        Parameters
        ----------
        number : int
            Of the shard.

        Returns
        -------
        list of dict
            The rows, then the failures; under ``path`` the names of their items.
        """
        shard = self._finished[number]
        found = self._rows.decode(self._folder.read(shard.part.name))
        if shard.errors is not None:
            failures = self._failures.decode(self._folder.read(shard.errors.name))
            found += [failure | {"path": name_failure(failure)} for failure in failures]
        return found

    def attach(self, name: str, content: bytes) -> None:
        """Write a file beside the results.

        Parameters
        ----------
        name : str
            Of the file.
        content : bytes
            All of it.
        """
        self._folder.write(name, content)

    def _check(
        self, number: int, names: set[str], listed: Mapping[str, str]
    ) -> FinishedShard | None:
        """Look at the files of a shard; ``None`` where one is not as it was written."""
        part = self._check_file(self._part_name(number), self._rows, listed)
        errors = None
        if self._errors_name(number) in names:
            errors = self._check_file(self._errors_name(number), self._failures, listed)
            if errors is None:
                return None
        return None if part is None else FinishedShard(part, errors)

    def _check_file(self, name: str, table: Table, listed: Mapping[str, str]) -> ResultFile | None:
        content = self._folder.read(name)
        digest = sha256(content).hexdigest()
        if listed.get(name, digest) != digest:
            return None
        try:
            return ResultFile(name, len(table.decode(content)), digest)
        except ValueError:
            return None

    def _write(self, name: str, table: Table, records: Sequence[Record]) -> ResultFile:
        content = table.encode(records)
        self._folder.write(name, content)
        return ResultFile(name, len(records), sha256(content).hexdigest())

    def _part_name(self, number: int) -> str:
        return f"part-{number:05}{self._rows.extension}"

    def _errors_name(self, number: int) -> str:
        return f"errors-{number:05}{self._failures.extension}"


def _read_manifest(folder: Folder, made_with: Mapping[str, object]) -> dict[str, str]:
    """Give the checksums that a manifest lists, if the same job wrote it."""
    try:
        manifest: dict[str, Any] = json.loads(folder.read(MANIFEST_NAME))
        before = dict(manifest["made_with"])
        files = [file for shard in manifest["shards"] for file in shard.values() if file]
        listed = {str(file["name"]): str(file["sha256"]) for file in files}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise JobError(
            f"{MANIFEST_NAME} of {folder.name} is not one that serenade batch wrote; give another"
            " output, or --restart to throw away what is there"
        ) from None
    for key in sorted({*before, *made_with}):
        if before.get(key) != made_with.get(key):
            raise JobError(
                f"{folder.name} holds the results of another job: {key} was"
                f" {before.get(key)!r} and is {made_with.get(key)!r} now; give another output, or"
                " --restart to throw away what is there"
            )
    return listed
