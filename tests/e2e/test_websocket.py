"""Streams and the Python client against a real service process."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.service_process import ServiceProcess
from tests.tiny_bundle import tone, write_adaptive_bundle

pytest.importorskip("uvicorn", reason='needs pip install "serenade[serve]"')
pytest.importorskip("websockets", reason='needs pip install "serenade[serve]"')

from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from serenade.audio.codec import encode
from serenade.errors import AudioError, UsageError
from serenade.inference.recognizer import Recognizer
from serenade.serving.client import Client, ServiceError
from serenade.serving.keys import hash_key
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt


@pytest.fixture(scope="module")
def service(tiny_bundle: Path) -> Iterator[ServiceProcess]:
    environ = {"SERENADE_API_KEY_HASHES": hash_key("sesame")}
    with ServiceProcess("--model", str(tiny_bundle), environ=environ) as process:
        yield process


@pytest.fixture(scope="module")
def client(service: ServiceProcess) -> Client:
    return Client(service.url, api_key="sesame")


@pytest.fixture(scope="module")
def talk() -> npt.NDArray[np.int16]:
    pause = np.zeros(16000, np.float32)
    samples = np.concatenate([pause, tone(200.0, seconds=3.0), pause, tone(6000.0, seconds=3.0)])
    noise = np.random.default_rng(0).normal(scale=1e-3, size=samples.size)
    return np.asarray((samples + noise) * 32000, dtype=np.int16)


def test_a_stream_gives_the_segments_of_the_whole_recording(
    client: Client, tiny_bundle: Path, talk: npt.NDArray[np.int16]
) -> None:
    content = talk.tobytes()
    pieces = (content[start : start + 4001] for start in range(0, len(content), 4001))
    events = list(client.stream(pieces, sample_rate=16000))
    expected = Recognizer.load(tiny_bundle).timeline(talk, 16000).to_json("-")
    closed = [event for event in events if event["event"] == "closed"]
    assert closed == [{"event": "closed"} | segment for segment in expected["segments"]]
    assert events[0]["event"] == "ready"
    assert events[-1]["event"] == "end"


def test_events_come_while_the_sender_still_speaks(
    client: Client, talk: npt.NDArray[np.int16]
) -> None:
    n_sent = 0

    def speak() -> Iterator[bytes]:
        nonlocal n_sent
        for second in range(8):
            yield talk[16000 * second : 16000 * (second + 1)].tobytes()
            n_sent += 1
            time.sleep(0.1)

    for event in client.stream(speak(), sample_rate=16000):
        if event["event"] == "reading":
            break
    assert n_sent < 8


def test_several_streams_at_once_do_not_mix(client: Client) -> None:
    rng = np.random.default_rng(0)
    shares: dict[str, dict[str, float]] = {}

    def speak(emotion: str, frequency: float) -> None:
        samples = np.concatenate([np.zeros(16000), tone(frequency, seconds=3.0)])
        samples += rng.normal(scale=1e-3, size=samples.size)
        piece = np.asarray(samples * 32000, dtype=np.int16).tobytes()
        shares[emotion] = list(client.stream([piece], sample_rate=16000))[-1]["shares"]

    tones = {"neutral": 1000.0, "happiness": 3000.0, "sadness": 200.0, "anger": 6000.0}
    threads = [threading.Thread(target=speak, args=pair) for pair in tones.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {emotion: shares[emotion][emotion] for emotion in tones} == dict.fromkeys(tones, 1.0)


def test_a_sender_that_is_too_fast_has_to_wait(tiny_bundle: Path) -> None:
    """The service reads on only when it has judged, so what is on the way stays bounded."""
    noise = np.random.default_rng(0).normal(scale=3000.0, size=500_000)
    piece = noise.astype(np.int16).tobytes()
    n_pieces = 40
    with ServiceProcess("--model", str(tiny_bundle)) as service:
        address = f"{service.url.replace('http', 'ws')}/v1/stream"
        with connect(address, close_timeout=0.1, max_queue=None) as socket:
            for _ in range(n_pieces):
                socket.send(piece)
            [judged] = re.findall(
                r"^serenade_audio_seconds_total (\S+)", service.get("/metrics").decode(), re.M
            )
    buffers_of_the_kernel = 16e6
    assert n_pieces * len(piece) - 32000 * float(judged) < buffers_of_the_kernel


def test_a_message_that_is_too_large_ends_the_stream(service: ServiceProcess) -> None:
    address = f"{service.url.replace('http', 'ws')}/v1/stream"
    with connect(address, additional_headers={"Authorization": "Bearer sesame"}) as socket:
        assert json.loads(socket.recv())["event"] == "ready"
        # in two parts: where the service closes with audio unread, TCP may drop its last words
        with pytest.raises(ConnectionClosedError) as closed:  # noqa: PT012 - either may notice
            socket.send([bytes(1024**2), bytes(1)])
            socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_stream_without_a_key_is_refused_in_words(service: ServiceProcess) -> None:
    with pytest.raises(ServiceError, match="needs a valid API key") as caught:
        list(Client(service.url).stream([], sample_rate=16000))
    assert caught.value.status == 401


def test_a_problem_within_a_stream_is_an_error(client: Client) -> None:
    with pytest.raises(ServiceError, match="sample rate of 100 Hz"):
        list(client.stream([], sample_rate=100))


def test_a_stream_that_was_closed_meanwhile_ends_with_the_reason(tiny_bundle: Path) -> None:
    """The client still sends when the service has already said why it does not listen."""
    pieces_after_the_end = 0

    def speak(service: ServiceProcess) -> Iterator[bytes]:
        nonlocal pieces_after_the_end
        while pieces_after_the_end < 2:
            yield bytes(16000)
            pieces_after_the_end += b"serenade_streams 0.0" in service.get("/metrics")

    with ServiceProcess("--model", str(tiny_bundle), "--max-stream-seconds", "2") as service:
        client = Client(service.url)
        with pytest.raises(ServiceError, match="is longer than 2 s; open a new one") as caught:
            for _ in client.stream(speak(service), sample_rate=16000):
                pass
    assert caught.value.status == 413


def test_a_service_that_is_told_to_stop_closes_its_streams(tiny_bundle: Path) -> None:
    with ServiceProcess("--model", str(tiny_bundle)) as service:
        address = f"{service.url.replace('http', 'ws')}/v1/stream"
        with connect(address) as socket:
            assert json.loads(socket.recv())["event"] == "ready"
            service.process.terminate()
            with pytest.raises(ConnectionClosedError) as closed:
                socket.recv(timeout=20.0)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        service.stop()
    assert "Traceback" not in service.log


def test_the_client_gives_what_the_recogniser_gives(
    client: Client, tiny_bundle: Path, tmp_path: Path, talk: npt.NDArray[np.int16]
) -> None:
    recognizer = Recognizer.load(tiny_bundle)
    content = encode(Waveform(talk.astype(np.float32) / np.float32(32768), 16000), "wav")
    path = tmp_path / "a talk.wav"
    path.write_bytes(content)
    assert client.predict(path) == recognizer.predict(path).to_json(str(path))
    assert client.predict(content) == recognizer.predict(content).to_json("-")
    assert client.predict(content, denoise=True, model="tiny")["model"] == "tiny 1.0.0"
    whole = recognizer.timeline(path).to_json(str(path))
    assert client.timeline(path) == whole | {"channel": None}
    assert client.timeline(path, split_channels=True) == {"channels": [whole | {"channel": 0}]}
    [unnamed] = client.timeline(content, split_channels=True)["channels"]
    assert unnamed["path"] == "-"
    assert [model["name"] for model in client.models()] == ["tiny"]


def test_the_client_adapts_as_the_recogniser_does(
    tmp_path: Path, talk: npt.NDArray[np.int16]
) -> None:
    bundle = write_adaptive_bundle(tmp_path / "adaptive")
    recognizer = Recognizer.load(bundle)
    path = tmp_path / "a talk.wav"
    path.write_bytes(encode(Waveform(talk.astype(np.float32) / np.float32(32768), 16000), "wav"))
    known: list[bytes | Path] = [encode(Waveform(tone(2500.0, seconds=1.0), 16000), "wav"), path]
    reference = recognizer.speaker_reference(known)
    with ServiceProcess("--model", str(bundle)) as service:
        client = Client(service.url)
        expected = recognizer.predict(path, reference=reference).to_json(str(path))
        assert client.predict(path, speaker_reference=known) == expected
        expected = recognizer.timeline(path, reference=reference, adapt=True).to_json(str(path))
        answer = client.timeline(path, speaker_reference=known, adapt=True)
        assert answer == expected | {"channel": None}
        pieces = [talk.tobytes()]
        *_, end = client.stream(pieces, sample_rate=16000, adapt=True)
        assert end["adapted_to"]["clips"] > 0


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        (lambda client: client.predict(b"junk"), 422, "not audio that can be decoded"),
        (lambda client: client.predict(b"junk", model="a b"), 404, "no model 'a b'"),
        (lambda client: client.predict(b"junk", model="\ud800"), 404, "there is no model"),
        (lambda client: client.timeline(b"junk", hop_seconds=9), 422, "hop_seconds is '9'"),
    ],
)
def test_a_refusal_is_an_error_with_the_words_of_the_service(
    client: Client, call: Any, status: int, message: str
) -> None:
    with pytest.raises(ServiceError, match=message) as caught:
        call(client)
    assert caught.value.status == status


def test_a_refusal_in_the_middle_of_an_upload_is_an_error_with_its_words(
    tiny_bundle: Path,
) -> None:
    with (
        ServiceProcess("--model", str(tiny_bundle), "--max-body-bytes", "1000") as service,
        pytest.raises(ServiceError, match="larger than 1,000 bytes") as caught,
    ):
        Client(service.url).predict(bytes(50_000_000))
    assert caught.value.status == 413


def test_the_client_says_what_it_cannot_do() -> None:
    with pytest.raises(UsageError, match="'localhost:8000' is no address"):
        Client("localhost:8000")
    for url in ("http://127.0.0.1:99999", "http://[::1", "http://a..b", "http://a b", "http://a/é"):
        with pytest.raises(UsageError, match="is no address"):
            Client(url)
    for key in ("a\nb", "ключ"):
        with pytest.raises(UsageError, match="the API key holds more than printable ASCII") as bad:
            Client("http://localhost", api_key=key)
        assert key not in str(bad.value)
    for seconds in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match=f"timeout_seconds is {seconds}"):
            Client("http://localhost", timeout_seconds=seconds)
    nobody = Client("http://127.0.0.1:9")
    with pytest.raises(ServiceError, match="cannot be reached"):
        nobody.models()
    with pytest.raises(ServiceError, match=r"stream to 127\.0\.0\.1:9 broke"):
        list(nobody.stream([], sample_rate=16000))
    with pytest.raises(AudioError, match=r"'/nowhere\.wav' cannot be read"):
        nobody.predict("/nowhere.wav")
    with pytest.raises(AudioError, match=r"'a\\x00b' cannot be read \(embedded null byte\)"):
        nobody.predict("a\0b")
    with pytest.raises(AudioError, match=r"'/nowhere\.wav' cannot be read"):
        nobody.predict(b"", speaker_reference=["/nowhere.wav"])
    with pytest.raises(UsageError, match="must be a list of recordings"):
        nobody.predict(b"", speaker_reference="voice.wav")
