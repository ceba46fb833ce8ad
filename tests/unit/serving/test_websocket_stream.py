"""WebSocket: events equal the timeline of the whole recording, and every limit holds."""

from __future__ import annotations

import base64
import dataclasses
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from tests.tiny_bundle import tone

from serenade.inference.recognizer import Recognizer
from serenade.serving.app import create_app
from serenade.serving.keys import hash_key
from serenade.serving.pcm import PcmReader

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.serving.settings import Settings


def conversation() -> np.ndarray[Any, np.dtype[np.int16]]:
    """Low, then high, with a pause before either and a little noise throughout."""
    pause = np.zeros(16000, np.float32)
    samples = np.concatenate([pause, tone(200.0, seconds=3.0), pause, tone(6000.0, seconds=3.0)])
    noise = np.random.default_rng(0).normal(scale=1e-3, size=samples.size)
    return np.asarray((samples + noise) * 32000, dtype=np.int16)


def talk(http: TestClient, path: str, pieces: list[bytes]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    with http.websocket_connect(path) as websocket:
        for piece in pieces:
            websocket.send_bytes(piece)
        websocket.send_json({"type": "end"})
        while not events or events[-1]["event"] != "end":
            events.append(websocket.receive_json())
        with pytest.raises(WebSocketDisconnect) as closed:
            websocket.receive_json()
        assert closed.value.code == 1000
    return events


def test_segments_equal_those_of_the_whole_recording(http: TestClient, tiny_folder: Path) -> None:
    samples = conversation()
    content = samples.tobytes()
    pieces = [content[start : start + 3001] for start in range(0, len(content), 3001)]
    events = talk(http, "/v1/stream", pieces)
    expected = Recognizer.load(tiny_folder).timeline(samples, 16000).to_json("-")
    assert events[0]["event"] == "ready"
    assert events[0]["labels"] == ["neutral", "happiness", "sadness", "anger"]
    assert [e for e in events if e["event"] == "closed"] == [
        {"event": "closed"} | segment for segment in expected["segments"]
    ]
    assert {"sadness", "anger"} <= {s.get("emotion") for s in expected["segments"]}
    assert events[-1]["shares"] == expected["shares"]
    assert events[-1]["duration_s"] == expected["duration_s"]
    assert any(event["event"] == "reading" for event in events)


def test_floats_at_another_rate_are_taken(http: TestClient) -> None:
    samples = np.repeat(conversation()[: 16000 * 4], 3).astype(np.float32) / 32768
    events = talk(http, "/v1/stream?sample_rate=48000&encoding=f32le", [samples.tobytes()])
    assert events[-1]["duration_s"] == pytest.approx(4.0, abs=0.01)
    assert events[-1]["shares"]["sadness"] == 1.0


@given(cuts=strategies.lists(strategies.integers(0, 2000), max_size=8))
@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_samples_are_whole_however_the_bytes_are_cut(cuts: list[int]) -> None:
    samples = np.arange(-500, 500, dtype=np.int16)
    content = samples.tobytes()
    edges = [0, *sorted(cuts), len(content)]
    reader = PcmReader("s16le")
    pieces = [reader.read(content[a:b]) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(pieces), samples)


def test_a_ping_is_answered(http: TestClient) -> None:
    with http.websocket_connect("/v1/stream") as websocket:
        websocket.receive_json()
        websocket.send_json({"type": "ping"})
        assert websocket.receive_json() == {"event": "pong"}


@pytest.mark.parametrize("text", ["", "hello", "[]", '{"type": "stop"}', "[" * 5000])
def test_a_message_that_means_nothing_ends_the_stream(http: TestClient, text: str) -> None:
    with http.websocket_connect("/v1/stream") as websocket:
        websocket.receive_json()
        websocket.send_text(text)
        problem = websocket.receive_json()
        assert problem["event"] == "problem"
        assert problem["type"] == "urn:serenade:problem:unknown-message"
        with pytest.raises(WebSocketDisconnect) as closed:
            websocket.receive_json()
    assert closed.value.code == 1003


def test_samples_that_are_not_finite_end_the_stream(http: TestClient) -> None:
    with http.websocket_connect("/v1/stream?encoding=f32le") as websocket:
        websocket.receive_json()
        websocket.send_bytes(np.full(10, np.nan, np.float32).tobytes())
        assert websocket.receive_json()["type"] == "urn:serenade:problem:unusable-audio"


@pytest.mark.parametrize(
    ("query", "status", "name"),
    [
        ("sample_rate=fast", 422, "wrong-parameter"),
        ("sample_rate=100", 422, "unusable-audio"),
        ("encoding=mp3", 422, "wrong-parameter"),
        ("model=big", 404, "unknown-model"),
    ],
)
def test_a_wrong_parameter_is_a_problem_before_the_stream_opens(
    http: TestClient, query: str, status: int, name: str
) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        http.websocket_connect(f"/v1/stream?{query}"),
    ):
        pass
    assert refused.value.status_code == status
    assert refused.value.json()["type"] == f"urn:serenade:problem:{name}"


