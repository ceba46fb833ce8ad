"""Endpoints: results as promised, every bad input as one problem."""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient
from tests.tiny_bundle import tone

from serenade.audio.codec import encode
from serenade.inference.recognizer import Recognizer
from serenade.serving.app import create_app
from serenade.serving.keys import hash_key
from serenade.types import Waveform

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.serving.settings import Settings


def assert_problem(response: Any, status: int, name: str, detail: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:serenade:problem:{name}"
    assert problem["status"] == status
    assert detail in problem["detail"]
    assert "\n" not in problem["detail"]


def test_a_raw_body_is_predicted_as_the_recogniser_does(
    http: TestClient, tiny_folder: Path, wav: bytes, repository: Path
) -> None:
    response = http.post("/v1/predict", content=wav, headers={"Content-Type": "audio/wav"})
    assert response.status_code == 200
    assert response.json() == Recognizer.load(tiny_folder).predict(wav).to_json("-")
    schema = json.loads((repository / "docs" / "prediction.schema.json").read_text())
    jsonschema.validate(response.json(), schema)


def test_a_form_carries_the_name_of_the_file(http: TestClient, wav: bytes) -> None:
    response = http.post("/v1/predict", files={"file": ("voice é.wav", wav, "audio/wav")})
    assert response.status_code == 200
    assert response.json()["path"] == "voice é.wav"
    assert response.json()["emotion"] == "happiness"


@pytest.mark.parametrize(
    ("charset", "name", "shown"),
    [
        ("unicode_escape", b"\\ud800.wav", "\\ud800.wav"),
        ("utf-7", b"+2AA-.wav", "\\ud800.wav"),
        ("nonsense", b"\xe9.wav", "é.wav"),
    ],
)
def test_a_name_is_text_whatever_charset_the_form_declares(
    http: TestClient, wav: bytes, charset: str, name: bytes, shown: str
) -> None:
    response = _post_form(http, name, wav, charset)
    assert response.status_code == 200
    assert response.json()["path"] == shown


def test_a_form_that_is_not_in_its_charset_is_a_problem(http: TestClient, wav: bytes) -> None:
    response = _post_form(http, b"\\ud800.flac", wav, "punycode")
    assert_problem(response, 400, "broken-form", "not in the charset that it declares")


def _post_form(http: TestClient, name: bytes, content: bytes, charset: str) -> Any:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    media_type = f"multipart/form-data; boundary=b; charset={charset}"
    return http.post(
        "/v1/predict",
        content=head + content + b"\r\n--b--\r\n",
        headers={"Content-Type": media_type},
    )


def test_a_timeline_is_that_of_the_recogniser(
    http: TestClient, tiny_folder: Path, repository: Path
) -> None:
    content = _two_speakers()
    recognizer = Recognizer.load(tiny_folder)
    response = http.post("/v1/timeline", content=content)
    assert response.headers["content-type"] == "application/json"
    assert response.json() == recognizer.timeline(content).to_json("-") | {"channel": None}
    schema = json.loads((repository / "docs" / "timeline.schema.json").read_text())
    jsonschema.validate(response.json(), schema)
    fine = http.post("/v1/timeline", content=content, params={"hop_seconds": 0.25}).json()
    assert len(fine["hops"]) == 2 * len(response.json()["hops"])


def test_channels_are_kept_apart_on_request(http: TestClient) -> None:
    files = {"file": ("call.wav", _two_speakers())}
    response = http.post("/v1/timeline", files=files, params={"channels": "split"})
    left, right = response.json()["channels"]
    assert left["shares"]["sadness"] == 1.0
    assert right["shares"]["anger"] == 1.0
    assert left["path"] == right["path"] == "call.wav"
    assert (left["channel"], right["channel"]) == (0, 1)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"hop_seconds": "0"}, "wrong-parameter"),
        ({"hop_seconds": "nan"}, "wrong-parameter"),
        ({"hop_seconds": "0.715"}, "wrong-argument"),
        ({"hop_seconds": "2.5"}, "wrong-argument"),  # the model hears 2 s at once
        ({"channels": "left"}, "wrong-parameter"),
    ],
)
def test_a_wrong_parameter_of_a_timeline_is_one_problem(
    http: TestClient, params: dict[str, str], name: str
) -> None:
    response = http.post("/v1/timeline", content=_two_speakers(), params=params)
    assert_problem(response, 422, name, "")


def test_too_many_channels_are_not_judged_apart(http: TestClient) -> None:
    content = io.BytesIO()
    soundfile.write(content, np.ones((1600, 9), np.float32) / 2, 16000, format="WAV")
    response = http.post("/v1/timeline?channels=split", content=content.getvalue())
    assert_problem(response, 422, "too-many-channels", "9 channels; at most 8")


