"""The service as a process: results, worker processes, TLS, keys, and a graceful end."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.service_process import ServiceProcess
from tests.tiny_bundle import tone

pytest.importorskip("uvicorn", reason='needs pip install "serenade[serve]"')

from serenade.audio.codec import encode
from serenade.serving.keys import hash_key
from serenade.types import Waveform

if TYPE_CHECKING:
    from pathlib import Path

Serenade = Callable[..., Any]

WAV = encode(Waveform(tone(3000.0, seconds=1.0), 16000), "wav")


def test_many_clients_at_once_all_get_the_right_answer(tiny_bundle: Path) -> None:
    frequencies = {"neutral": 1000.0, "happiness": 3000.0, "sadness": 200.0, "anger": 6000.0}
    clips = [
        (emotion, encode(Waveform(tone(frequency, seconds=1.0), 16000), "wav"))
        for emotion, frequency in frequencies.items()
    ] * 10

    with (
        ServiceProcess("--model", str(tiny_bundle), "--queue", "64") as service,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(lambda clip: service.post("/v1/predict", clip[1]), clips))
    for (emotion, _), (status, body) in zip(clips, answers, strict=True):
        assert status == 200
        assert json.loads(body)["emotion"] == emotion


def test_neither_audio_nor_results_nor_names_are_logged(tiny_bundle: Path) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="private.wav"\r\n\r\n'
        + WAV
        + b"\r\n--b--\r\n"
    )
    with ServiceProcess("--model", str(tiny_bundle)) as service:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        status, body = service.post("/v1/predict", form, headers)
        assert (status, json.loads(body)["path"]) == (200, "private.wav")
        broken, _ = service.post("/v1/predict", b"SECRET", headers)
        assert broken == 400
    assert '"POST /v1/predict HTTP/1.1" 200' in service.log
    for secret in ("private.wav", "happiness", "Expected boundary", "Traceback"):
        assert secret not in service.log


def test_what_was_accepted_is_answered_before_the_end(tiny_bundle: Path) -> None:
    with ServiceProcess("--model", str(tiny_bundle)) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=20.0) as connection:
            head = (
                "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
                f"Content-Length: {len(WAV)}\r\n\r\n"
            )
            connection.sendall(head.encode() + WAV[:1000])
            while b"serenade_requests_admitted 1.0" not in service.get("/metrics"):
                time.sleep(0.01)
            service.process.send_signal(signal.SIGTERM)
            while not _is_refused(service.port):
                time.sleep(0.01)
            connection.sendall(WAV[1000:])
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b'"emotion":"happiness"' in answer
        # uvicorn passes the signal on when it has finished
        assert service.stop() == -signal.SIGTERM


def test_worker_processes_share_the_port_and_the_counts(tiny_bundle: Path) -> None:
    with ServiceProcess("--model", str(tiny_bundle), "--workers", "2") as service:
        _wait_until_ready(service)
        with ThreadPoolExecutor(4) as pool:
            statuses = [
                s for s, _ in pool.map(lambda _: service.post("/v1/predict", WAV), range(20))
            ]
        assert statuses == [200] * 20
        # a process counts a request when its answer is out, which may be after it was read here
        counted = b'method="POST",route="/v1/predict",status="200"} 20.0'
        deadline = time.monotonic() + 20.0
        while counted not in service.get("/metrics"):
            assert time.monotonic() < deadline, service.get("/metrics").decode()
            time.sleep(0.01)
        assert service.stop() == 0


def test_tls_files_make_it_https(tiny_bundle: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    _make_certificate(certificate, key, "-nodes")
    flags = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    with ServiceProcess("--model", str(tiny_bundle), *flags) as service:
        assert service.scheme == "https"
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{service.url}/healthz", context=context) as answer:
            assert json.load(answer) == {"status": "ok"}


def test_a_key_of_the_environment_opens_the_service(tiny_bundle: Path) -> None:
    environ = {"SERENADE_API_KEY_HASHES": hash_key("sesame"), "SERENADE_HOST": "0.0.0.0"}
    with ServiceProcess("--model", str(tiny_bundle), environ=environ) as service:
        assert service.post("/v1/predict", WAV)[0] == 401
        headers = {"Authorization": "Bearer sesame"}
        assert service.post("/v1/predict", WAV, headers)[0] == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 can be reached from other machines; give --api-keys"),
        (["--tls-certificate", "c.pem"], "TLS needs both files"),
        (["--tls-certificate", "c.pem", "--tls-key", "k.pem"], "'c.pem' cannot be read"),
        (["--tls-certificate", "/", "--tls-key", "/"], "'/' cannot be read (Is a directory)"),
        (["--tls-certificate", __file__, "--tls-key", __file__], "give a certificate and its"),
        (["--host", "a..b", "--no-auth"], "the host 'a..b' cannot be found"),
        (["--host", "192.0.2.1", "--no-auth"], "cannot listen on port 0 of '192.0.2.1'"),
        (["--queue", "-1"], "queue is -1; it must be 0 or more"),
        (["--model", "no-such-model", "--workers", "2"], "there is no model 'no-such-model'"),
    ],
)
def test_a_wrong_setting_is_one_line_before_anything_listens(
    serenade: Serenade, tiny_bundle: Path, arguments: list[str], message: str
) -> None:
    result = serenade("serve", "--port", "0", "--model", tiny_bundle, *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_one_line(
    serenade: Serenade, tiny_bundle: Path, workers: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = serenade("serve", "--port", port, "--model", tiny_bundle, "--workers", workers)
    assert result.code == 2
    assert f"cannot listen on port {port} of '127.0.0.1' (Address already in use)" in result.err
    assert result.err.count("\n") == 1


def test_a_key_that_needs_a_passphrase_is_refused_without_asking(
    serenade: Serenade, tiny_bundle: Path, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    _make_certificate(certificate, key, "-passout", "pass:secret")
    result = serenade(
        "serve", "--model", tiny_bundle, "--tls-certificate", certificate, "--tls-key", key
    )
    assert result.code == 2
    assert "needs a passphrase; give one without" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("package", ["fastapi", "websockets", "python_multipart"])
def test_without_the_extra_it_says_what_to_install(
    serenade: Serenade, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(
        "serenade.cli.serve.find_spec", lambda name: None if name == package else name
    )
    result = serenade("serve")
    assert result.code == 2
    assert 'pip install "serenade[serve]"' in result.err


def test_a_new_key_is_printed_with_its_hash(serenade: Serenade) -> None:
    result = serenade("serve", "--make-api-key")
    key, digest = (line.rpartition(" ")[2] for line in result.out.splitlines())
    assert hash_key(key) == digest


def _make_certificate(certificate: Path, key: Path, *protection: str) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 1"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *protection, *names, *files], check=True, capture_output=True)


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except ConnectionRefusedError:
        return True
    return False


def _wait_until_ready(service: ServiceProcess) -> None:
    for _ in range(200):
        try:
            service.get("/readyz")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the workers did not start:\n{service.log}")
