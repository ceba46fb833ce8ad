"""Bad input on the command line: one sentence, the right exit code, the rest is still predicted."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import SPEC, tiny_spec, tone, waveform_model, write_tiny_bundle

from serenade.model.bundle import write_checksums
from serenade.model.spec import to_json

Make = Callable[[Path], object]


def _wav_header(*, channels: int, data_bytes: int, sample_rate: int = 16000) -> bytes:
    align = max(1, channels) * 2
    return (
        struct.pack("<4sI4s4sI", b"RIFF", min(data_bytes + 36, 2**32 - 1), b"WAVE", b"fmt ", 16)
        + struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * align, align, 16)
        + struct.pack("<4sI", b"data", data_bytes)
    )


def _truncated(extension: str) -> Make:
    def make(path: Path) -> None:
        whole = path.with_suffix(f".whole.{extension}")
        noise = np.random.default_rng(0).normal(0, 0.1, 48000)
        soundfile.write(whole, noise, 16000)
        content = whole.read_bytes()
        whole.unlink()
        path.write_bytes(content[: len(content) // 2])

    return make


def _samples(samples: np.ndarray) -> Make:
    return lambda path: soundfile.write(path, samples, 16000, format="WAV", subtype="FLOAT")


BAD_FILES: dict[str, tuple[Make, str]] = {
    "missing": (lambda path: None, "does not exist"),
    "empty": (lambda path: path.touch(), "is empty"),
    "header only": (
        lambda path: path.write_bytes(_wav_header(channels=1, data_bytes=0)),
        "no audio data",
    ),
    "text": (lambda path: path.write_text("Dear diary"), "can be decoded|cannot be decoded"),
    "truncated flac": (_truncated("flac"), "truncated|cannot be decoded|ends"),
    "truncated mp3": (_truncated("mp3"), "truncated|ends"),
    "directory": (lambda path: path.mkdir(), "holds no audio files"),
    "named pipe": (os.mkfifo, "is a pipe, socket or device"),
    "NaN": (_samples(np.full(16000, np.nan)), "NaN, infinite"),
    "infinite": (_samples(np.full(16000, np.inf)), "NaN, infinite"),
    "all zeros": (_samples(np.zeros(16000)), "only silence"),
    "20 ms": (_samples(tone(200.0, seconds=0.02)), "lasts only 0.020 s"),
    "no channels": (
        lambda path: path.write_bytes(_wav_header(channels=0, data_bytes=320) + bytes(320)),
        "Channel count is zero",
    ),
    "claims 4 GB": (
        lambda path: path.write_bytes(_wav_header(channels=1, data_bytes=2**32 - 2) + bytes(320)),
        "truncated|promises",
    ),
}


@pytest.fixture
def validate(repository: Path) -> Callable[[object], None]:
    schema = json.loads((repository / "docs" / "prediction.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema).validate  # type: ignore[no-any-return]


def _check_one_line(text: str) -> None:
    assert text.startswith("serenade: error: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert "Traceback" not in text


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_alone_is_exit_code_two(
    serenade: Any, tiny_bundle: Path, voices: Path, validate: Any, case: str
) -> None:
    make, message = BAD_FILES[case]
    make(Path("bad.wav"))
    result = serenade("predict", "--model", tiny_bundle, "bad.wav", "--format", "jsonl")
    assert result.code == 2
    _check_one_line(result.err)
    assert any(part in result.err for part in message.split("|")), result.err
    record = json.loads(result.out)
    validate(record)
    assert record["error"]["kind"] == "AudioError"
    assert f"serenade: error: {record['error']['message']}\n" == result.err


@pytest.mark.parametrize("case", BAD_FILES)
def test_the_rest_of_a_batch_with_a_bad_file_is_predicted(
    serenade: Any, tiny_bundle: Path, voices: Path, validate: Any, case: str
) -> None:
    make, _ = BAD_FILES[case]
    make(Path("bad.wav"))
    arguments = ["bad.wav", "neutral.wav", "sadness.wav"]
    result = serenade("predict", "--model", tiny_bundle, *arguments, "--format", "json")
    assert result.code == 1
    _check_one_line(result.err)
    records = json.loads(result.out)
    validate(records)
    assert [record.get("emotion") for record in records] == [None, "neutral", "sadness"]


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be nobody if the tests are run by root, who may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_a_file_without_permission_is_one_error(
    serenade: Any, tiny_bundle: Path, voices: Path, request: pytest.FixtureRequest
) -> None:
    Path("neutral.wav").chmod(0)
    Path("locked").mkdir(mode=0)
    shutil.copytree(tiny_bundle, "tiny")  # below the working folder, which nobody may enter
    request.getfixturevalue("unprivileged")
    result = serenade("predict", "--model", "./tiny", "neutral.wav", "sadness.wav")
    assert result.code == 1
    _check_one_line(result.err)
    assert "may not be read; check its permissions" in result.err
    result = serenade("predict", "--model", "./tiny", "locked", "sadness.wav")
    assert result.code == 1
    _check_one_line(result.err)
    assert "folder 'locked' may not be read" in result.err


def test_a_pattern_without_a_match_is_one_error(
    serenade: Any, tiny_bundle: Path, voices: Path
) -> None:
    result = serenade("predict", "--model", tiny_bundle, "*.flac", "sadness.wav")
    assert result.code == 1
    _check_one_line(result.err)
    assert "no file matches the pattern '*.flac'" in result.err


def _tamper(folder: Path) -> None:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")


def _too_new(folder: Path) -> None:
    data = {**to_json(SPEC), "format_version": 2}
    (folder / "spec.json").write_text(json.dumps(data))
    write_checksums(folder)


def _corrupt(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"\0" * 100)
    write_checksums(folder)


def _incompatible(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(waveform_model(output="scores").SerializeToString())
    write_checksums(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_tamper, "model.onnx of model {folder} was changed after the model was made"),
        (_too_new, "format version 2 and this release reads up to 1; upgrade Serenade"),
        (_corrupt, "model.onnx cannot be loaded"),
        (_incompatible, "instead of {{'logits'"),
        (lambda folder: (folder / "CARD.md").unlink(), "CARD.md is missing"),
    ],
)
@pytest.mark.parametrize("command", [["predict", "sadness.wav", "--model"], ["models", "verify"]])
def test_a_bad_bundle_is_one_error_and_exit_code_two(
    serenade: Any,
    voices: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    message: str,
    command: list[str],
) -> None:
    folder = write_tiny_bundle(tmp_path / "tiny")
    damage(folder)
    result = serenade(*command, folder)
    assert result.code == 2
    assert result.out == ""
    _check_one_line(result.err)
    assert message.format(folder=folder) in result.err


def test_an_unknown_model_is_one_error(serenade: Any, voices: Path) -> None:
    result = serenade("predict", "sadness.wav", "--model", "huge")
    assert result.code == 2
    _check_one_line(result.err)
    assert "there is no model 'huge'" in result.err


def test_a_graph_that_fails_on_one_clip_is_that_clips_error(
    serenade: Any, voices: Path, tmp_path: Path
) -> None:
    folder = write_tiny_bundle(tmp_path / "tiny", tiny_spec(), model=waveform_model(n_labels=3))
    result = serenade("predict", "sadness.wav", "--model", folder, "--format", "json")
    assert result.code == 2
    assert json.loads(result.out)["error"]["kind"] == "ModelError"


def test_a_bug_is_one_line(
    serenade: Any, tiny_bundle: Path, voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serenade.cli.predict.find_inputs", lambda paths: 1 / 0)
    result = serenade("predict", "sadness.wav", "--model", tiny_bundle)
    assert result.code == 70
    assert result.err.startswith("serenade: bug: ZeroDivisionError: division by zero; please")
    assert result.err.count("\n") == 1
    monkeypatch.setenv("SERENADE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        serenade("predict", "sadness.wav", "--model", tiny_bundle)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--stress-clips", "400"), "--stress-clips"),
        (("--noise", "more", "--rir", "more"), "--noise and --rir"),
    ],
)
def test_options_of_stress_need_stress(
    serenade: Any, tiny_bundle: Path, voices: Path, arguments: tuple[str, ...], named: str
) -> None:
    result = serenade("evaluate", tiny_bundle, "absent.jsonl", *arguments)
    assert result.code == 2
    assert result.err == f"serenade: error: --stress is needed for {named}; add it\n"