def _two_speakers() -> bytes:
    """The left one is sad, then the right one is angry."""
    pause = np.zeros(16000, np.float32)
    silent = np.zeros(48000, np.float32)
    left = np.concatenate([pause, tone(200.0, seconds=3.0), pause, silent, pause])
    right = np.concatenate([pause, silent, pause, tone(6000.0, seconds=3.0), pause])
    noise = np.random.default_rng(0).normal(scale=1e-3, size=(left.size, 2))
    content = io.BytesIO()
    soundfile.write(content, np.stack([left, right], axis=1) + noise, 16000, format="WAV")
    return content.getvalue()


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "opus"])
def test_every_format_is_taken(http: TestClient, container: str) -> None:
    waveform = Waveform(tone(1000.0, seconds=1.0), 16000)
    rate = 64 if container in ("mp3", "opus") else None
    content = encode(waveform, container, kbits_per_second=rate)
    response = http.post("/v1/predict", content=content)
    assert response.json()["emotion"] == "neutral"


def test_ogg_vorbis_is_taken(http: TestClient) -> None:
    content = io.BytesIO()
    soundfile.write(content, tone(1000.0, seconds=1.0), 16000, format="OGG", subtype="VORBIS")
    response = http.post(
        "/v1/predict", content=content.getvalue(), headers={"Content-Type": "audio/ogg"}
    )
    assert response.json()["emotion"] == "neutral"


@pytest.mark.parametrize(
    ("request_", "status", "name", "detail"),
    [
        ({"content": b""}, 422, "no-recording", "the recording is empty"),
        ({"content": b"junk" * 99}, 422, "unusable-audio", "is not audio that can be decoded"),
        (
            {"content": b"{}", "headers": {"Content-Type": "application/json"}},
            415,
            "not-audio",
            "declared as 'application/json'",
        ),
        (
            {"content": b"x", "headers": {"Content-Encoding": "gzip"}},
            415,
            "compressed-body",
            "the body is compressed",
        ),
        ({"content": b"x", "params": {"model": "big"}}, 404, "unknown-model", "choose one of tiny"),
        (
            {"content": b"x", "params": {"denoise": "perhaps"}},
            422,
            "wrong-parameter",
            "denoise is 'perhaps'",
        ),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
            400,
            "broken-form",
            "Missing boundary",
        ),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
            400,
            "broken-form",
            "Invalid multipart data",
        ),
        ({"files": {"other": ("a.wav", b"x")}}, 422, "no-recording", "field 'file'"),
        ({"files": {"file": ("a.wav", b"")}}, 422, "no-recording", "the recording is empty"),
        (
            {"files": [("file", ("a.wav", b"x")), ("file", ("b.wav", b"x"))]},
            400,
            "broken-form",
            "the form has 2 files; send one in the field 'file'",
        ),
    ],
)
def test_a_bad_request_is_one_problem(
    http: TestClient, request_: dict[str, Any], status: int, name: str, detail: str
) -> None:
    assert_problem(http.post("/v1/predict", **request_), status, name, detail)


def test_silence_and_a_clip_that_is_too_short_are_problems(http: TestClient) -> None:
    for seconds, amplitude, detail in ((1.0, 0.0, "only silence"), (0.05, 0.3, "lasts only")):
        content = io.BytesIO()
        samples = tone(1000.0, seconds=seconds, amplitude=amplitude)
        soundfile.write(content, samples, 16000, format="WAV")
        response = http.post("/v1/predict", content=content.getvalue())
        assert_problem(response, 422, "unusable-audio", detail)


def test_a_wrong_method_and_a_wrong_path_are_problems(http: TestClient) -> None:
    assert_problem(http.get("/v1/predict"), 405, "method-not-allowed", "use POST")
    assert_problem(http.get("/nowhere"), 404, "not-found", "nothing at '/nowhere'")


def test_a_bug_is_a_problem_without_a_traceback(
    http: TestClient, wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Recognizer, "predict", fail)
    response = http.post("/v1/predict", content=wav)
    assert_problem(response, 500, "internal", "the service failed")
    assert "secret" not in response.text


