"""What commands write over, and what they leave as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

if TYPE_CHECKING:
    from tests.e2e.conftest import Serenade

SERENADE = f"{sys.executable} -m serenade"


@pytest.fixture
def predict(serenade: Serenade, tiny_bundle: Path) -> Any:
    def call(*arguments: object, stdin: bytes = b"") -> Any:
        return serenade("predict", "--model", tiny_bundle, *arguments, stdin=stdin)

    return call


def _shell(command: str, tiny_bundle: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.format(predict=f"{SERENADE} predict --model {tiny_bundle}", serenade=SERENADE),
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _check_refused(result: Any, message: str) -> None:
    assert result.code == 2
    assert result.out == ""
    assert result.err == f"serenade: error: {message}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "jsonl"),
        ("--format", "csv"),
        ("--format", "json"),
        (),
        ("--format", "jsonl", "--resume"),
        ("--timeline", "--format", "json"),
    ],
)
@pytest.mark.parametrize("name", ["neutral.wav", "./neutral.wav", "symbolic", "hard"])
def test_a_recording_is_never_written_over(
    predict: Any, voices: Path, arguments: tuple[str, ...], name: str
) -> None:
    Path("symbolic").symlink_to("neutral.wav")
    os.link("neutral.wav", "hard")
    before = Path("neutral.wav").read_bytes()
    result = predict("neutral.wav", *arguments, "--output", name)
    _check_refused(
        result, "--output would write over 'neutral.wav', which is to be read; give another file"
    )
    assert Path("neutral.wav").read_bytes() == before


def test_a_recording_of_a_folder_or_of_the_speaker_is_never_written_over(
    predict: Any, voices: Path
) -> None:
    before = Path("more/anger.wav").read_bytes()
    for arguments in ((".",), ("neutral.wav", "--speaker-reference", "more")):
        result = predict(*arguments, "--output", "more/anger.wav")
        assert result.code == 2
        assert "--output would write over 'more/anger.wav'" in result.err
    assert Path("more/anger.wav").read_bytes() == before


def test_the_recording_on_standard_input_is_never_written_over(
    tiny_bundle: Path, voices: Path
) -> None:
    before = Path("neutral.wav").read_bytes()
    result = _shell("{predict} - --output neutral.wav < neutral.wav", tiny_bundle)
    assert result.returncode == 2
    assert "--output would write over standard input" in result.stderr
    assert Path("neutral.wav").read_bytes() == before


def test_a_picture_is_not_drawn_over_the_recording_or_the_output(
    predict: Any, voices: Path
) -> None:
    pytest.importorskip("matplotlib")
    Path("neutral.wav").rename("voice.png")
    before = Path("voice.png").read_bytes()
    for more in ((), ("--timeline",)):
        _check_refused(
            predict("voice.png", "--plot", "voice.png", *more),
            "--plot would write over 'voice.png', which is to be read; give another file",
        )
        _check_refused(
            predict("voice.png", "--plot", "a.png", "--output", "./a.png", *more),
            "--output and --plot are one file, a.png; give two",
        )
    assert Path("voice.png").read_bytes() == before
    assert not Path("a.png").exists()


@pytest.mark.parametrize("option", ["--output", "--report"])
def test_a_manifest_is_never_written_over(
    serenade: Serenade, voices: Path, tiny_bundle: Path, option: str
) -> None:
    Path("all.jsonl").write_text("{}\n")
    result = serenade("evaluate", tiny_bundle, "all.jsonl", option, "all.jsonl")
    _check_refused(
        result, f"{option} would write over 'all.jsonl', which is to be read; give another file"
    )
    assert Path("all.jsonl").read_text() == "{}\n"


def test_a_comparison_does_not_write_over_the_manifest(
    serenade: Serenade, voices: Path, tiny_bundle: Path
) -> None:
    Path("all.jsonl").write_text("{}\n")
    result = serenade("compare", tiny_bundle, tiny_bundle, "all.jsonl", "--output", "all.jsonl")
    assert result.code == 2
    assert "--output would write over 'all.jsonl'" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--timeline",),
        ("--timeline", "--format", "textgrid"),
        ("--timeline", "--format", "rttm"),
        ("--timeline", "--format", "csv"),
    ],
)
def test_where_nothing_could_be_used_an_old_output_stays(
    predict: Any, voices: Path, arguments: tuple[str, ...]
) -> None:
    Path("old").write_text("precious\n")
    result = predict("nothing.wav", *arguments, "--output", "old")
    assert result.code == 2
    assert result.err == "serenade: error: 'nothing.wav' does not exist; check the path\n"
    assert Path("old").read_text() == "precious\n"
    assert not list(Path().glob(".serenade*"))


def test_silence_replaces_an_old_output_where_a_format_has_no_line_for_it(
    predict: Any, voices: Path
) -> None:
    soundfile.write("quiet.wav", np.zeros(32000), 16000)
    Path("old").write_text("precious\n")
    result = predict("quiet.wav", "--timeline", "--format", "rttm", "--output", "old")
    assert result.code == 0
    assert Path("old").read_text() == ""


@pytest.mark.parametrize("form", ["jsonl", "csv", "json", "text"])
def test_a_run_that_stops_before_the_first_recording_leaves_an_old_output(
    predict: Any, voices: Path, form: str
) -> None:
    pytest.importorskip("matplotlib")
    soundfile.write("long.wav", np.random.default_rng(0).normal(0, 0.1, 125 * 8000), 8000)
    Path("old").write_text("precious\n")
    result = predict("long.wav", "--format", form, "--output", "old", "--plot", "a.png")
    assert result.code == 2
    assert "add --timeline" in result.err
    assert Path("old").read_text() == "precious\n"


@pytest.mark.parametrize("form", ["jsonl", "csv", "json", "text"])
def test_an_interrupt_before_the_first_recording_leaves_an_old_output(
    tiny_bundle: Path, voices: Path, form: str
) -> None:
    Path("old").write_text("precious\n")
    arguments = ["predict", "--model", str(tiny_bundle), "-", "--format", form, "--output", "old"]
    undo = (  # a shell makes background jobs ignore SIGINT, and children inherit that
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        "os.execv(sys.executable, [sys.executable, '-m', 'serenade', *sys.argv[1:]])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", undo, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _wait_until_open(process.pid, {str(voices / "old"), f"{voices}/.serenade-{process.pid}.part"})
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
    assert Path("old").read_text() == "precious\n"
    assert not list(Path().glob(".serenade*"))


def _wait_until_open(pid: int, names: set[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = set()
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.add(str(descriptor.readlink()))
            except FileNotFoundError:  # closed meanwhile
                continue
        if found & names:
            return
        time.sleep(0.01)
    pytest.fail(f"none of {names} was ever open")


@pytest.mark.parametrize("more", ["", "--timeline"])
def test_standard_input_that_is_closed_is_one_error(
    tiny_bundle: Path, voices: Path, more: str
) -> None:
    result = _shell(f"{{predict}} - {more} <&-", tiny_bundle)
    assert result.returncode == 2
    message = "standard input is closed; pipe a recording in or give a file"
    assert result.stderr == f"serenade: error: {message}\n"


def test_closed_standard_input_costs_only_itself(tiny_bundle: Path, voices: Path) -> None:
    result = _shell("{predict} - neutral.wav --format jsonl <&-", tiny_bundle)
    assert result.returncode == 1
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["path"], first["error"]["kind"]) == ("-", "AudioError")
    assert second["emotion"] == "neutral"


@pytest.mark.parametrize("more", ["", "--timeline"])
def test_standard_input_that_cannot_be_read_is_one_error(
    tiny_bundle: Path, voices: Path, more: str
) -> None:
    result = _shell(f"{{predict}} - {more} 0> write-only", tiny_bundle)
    assert result.returncode == 2
    assert result.stderr.startswith("serenade: error: standard input cannot be read (Bad file")
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "command",
    [
        "{predict} neutral.wav --format json > /dev/full",
        "{predict} neutral.wav --format jsonl > /dev/full",
        "{predict} neutral.wav --timeline > /dev/full",
        "{serenade} models list > /dev/full",
        "{predict} neutral.wav --format json --output /dev/full",
        "{predict} neutral.wav --format csv --output /dev/full",
    ],
)
def test_a_full_disk_is_one_error(tiny_bundle: Path, voices: Path, command: str) -> None:
    result = _shell(command, tiny_bundle)
    assert result.returncode == 2
    assert "cannot be written (No space left on device); " in result.stderr
    assert result.stderr.count("\n") == 1


def test_standard_output_that_is_closed_is_one_error(tiny_bundle: Path, voices: Path) -> None:
    result = _shell("{predict} neutral.wav >&-", tiny_bundle)
    assert result.returncode == 2
    assert result.stderr == (
        "serenade: error: standard output is closed; open it or give --output\n"
    )


@pytest.mark.parametrize("more", ["", "--timeline"])
def test_messages_stay_out_of_the_results_where_standard_error_is_closed(
    tiny_bundle: Path, voices: Path, more: str
) -> None:
    result = _shell(f"{{predict}} neutral.wav no.wav {more} --format jsonl 2>&-", tiny_bundle)
    assert result.returncode == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["path"] for record in records] == ["neutral.wav", "no.wav"]