def test_a_sender_that_falls_silent_is_let_go_even_if_it_pings(settings: Settings) -> None:
    impatient = dataclasses.replace(settings, max_idle_seconds=0.2)
    with (
        TestClient(create_app(impatient)) as http,
        http.websocket_connect("/v1/stream") as websocket,
    ):
        websocket.receive_json()
        websocket.send_json({"type": "ping"})
        assert websocket.receive_json() == {"event": "pong"}
        problem = websocket.receive_json()
        assert problem["type"] == "urn:serenade:problem:idle"
        with pytest.raises(WebSocketDisconnect) as closed:
            websocket.receive_json()
    assert closed.value.code == 1008


def test_a_stream_that_is_too_long_is_ended(settings: Settings) -> None:
    short = dataclasses.replace(settings, max_stream_seconds=1.0)
    with TestClient(create_app(short)) as http, http.websocket_connect("/v1/stream") as websocket:
        websocket.receive_json()
        websocket.send_bytes(bytes(2 * 16001))
        assert websocket.receive_json()["type"] == "urn:serenade:problem:stream-too-long"


def test_streams_beyond_the_limit_are_turned_away(settings: Settings) -> None:
    narrow = dataclasses.replace(settings, max_streams=1)
    with TestClient(create_app(narrow)) as http, http.websocket_connect("/v1/stream") as first:
        first.receive_json()
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            http.websocket_connect("/v1/stream"),
        ):
            pass
        assert refused.value.status_code == 503
        assert refused.value.headers["retry-after"] == "1"
        assert "serenade_streams 1.0" in http.get("/metrics").text


def test_a_stream_shows_the_same_keys(settings: Settings) -> None:
    keyed = dataclasses.replace(settings, api_key_hashes=(hash_key("open sesame"),))
    encoded = base64.urlsafe_b64encode(b"open sesame").decode().rstrip("=")
    with TestClient(create_app(keyed)) as http:
        for protocols in ([], ["serenade.v1", "serenade.key.wrong"], ["serenade.key.\x7f"]):
            with (
                pytest.raises(WebSocketDenialResponse) as refused,
                http.websocket_connect("/v1/stream", subprotocols=protocols),
            ):
                pass
            assert refused.value.status_code == 401
        headers = {"Authorization": "Bearer open sesame"}
        with http.websocket_connect("/v1/stream", headers=headers) as websocket:
            assert websocket.receive_json()["event"] == "ready"
        offered = ["serenade.v1", f"serenade.key.{encoded}"]
        with http.websocket_connect("/v1/stream", subprotocols=offered) as websocket:
            assert str(websocket.accepted_subprotocol) == "serenade.v1"
            assert websocket.receive_json()["event"] == "ready"


def test_pages_of_other_origins_are_refused_unless_named(settings: Settings) -> None:
    named = dataclasses.replace(settings, cors_origins=("https://shop.example",))
    with TestClient(create_app(named)) as http:
        for origin in ("https://evil.example", "http://[", "null", ""):
            with (
                pytest.raises(WebSocketDenialResponse) as refused,
                http.websocket_connect("/v1/stream", headers={"Origin": origin}),
            ):
                pass
            assert refused.value.status_code == 403
            assert refused.value.json()["type"] == "urn:serenade:problem:other-origin"
        nowhere = {"Origin": "null", "Host": ""}
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            http.websocket_connect("/v1/stream", headers=nowhere),
        ):
            pass
        assert refused.value.status_code == 403
        for origin in ("http://testserver", "https://shop.example"):
            with http.websocket_connect("/v1/stream", headers={"Origin": origin}) as websocket:
                assert websocket.receive_json()["event"] == "ready"
