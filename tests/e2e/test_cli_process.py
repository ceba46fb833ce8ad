"""What only a real process shows: signals, pipes, workers, start-up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERENADE = [sys.executable, "-m", "serenade"]


def _predict(tiny_bundle: Path, *arguments: object) -> list[str]:
    return [*SERENADE, "predict", "--model", str(tiny_bundle), *map(str, arguments)]


def _interruptible(command: list[str]) -> list[str]:
    """Undo what a shell does to background jobs: it makes them and their children ignore SIGINT."""
    script = (
        "import os, signal, sys;"
        "signal.signal(signal.SIGINT, signal.SIG_DFL);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", script, *command]


@pytest.fixture
def many(voices: Path) -> Path:
    """Folder with enough clips to be interrupted."""
    folder = voices / "many"
    folder.mkdir()
    for i in range(1500):
        os.link(voices / "sadness.wav", folder / f"{i:04}.wav")
    return folder


def _wait_for_lines(path: Path, n_lines: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if path.exists() and path.read_bytes().count(b"\n") >= n_lines:
            return
        time.sleep(0.02)
    pytest.fail(f"{path} never had {n_lines} lines")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_keeps_what_is_computed(tiny_bundle: Path, many: Path, workers: int) -> None:
    out = many.parent / "out.jsonl"
    command = _predict(
        tiny_bundle, many, "--format", "jsonl", "--output", out, "--workers", workers
    )
    process = subprocess.Popen(
        _interruptible(command), stderr=subprocess.PIPE, start_new_session=True
    )
    _wait_for_lines(out, 20)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == b""
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert 20 <= len(records) < 1500
    assert all(record["emotion"] == "sadness" for record in records)


@pytest.mark.parametrize("options", [(), ("--timeline",)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_json_array_is_whole(
    tiny_bundle: Path, many: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    process = subprocess.Popen(
        _interruptible(_predict(tiny_bundle, many, "--format", "json", *options)),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(number)
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=30) == 130
    assert 0 < len(json.loads(first + rest)) < 1500


def test_a_file_that_a_service_manager_ends_holds_what_was_judged(
    tiny_bundle: Path, many: Path
) -> None:
    out = many.parent / "out.json"
    command = _predict(tiny_bundle, many, "--format", "json", "--output", out)
    process = subprocess.Popen(_interruptible(command))
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in many.parent.glob(".serenade-*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130
    assert 0 < len(json.loads(out.read_text())) < 1500
    assert not list(many.parent.glob(".serenade-*"))


def test_a_reader_that_stops_early_is_no_error(tiny_bundle: Path, many: Path) -> None:
    process = subprocess.Popen(
        _predict(tiny_bundle, many, "--format", "jsonl"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait(timeout=30)
    process.stderr.close()


def test_a_killed_worker_costs_only_its_file(tiny_bundle: Path, many: Path) -> None:
    out = many.parent / "out.jsonl"
    command = _predict(tiny_bundle, many, "--format", "jsonl", "--output", out, "--workers", 2)
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    _wait_for_lines(out, 20)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    os.kill(workers[0], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [Path(record["path"]).name for record in records] == [f"{i:04}.wav" for i in range(1500)]
    (failed,) = [record for record in records if "error" in record]
    assert failed["error"]["kind"] == "SerenadeError"
    assert "died (exit code -9)" in failed["error"]["message"]
    assert err.count(b"\n") == 1


def test_a_file_name_that_is_not_utf8_survives_the_shell(tiny_bundle: Path, voices: Path) -> None:
    shutil.copy("sadness.wav", "caf\udce9.wav")
    command = [
        *map(os.fsencode, _predict(tiny_bundle)),
        b"caf\xe9.wav",
        b"--format",
        b"json",
        b"--workers=2",
    ]
    result = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(result.stdout.decode("utf-8"))["path"] == "caf\\xe9.wav"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_text_fits_the_encoding_of_the_terminal(
    tiny_bundle: Path, voices: Path, encoding: str
) -> None:
    shutil.copy("sadness.wav", "😀.wav")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    result = subprocess.run(
        _predict(tiny_bundle, "😀.wav"), env=environment, capture_output=True, check=True
    )
    text = result.stdout.decode(encoding)
    assert ("####" in text) == (encoding == "ascii")
    assert ("████" in text) == (encoding == "utf-8")


def test_standard_input_comes_through_a_pipe(tiny_bundle: Path, voices: Path) -> None:
    result = subprocess.run(
        _predict(tiny_bundle, "-", "--format", "json"),
        input=Path("neutral.wav").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert json.loads(result.stdout)["emotion"] == "neutral"
    assert result.stderr == b""


def test_a_script_without_a_main_guard_is_told_so(tiny_bundle: Path, voices: Path) -> None:
    Path("script.py").write_text(
        "from serenade import Recognizer\n"
        f"recognizer = Recognizer.load({str(tiny_bundle)!r})\n"
        "print(list(recognizer.predict_many(['neutral.wav'], workers=2)))\n"
    )
    result = subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert 'put the call under `if __name__ == "__main__":`' in result.stderr
