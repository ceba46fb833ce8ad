"""Limits: sizes while reading, decoded length, time, and how much is let in at once."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from prometheus_client import Gauge
from starlette.testclient import TestClient
from tests.tiny_bundle import tone

from serenade.audio.decode import probe
from serenade.inference.recognizer import Recognizer
from serenade.serving import limits
from serenade.serving.app import create_app
from serenade.serving.limits import Crew, Deadline, Places, check_duration
from serenade.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.serving.settings import Settings


def test_a_declared_body_that_is_too_large_is_refused_unread(settings: Settings) -> None:
    small = dataclasses.replace(settings, max_body_bytes=1000)
    with TestClient(create_app(small)) as http:
        response = http.post("/v1/predict", content=bytes(1001))
    assert response.status_code == 413
    assert "larger than 1,000 bytes" in response.json()["detail"]


def test_a_body_of_undeclared_size_is_counted_while_it_comes_in(settings: Settings) -> None:
    n_taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal n_taken
        for _ in range(1000):
            n_taken += 1
            yield bytes(100)

    small = dataclasses.replace(settings, max_body_bytes=1000)
    with TestClient(create_app(small)) as http:
        response = http.post("/v1/predict", content=endless())
    assert response.status_code == 413


def test_a_form_of_undeclared_size_is_counted_too(settings: Settings) -> None:
    small = dataclasses.replace(settings, max_body_bytes=1000)
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

    def endless() -> Iterator[bytes]:
        yield start
        for _ in range(100):
            yield bytes(100)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with TestClient(create_app(small)) as http:
        response = http.post("/v1/predict", content=endless(), headers=headers)
    assert response.status_code == 413


def test_a_small_file_that_expands_to_hours_is_stopped(settings: Settings) -> None:
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", 8000, 1, format="FLAC") as file:
        for _ in range(100):
            file.write(np.zeros(8000 * 60, np.float32))
    assert len(content.getvalue()) < 200_000
    with TestClient(create_app(settings)) as http:
        response = http.post("/v1/predict", content=content.getvalue())
    assert response.status_code == 413
    assert response.json()["type"] == "urn:serenade:problem:recording-too-long"


def test_a_recording_whose_header_does_not_say_its_length_is_stopped_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = io.BytesIO()
    soundfile.write(content, tone(1000.0, seconds=5.0), 16000, format="OGG")
    known = probe(content.getvalue())
    unknown = dataclasses.replace(known, n_frames=None, duration_seconds=None)
    monkeypatch.setattr(limits, "probe", lambda _: unknown)
    with pytest.raises(ProblemError, match="longer than 4 s"):
        check_duration(content.getvalue(), max_seconds=4.0)
    assert check_duration(content.getvalue(), max_seconds=5.1) == 5.0


def test_a_recording_within_the_limit_passes() -> None:
    content = io.BytesIO()
    soundfile.write(content, tone(1000.0, seconds=2.0), 44100, format="WAV")
    check_duration(content.getvalue(), max_seconds=0.75)


def test_work_that_takes_too_long_is_given_up(
    settings: Settings, wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recognizer, "predict", lambda *_, **__: time.sleep(0.5))
    hasty = dataclasses.replace(settings, max_request_seconds=0.1)
    with TestClient(create_app(hasty)) as http:
        response = http.post("/v1/predict", content=wav)
    assert response.status_code == 503
    assert "longer than 0.1 s" in response.json()["detail"]
    assert response.headers["retry-after"] == "1"


def test_an_upload_that_trickles_is_given_up() -> None:
    async def trickle() -> None:
        async with Deadline(0.05).enforce():
            await asyncio.sleep(5.0)

    with pytest.raises(ProblemError, match=r"longer than 0\.05 s"):
        asyncio.run(trickle())


def test_a_timeline_that_nobody_waits_for_ends_by_itself() -> None:
    deadline = Deadline(0.05)
    deadline.check()
    time.sleep(0.06)
    with pytest.raises(ProblemError, match=r"longer than 0\.05 s"):
        deadline.check()


def test_what_does_not_fit_into_the_queue_is_turned_away(
    settings: Settings, wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    has_begun = threading.Event()
    predict = Recognizer.predict

    def wait(self: Recognizer, source: bytes, **options: Any) -> object:
        has_begun.set()
        may_go_on.wait(10.0)
        return predict(self, source, **options)

    monkeypatch.setattr(Recognizer, "predict", wait)
    narrow = dataclasses.replace(settings, concurrency=1, queue=1)
    with TestClient(create_app(narrow)) as http:
        statuses: list[int] = []

        def post() -> None:
            statuses.append(http.post("/v1/predict", content=wav).status_code)

        accepted = [threading.Thread(target=post) for _ in range(2)]
        for thread in accepted:
            thread.start()
        has_begun.wait(10.0)
        while http.get("/metrics").text.count("serenade_requests_admitted 2.0") == 0:
            time.sleep(0.01)
        refused = http.post("/v1/predict", content=wav)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert "busy with 2 requests" in refused.json()["detail"]
        assert http.get("/healthz").status_code == 200
        may_go_on.set()
        for thread in accepted:
            thread.join()
    assert statuses == [200, 200]


def test_no_more_than_the_size_of_the_crew_works_at_the_same_time() -> None:
    crew = Crew(2)
    lock = threading.Lock()
    running = 0
    most = 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    async def together() -> None:
        await asyncio.gather(*(crew.run(work) for _ in range(8)))

    asyncio.run(together())
    crew.dismiss()
    assert most == 2


def test_a_place_is_given_back_after_an_error() -> None:
    level = Gauge("n", "Taken.", registry=None)
    places = Places(1, "requests", level)
    with pytest.raises(KeyError), places.take():
        raise KeyError
    with places.take(), pytest.raises(ProblemError, match="busy with 1 requests"), places.take():
        pass
    [sample] = [value for metric in level.collect() for value in metric.samples]
    assert sample.value == 0
