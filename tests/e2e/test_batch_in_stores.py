"""Batch jobs whose input and output lie elsewhere: S3, Google storage, web servers, file URLs.

The stores are the real libraries (s3fs, gcsfs) against servers of this machine that stand in for
the clouds: moto and gcp-storage-emulator.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SERENADE = [sys.executable, "-m", "serenade"]
NAMES = ["anger", "happiness", "neutral", "sadness"]
STATUS_LINES = {403: "403 Forbidden", 503: "503 Service Unavailable"}


class Faulty:
    """A WSGI application that can be told to refuse paths."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self.failures: dict[str, list[int]] = {}
        """Statuses to answer with before the path is served."""
        self.asked: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        failures = self.failures.get(path)
        if not failures:
            return self._application(environ, start)
        status = failures.pop(0)
        start(STATUS_LINES[status], [("Content-Type", "application/xml")])
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        return [f"<Error><Code>{status}</Code><Message>no</Message></Error>".encode()]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[Faulty]:
    """An S3 of this machine."""
    pytest.importorskip("s3fs", reason='needs s3fs: pip install "serenade[s3]"')
    moto = pytest.importorskip(
        "moto.server", reason='needs moto: pip install "moto[s3]" flask-cors'
    )
    serving = pytest.importorskip("werkzeug.serving")
    application = Faulty(moto.DomainDispatcherApplication(moto.create_backend_app))
    server = serving.make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield application
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def gs_server() -> Iterator[None]:
    """A Google storage of this machine."""
    pytest.importorskip("gcsfs", reason='needs gcsfs: pip install "serenade[gs]"')
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="needs gcp-storage-emulator from PyPI"
    )
    server = emulator.create_server("127.0.0.1", 0, in_memory=True, default_bucket="bucket")
    server.start()
    port = server._api._httpd.server_port
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        yield
    server.stop()


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A bucket with a clip per emotion and one that is broken, and the store that it lies in."""
    request.getfixturevalue(f"{request.param}_server")
    from fsspec import filesystem

    store = filesystem(request.param, skip_instance_cache=True)
    if request.param == "s3":
        store.mkdir("bucket")
    yield store
    store.rm("bucket/calls", recursive=True)
    store.rm("bucket/results", recursive=True)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with a clip per emotion, and one that is broken."""
    folder = tmp_path / "calls"
    folder.mkdir()
    for emotion, frequency in TONES_HZ.items():
        soundfile.write(folder / f"{emotion}.wav", tone(frequency, seconds=0.5), 16000)
    (folder / "broken.wav").write_text("not audio")
    return folder


def _run(folder: Path, tiny_bundle: Path, **values: object) -> subprocess.CompletedProcess[str]:
    table = {"model": str(tiny_bundle), "shard_size": 2, "attempts": 3, **values}
    job = folder / "job.toml"
    job.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()))
    return subprocess.run(
        [*SERENADE, "batch", str(job)], capture_output=True, text=True, check=False, timeout=120
    )


def _without_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name != "manifest.json"}