def test_uploads_never_touch_the_disk(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    for maker in ("TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, maker, refuse)
    content = io.BytesIO()
    soundfile.write(content, tone(1000.0, seconds=120.0), 16000, format="WAV")
    assert len(content.getvalue()) > 3 * 1024**2
    response = http.post("/v1/predict", files={"file": ("long.wav", content.getvalue())})
    assert response.status_code == 200


def test_models_are_listed_and_can_be_fetched(http: TestClient, tiny_folder: Path) -> None:
    [model] = http.get("/v1/models").json()["models"]
    assert model["name"] == "tiny"
    assert model["labels"] == ["neutral", "happiness", "sadness", "anger"]
    assert model["in_browser"] is True
    spec = http.get("/v1/models/tiny/spec.json").json()
    assert spec == json.loads((tiny_folder / "spec.json").read_text())
    weights = http.get("/v1/models/tiny/model.onnx").content
    assert weights == (tiny_folder / "model.onnx").read_bytes()
    assert len(weights) == model["bytes"]
    assert_problem(http.get("/v1/models/big/spec.json"), 404, "unknown-model", "one of tiny")


def test_probes_answer(http: TestClient) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ok", "models": ["tiny"]}


def test_metrics_count_requests_and_audio_but_no_results(settings: Settings, wav: bytes) -> None:
    with TestClient(create_app(settings)) as http:
        http.post("/v1/predict", content=wav)
        http.post("/v1/predict", content=b"junk")
        http.get("/random-path")
        text = http.get("/metrics").text
    route = 'method="POST",route="/v1/predict"'
    assert f'serenade_http_requests_total{{{route},status="200"}} 1.0' in text
    assert f'serenade_http_requests_total{{{route},status="422"}} 1.0' in text
    assert 'serenade_http_requests_total{method="other",route="other",status="404"} 1.0' in text
    assert "serenade_audio_seconds_total 1.0" in text
    assert "random-path" not in text
    assert "happiness" not in text


def test_strangers_cannot_make_new_series_of_metrics(settings: Settings) -> None:
    keyed = dataclasses.replace(settings, api_key_hashes=(hash_key("open sesame"),))
    with TestClient(create_app(keyed)) as http:
        for number in range(3):
            assert http.request(f"AAA{number}", "/v1/predict").status_code == 405
        assert http.delete("/v1/predict").status_code == 405
        text = http.get("/metrics", headers={"Authorization": "Bearer open sesame"}).text
    requests = "serenade_http_requests_total"
    assert f'{requests}{{method="other",route="/v1/predict",status="405"}} 3.0' in text
    assert f'{requests}{{method="DELETE",route="/v1/predict",status="405"}} 1.0' in text
    assert "AAA" not in text


def test_with_keys_everything_but_the_page_and_the_probes_needs_one(
    settings: Settings, wav: bytes
) -> None:
    keyed = dataclasses.replace(settings, api_key_hashes=(hash_key("open sesame"),))
    with TestClient(create_app(keyed)) as http:
        for method, path in (
            ("POST", "/v1/predict"),
            ("GET", "/v1/models"),
            ("GET", "/v1/models/tiny/model.onnx"),
            ("GET", "/metrics"),
        ):
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YQ=="}):
                response = http.request(method, path, headers=headers)
                assert_problem(response, 401, "no-key", "Authorization: Bearer KEY")
                assert response.headers["www-authenticate"] == "Bearer"
        for path in ("/", "/healthz", "/readyz", "/openapi.json"):
            assert http.get(path).status_code == 200
        headers = {"Authorization": "Bearer open sesame"}
        assert http.post("/v1/predict", content=wav, headers=headers).status_code == 200


def test_the_description_asks_for_a_key_only_where_one_is_needed(
    http: TestClient, settings: Settings
) -> None:
    keyed = dataclasses.replace(settings, api_key_hashes=(hash_key("open sesame"),))
    with TestClient(create_app(keyed)) as guarded:
        operation = guarded.get("/openapi.json").json()["paths"]["/v1/predict"]["post"]
    assert operation["security"] == [{"key": []}]
    assert "401" in operation["responses"]
    operation = http.get("/openapi.json").json()["paths"]["/v1/predict"]["post"]
    assert "security" not in operation
    assert "401" not in operation["responses"]


def test_other_origins_are_refused_unless_named(settings: Settings, wav: bytes) -> None:
    origin = {"Origin": "https://shop.example"}
    with TestClient(create_app(settings)) as http:
        response = http.post("/v1/predict", content=wav, headers=origin)
        assert "access-control-allow-origin" not in response.headers
    named = dataclasses.replace(settings, cors_origins=("https://shop.example",))
    with TestClient(create_app(named)) as http:
        response = http.post("/v1/predict", content=wav, headers=origin)
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        other = http.post("/v1/predict", content=wav, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_the_description_has_examples_that_match_their_schemas(http: TestClient) -> None:
    description = http.get("/openapi.json").json()
    n_examples = 0
    for path in description["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    if "example" in content:
                        jsonschema.validate(content["example"], content["schema"])
                        n_examples += 1
    assert n_examples >= 10
    body = description["paths"]["/v1/predict"]["post"]["requestBody"]["content"]
    assert {"multipart/form-data", "audio/wav", "audio/flac", "audio/ogg", "audio/mpeg"} <= set(
        body
    )
