"""Adaptation to a speaker over HTTP and WebSocket: as the recogniser does, within all limits."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from tests.tiny_bundle import tone, write_adaptive_bundle

from serenade.audio.codec import encode
from serenade.inference.recognizer import Recognizer
from serenade.serving.app import create_app
from serenade.serving.settings import Settings
from serenade.serving.uploads import MOST_REFERENCES
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 16000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adaptive_bundle(tmp_path_factory.mktemp("bundles") / "adaptive")


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> Recognizer:
    return Recognizer.load(folder)


@pytest.fixture(scope="module")
def adaptive(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(models=(str(folder),)))) as client:
        yield client


def wav_of(frequency_hz: float, *, seconds: float = 1.0) -> bytes:
    return encode(Waveform(tone(frequency_hz, seconds=seconds), RATE), "wav")


def talk_of_one() -> np.ndarray[Any, np.dtype[np.float32]]:
    """A pause, a voice that rises, a pause."""
    pause = np.zeros(RATE, np.float32)
    voice = [tone(frequency, seconds=2.0) for frequency in (1000.0, 3000.0, 4500.0)]
    samples = np.concatenate([pause, *voice, pause])
    noise = np.random.default_rng(3).normal(scale=1e-3, size=samples.size)
    return np.asarray(samples + noise, dtype=np.float32)


def form(content: bytes, *references: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    names = [("file", ("a.wav", content))]
    return [*names, *(("speaker_reference", ("r.wav", reference)) for reference in references)]


def test_prediction_is_adapted_as_the_recogniser_does(
    adaptive: TestClient, recognizer: Recognizer
) -> None:
    clip, others = wav_of(3000.0), [wav_of(2500.0), wav_of(3500.0)]
    response = adaptive.post("/v1/predict", files=form(clip, *others))
    reference = recognizer.speaker_reference(others)
    assert response.json() == recognizer.predict(clip, reference=reference).to_json("a.wav")
    assert response.json()["adapted_to"] == {"clips": 2, "seconds": 2.0}
    assert response.json()["probabilities"] != recognizer.predict(clip).probabilities


def test_noise_is_reduced_in_the_reference_as_well(
    adaptive: TestClient, recognizer: Recognizer
) -> None:
    clip, other = wav_of(3000.0), encode(Waveform(talk_of_one(), RATE), "wav")
    response = adaptive.post("/v1/predict?denoise=true", files=form(clip, other))
    reference = recognizer.speaker_reference([other], denoise=True)
    expected = recognizer.predict(clip, denoise=True, reference=reference)
    assert response.json() == expected.to_json("a.wav")


@pytest.mark.parametrize("adapt", [False, True])
def test_timeline_is_adapted_as_the_recogniser_does(
    adaptive: TestClient, recognizer: Recognizer, adapt: bool
) -> None:
    content, other = encode(Waveform(talk_of_one(), RATE), "wav"), wav_of(2500.0)
    response = adaptive.post(
        "/v1/timeline", files=form(content, other), params={"adapt": str(adapt).lower()}
    )
    reference = recognizer.speaker_reference([other])
    expected = recognizer.timeline(content, reference=reference, adapt=adapt)
    assert response.json() == expected.to_json("a.wav") | {"channel": None}
    assert (response.json()["adapted_to"]["clips"] > 1) is adapt


def test_answers_are_as_described(adaptive: TestClient) -> None:
    description = adaptive.get("/openapi.json").json()["paths"]
    content, other = encode(Waveform(talk_of_one(), RATE), "wav"), wav_of(2500.0)
    for path in ("/v1/predict", "/v1/timeline"):
        answer = adaptive.post(path, files=form(content, other))
        described = description[path]["post"]["responses"]["200"]["content"]["application/json"]
        jsonschema.validate(answer.json(), described["schema"])
        assert "adapted_to" in answer.json()


def test_stream_gets_to_know_its_speaker(adaptive: TestClient, recognizer: Recognizer) -> None:
    samples = np.asarray(talk_of_one() * 32000, dtype=np.int16)
    events: list[dict[str, Any]] = []
    with adaptive.websocket_connect("/v1/stream?adapt=true") as websocket:
        websocket.send_bytes(samples.tobytes())
        websocket.send_json({"type": "end"})
        while not events or events[-1]["event"] != "end":
            events.append(websocket.receive_json())
    expected = recognizer.timeline(samples, RATE, adapt=True).to_json("-")
    closed = [event for event in events if event["event"] == "closed"]
    assert closed == [{"event": "closed"} | segment for segment in expected["segments"]]
    assert events[-1]["adapted_to"] == expected["adapted_to"]


def test_model_that_does_not_adapt_says_so(http: TestClient, wav: bytes) -> None:
    for response in (
        http.post("/v1/predict", files=form(wav, wav)),
        http.post("/v1/timeline?adapt=true", content=wav),
    ):
        assert response.status_code == 422
        assert response.json()["type"] == "urn:serenade:problem:wrong-argument"
        assert "cannot adapt to a speaker" in response.json()["detail"]
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        http.websocket_connect("/v1/stream?adapt=true"),
    ):
        pass
    assert "cannot adapt to a speaker" in refused.value.json()["detail"]


def test_models_say_whether_they_adapt(adaptive: TestClient, http: TestClient) -> None:
    answers = [client.get("/v1/models").json()["models"] for client in (adaptive, http)]
    assert [models[0]["adapts_to_speakers"] for models in answers] == [True, False]


def test_wrong_word_for_adapt_is_refused(adaptive: TestClient) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        adaptive.websocket_connect("/v1/stream?adapt=perhaps"),
    ):
        pass
    assert refused.value.status_code == 422
    assert "adapt is 'perhaps'" in refused.value.json()["detail"]


def test_reference_that_is_no_audio_is_named(adaptive: TestClient) -> None:
    answer = adaptive.post("/v1/predict", files=form(wav_of(3000.0), wav_of(2500.0), b"no audio"))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:serenade:problem:unusable-audio"
    assert answer.json()["detail"].startswith("speaker_reference 2: ")


def test_reference_that_is_no_file_is_refused(adaptive: TestClient) -> None:
    files = {"file": ("a.wav", wav_of(3000.0))}
    answer = adaptive.post("/v1/predict", files=files, data={"speaker_reference": "Anna"})
    assert answer.status_code == 422
    assert "no file in the field 'speaker_reference'" in answer.json()["detail"]


def test_misspelt_field_is_not_passed_over(adaptive: TestClient) -> None:
    files = {"file": ("a.wav", wav_of(3000.0)), "reference": ("b.wav", wav_of(2500.0))}
    answer = adaptive.post("/v1/predict", files=files)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the form has a file in the field 'reference'; send")


def test_all_recordings_together_must_not_be_too_long(folder: Path) -> None:
    settings = dataclasses.replace(Settings(models=(str(folder),)), max_audio_seconds=4.0)
    clip = wav_of(3000.0, seconds=1.5)
    with TestClient(create_app(settings)) as client:
        assert client.post("/v1/predict", files=form(clip, clip)).status_code == 200
        answer = client.post("/v1/predict", files=form(clip, clip, clip))
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("what was sent is longer than 4 s")


def test_no_more_references_than_stated_are_taken(adaptive: TestClient) -> None:
    clip = wav_of(3000.0, seconds=0.3)
    most = [clip] * MOST_REFERENCES
    assert adaptive.post("/v1/predict", files=form(clip, *most)).status_code == 200
    answer = adaptive.post("/v1/predict", files=form(clip, *most, clip))
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:serenade:problem:broken-form"