def _records(lines: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def _rows(folder: Path) -> list[dict[str, Any]]:
    parts = sorted(folder.glob("part-*.jsonl"))
    return _records(line for part in parts for line in part.read_text().splitlines())


def test_a_bucket_is_read_and_takes_the_results_and_a_second_run_does_only_what_is_missing(
    bucket: Any, clips: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    for clip in clips.iterdir():
        bucket.pipe_file(f"bucket/calls/{clip.name}", clip.read_bytes())
    scheme = "s3" if "s3" in bucket.protocol else "gs"
    where = {"input": f"{scheme}://bucket/calls", "output": f"{scheme}://bucket/results"}
    first = _run(tmp_path, tiny_bundle, **where)
    assert first.returncode == 1, first.stderr
    assert "5/5 recordings" in first.stderr
    assert _run(tmp_path, tiny_bundle, input=str(clips), output="local").returncode == 1

    def results() -> dict[str, bytes]:
        keys = bucket.ls("bucket/results", detail=False, refresh=True)
        return {key.rpartition("/")[2]: bucket.cat_file(key) for key in keys}

    made = results()
    for path in (tmp_path / "local").glob("part-*.jsonl"):
        assert made[path.name].decode() == path.read_text().replace(str(clips), where["input"])
    (failure,) = _records(made["errors-00000.jsonl"].decode().splitlines())
    assert failure["path"] == f"{where['input']}/broken.wav"
    assert "is not audio that can be decoded" in failure["error"]["message"]
    bucket.rm_file("bucket/results/part-00001.jsonl")
    again = _run(tmp_path, tiny_bundle, **where)
    assert again.returncode == 1, again.stderr
    assert "3 of 5 recordings are done already" in again.stderr
    assert _without_manifest(results()) == _without_manifest(made)


def test_faults_of_s3_that_pass_are_waited_for_and_those_that_stay_are_rows(
    s3_server: Faulty, clips: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    from fsspec import filesystem

    store = filesystem("s3", skip_instance_cache=True)
    store.mkdir("faulty")
    for clip in clips.iterdir():
        store.pipe_file(f"faulty/{clip.name}", clip.read_bytes())
    s3_server.failures = {"/faulty/anger.wav": [503, 503], "/faulty/neutral.wav": [403] * 99}
    result = _run(tmp_path, tiny_bundle, input="s3://faulty/", output="out")
    assert result.returncode == 1, result.stderr
    assert [row["emotion"] for row in _rows(tmp_path / "out")] == ["anger", "happiness", "sadness"]
    errors = sorted((tmp_path / "out").glob("errors-*.jsonl"))
    failures = _records(line for file in errors for line in file.read_text().splitlines())
    assert [failure["path"] for failure in failures] == [
        "s3://faulty/broken.wav",
        "s3://faulty/neutral.wav",
    ]
    assert failures[1]["error"] == {
        "kind": "DownloadError",
        "message": "'s3://faulty/neutral.wav' cannot be fetched (HTTP status 403); check it",
    }
    assert s3_server.asked.count("/faulty/neutral.wav") <= 3  # written, asked for its size, read


@pytest.mark.usefixtures("s3_server")
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"input": "s3://nowhere/calls"}, "'s3://nowhere/calls' cannot be listed"),
        ({"input": "s3://nowhere/list.txt"}, "'s3://nowhere/list.txt' cannot be fetched"),
        ({"output": "s3://nowhere/results"}, "'s3://nowhere/results' cannot be"),
    ],
)
def test_a_bucket_that_is_not_there_is_one_clear_sentence(
    values: dict[str, str], sentence: str, clips: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    result = _run(tmp_path, tiny_bundle, **{"input": str(clips), "output": "out", **values})
    assert result.returncode == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_list_on_a_web_server_is_read_from_there(
    clips: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(clips)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    (clips / "list.txt").write_text("".join(f"{url}/{n}.wav\n" for n in [*NAMES, "absent"]))
    try:
        result = _run(tmp_path, tiny_bundle, input=f"{url}/list.txt", output="out")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert result.returncode == 1, result.stderr
    rows = _rows(tmp_path / "out")
    assert [(row["path"], row["emotion"]) for row in rows] == [(f"{url}/{n}.wav", n) for n in NAMES]
    (failure,) = _records((tmp_path / "out" / "errors-00002.jsonl").read_text().splitlines())
    assert "HTTP status 404" in failure["error"]["message"]


def test_file_urls_mean_what_is_on_this_machine(
    clips: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    result = _run(tmp_path, tiny_bundle, input=f"file://{clips}", output=f"file://{tmp_path}/out")
    assert result.returncode == 1, result.stderr
    assert [row["emotion"] for row in _rows(tmp_path / "out")] == NAMES
