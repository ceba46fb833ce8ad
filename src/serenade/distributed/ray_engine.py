"""The engine of a cluster: Ray Data hands shards to actors, each of which keeps a model loaded.

An actor does the work in a process of its own (:mod:`serenade.inference.pool`), as the engine of
one machine does, so that a recording that kills a process is a row with a reason here as well and
not an actor that is restarted for ever. Rows come back to the process that runs the job, which
alone writes; so an actor or node that dies loses nothing, and Ray gives its shard to another.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any

from serenade.distributed.items import unpack
from serenade.distributed.work import Work, open_pool
from serenade.errors import MissingExtraError, SerenadeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from serenade.distributed.items import Shard
    from serenade.inference.records import Record

_OBJECT_STORE_BYTES = 256 * 1024**2
"""Shared memory of a cluster that is started here; only packed lists and rows pass through it."""

_TASKS_PER_ACTOR = 2
"""Shards that an actor holds: the one that it does and the next."""

_SECONDS_BETWEEN_LOOKS = 0.2


class RayEngine:
    """Actors on a Ray cluster, one per core; a shard is done by one of them.

    Parameters
    ----------
    workers : int or None
        How many; ``None`` for as many as the cluster has cores.
    address : str or None
        Of the cluster; ``None`` for the one in ``RAY_ADDRESS``, or one that is started here for
        the time of the job.
    """

    def __init__(self, workers: int | None, address: str | None) -> None:
        self._workers = workers
        self._address = address

    def run(
        self, work: Work, shards: Sequence[Shard], *, stop: Event, advance: Callable[[int], None]
    ) -> Iterator[tuple[int, list[Record]]]:
        """Do shards as they come; see :class:`serenade.distributed.run.Engine`."""
        ray = _import_ray()
        with _connected(ray, self._address, self._workers):
            n_actors = self._workers or _count_cores(ray)
            sign = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_StopSign).remote()
            rows = [{"number": shard.number, "packed": shard.packed} for shard in shards]
            done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                _ShardWorker,
                fn_constructor_args=(work, _read_model(work), sign),
                batch_size=None,
                batch_format="pyarrow",
                compute=ray.data.ActorPoolStrategy(
                    size=min(n_actors, len(rows)), max_tasks_in_flight_per_actor=_TASKS_PER_ACTOR
                ),
                num_cpus=1,
            )
            with _relayed(ray, stop, sign):
                for number, records in _results(ray, done):
                    advance(len(records))
                    yield number, records


def _results(ray: Any, done: Any) -> Iterator[tuple[int, list[Record]]]:  # noqa: ANN401 - no types
    try:
        for row in done.iter_rows():
            if row["records"]:
                yield row["number"], json.loads(zlib.decompress(row["records"]))
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        while cause is not None and not isinstance(cause, SerenadeError):
            cause = cause.__cause__
        raise error if cause is None else cause from None


@dataclass(frozen=True, slots=True)
class _Model:
    """A model on its way to other machines."""

    folder: str
    files: dict[str, bytes]


class _StopSign:
    """Asked by every actor before it begins a shard."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


class _ShardWorker:
    """An actor: keeps one process with the model and lets it do shard after shard."""

    def __init__(self, work: Work, model: _Model, sign: Any) -> None:  # noqa: ANN401 - a handle
        self._sign = sign
        self._scratch = TemporaryDirectory(prefix="serenade-model-")
        _forget_main_file()
        placed = replace(work, model=_place_model(model, Path(self._scratch.name)))
        self._pool = open_pool(placed, workers=1)

    def __call__(self, batch: Any) -> Any:  # noqa: ANN401 - a table of Arrow
        import pyarrow as pa

        done = [self._do(packed) for packed in batch.column("packed").to_pylist()]
        return pa.table({"number": batch.column("number"), "records": done})

    def _do(self, packed: bytes) -> bytes:
        """Do a shard, or nothing once the sign is set."""
        import ray

        if ray.get(self._sign.is_set.remote()):
            return b""
        return zlib.compress(json.dumps(list(self._pool.run(unpack(packed)))).encode(), 1)


def _import_ray() -> Any:  # noqa: ANN401 - ray is not typed here
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError("ray", "The engine ray") from None
    return ray


@contextmanager
def _connected(ray: Any, address: str | None, workers: int | None) -> Iterator[None]:  # noqa: ANN401
    """Use the cluster of the program, or one at an address, or start one here."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS")
    here: dict[str, Any] = {}
    if address is None:
        address = "local"  # a cluster that happens to run on this machine is not ours
        here = {
            "num_cpus": workers or os.cpu_count(),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
        }
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except (ConnectionError, ValueError) as error:
        raise UsageError(
            f"the Ray cluster at {address!r} does not answer ({type(error).__name__}); check the"
            " address"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _count_cores(ray: Any) -> int:  # noqa: ANN401
    n_cores = int(ray.cluster_resources().get("CPU", 0))
    if n_cores < 1:
        raise UsageError("the Ray cluster has no core now; give --workers to wait for some")
    return n_cores


@contextmanager
def _relayed(ray: Any, stop: Event, sign: Any) -> Iterator[None]:  # noqa: ANN401
    """Set the sign of the cluster when the event of this process is set."""
    is_over = False

    def watch() -> None:
        while not is_over:
            if stop.wait(_SECONDS_BETWEEN_LOOKS):
                ray.get(sign.set.remote())
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over = True
        watcher.join()


def _read_model(work: Work) -> _Model:
    if not work.model:
        return _Model("", {})
    files = (path for path in Path(work.model).iterdir() if not path.name.startswith("."))
    return _Model(work.model, {path.name: path.read_bytes() for path in files})


def _place_model(model: _Model, scratch: Path) -> str:
    """Give a folder with exactly this model on this machine."""
    from serenade.model.bundle import CHECKSUMS_NAME

    if not model.files:
        return ""
    here = Path(model.folder, CHECKSUMS_NAME)
    if here.is_file() and here.read_bytes() == model.files[CHECKSUMS_NAME]:
        return model.folder
    for name, content in model.files.items():
        (scratch / name).write_bytes(content)
    return str(scratch)


def _forget_main_file() -> None:
    """Let processes of an actor start without importing Ray's own script, 100 MB of memory each."""
    vars(sys.modules["__main__"]).pop("__file__", None)
