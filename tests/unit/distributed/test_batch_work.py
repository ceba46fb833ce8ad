"""What a worker makes of an item."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import soundfile
from tests.tiny_bundle import tone, write_tiny_bundle

from serenade.distributed.items import Item
from serenade.distributed.job import Job
from serenade.distributed.work import Work, open_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.distributed.conftest import WebStore

    from serenade.inference.records import Record


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Item], Record]:
    """A worker with the tiny model in this process."""
    model = write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")
    job = Job("in", "out", attempts=3, max_megabytes=0.1, max_seconds=2.0)
    return open_worker(Work(job, str(model)))


def _sound(seconds: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(200.0, seconds=seconds), 16000, format="WAV")
    return file.getvalue()


def test_a_recording_comes_from_the_web_after_a_passing_fault(
    worker: Callable[[Item], Record], web_store: WebStore
) -> None:
    web_store.objects["/a.wav"] = _sound(1.0)
    web_store.failures["/a.wav"] = [503]
    record = worker(Item(f"{web_store.url}/a.wav?signature=secret"))
    assert record["emotion"] == "sadness"
    assert record["path"].startswith(f"{web_store.url}/a.wav?sha256=")
    assert "secret" not in str(record)


def test_corrupt_audio_is_fetched_once(
    worker: Callable[[Item], Record], web_store: WebStore
) -> None:
    web_store.objects["/bad.wav"] = b"not audio"
    record = worker(Item(f"{web_store.url}/bad.wav"))
    assert record["error"]["kind"] == "AudioError"
    assert "is not audio that can be decoded" in record["error"]["message"]
    asked_for_size = 1
    assert web_store.n_requests["/bad.wav"] <= 1 + asked_for_size


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (_sound(2.5), "AudioError", "longer than 2 s"),
        (_sound(4.0), "DownloadError", "larger than 100,000 bytes"),
        (b"", "AudioError", "empty"),
    ],
)
def test_what_is_beyond_the_limits_is_a_failure_with_its_reason(
    worker: Callable[[Item], Record], web_store: WebStore, content: bytes, kind: str, reason: str
) -> None:
    web_store.objects["/a.wav"] = content
    record = worker(Item(f"{web_store.url}/a.wav"))
    assert record["error"]["kind"] == kind
    assert reason in record["error"]["message"]


def test_a_part_beyond_the_end_is_a_failure(
    worker: Callable[[Item], Record], tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_sound(1.0))
    record = worker(Item(str(path), start_seconds=5.0))
    assert (record["path"], record["start_seconds"]) == (str(path), 5.0)
    assert "there is nothing from 5.0 s on" in record["error"]["message"]


@pytest.mark.parametrize(
    ("start", "stop"), [(0.0, None), (None, 2.5), (0.1, 2.2), (0.5, None), (0.25, 1e9)]
)
def test_a_part_is_no_longer_than_a_recording_may_be(
    worker: Callable[[Item], Record], tmp_path: Path, start: float | None, stop: float | None
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_sound(3.0))
    record = worker(Item(str(path), start, stop))
    assert record["error"]["message"].startswith("the part of the recording is longer than 2 s")


@pytest.mark.parametrize(("start", "stop"), [(1.5, None), (1.0, 3.0), (None, 2.0), (1.5, 1e9)])
def test_a_part_of_a_recording_that_is_too_long_may_be_short_enough(
    worker: Callable[[Item], Record], tmp_path: Path, start: float | None, stop: float | None
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_sound(3.0))
    record = worker(Item(str(path), start, stop))
    assert record["emotion"] == "sadness"
    assert record["duration_s"] == min(stop or 3.0, 3.0) - (start or 0.0)


def test_a_part_that_holds_no_sample_is_a_failure(
    worker: Callable[[Item], Record], tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_sound(1.0))
    record = worker(Item(str(path), 0.5, 0.5 + 1e-9))
    assert "from 0.5 s to 0.500000001 s holds no sample" in record["error"]["message"]


def test_a_problem_that_is_known_before_is_a_failure(worker: Callable[[Item], Record]) -> None:
    record = worker(Item("x*.wav", problem="no file matches the pattern 'x*.wav'"))
    assert record["error"] == {
        "kind": "AudioError",
        "message": "no file matches the pattern 'x*.wav'",
    }


def test_a_part_of_exactly_the_longest_duration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_sound(3.0))
    job = Job("in", "out", task="features", max_seconds=0.6)
    record = open_worker(Work(job, ""))(Item(str(path), 0.3, 0.9))
    assert record["duration_s"] == 0.6
