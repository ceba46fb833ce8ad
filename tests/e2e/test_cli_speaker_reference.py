"""``--speaker-reference`` and ``--adapt`` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import tone, write_adaptive_bundle

from serenade.model.adaptation import Adaptation

if TYPE_CHECKING:
    from pathlib import Path

# pitches of 0.6 and 0.8, and one a little above their middle (see tests/tiny_bundle.py)
REFERENCE_HZ = (1552.0, 2096.0)
CLIP_HZ = 2041.0


@pytest.fixture(scope="module")
def adaptive_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    little_prior = Adaptation(1, 0.01, 1000.0)
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    return write_adaptive_bundle(folder, adaptation=little_prior)


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with recordings of a speaker in ``voice`` and a clip to judge."""
    (tmp_path / "voice").mkdir()
    for frequency in REFERENCE_HZ:
        path = tmp_path / "voice" / f"{frequency:.0f}.wav"
        soundfile.write(path, tone(frequency, seconds=1.0), 16000)
    quiet = np.zeros(16000)
    samples = np.concatenate([quiet, tone(CLIP_HZ, seconds=3.0), quiet])
    samples += np.random.default_rng(4).normal(0.0, 1e-4, samples.size)
    soundfile.write(tmp_path / "clip.wav", samples, 16000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def schema(repository: Path) -> Any:
    def open_schema(name: str) -> Any:
        text = (repository / "docs" / f"{name}.schema.json").read_text()
        return jsonschema.Draft202012Validator(json.loads(text))

    return open_schema


def test_predict_adapts_to_a_folder_of_the_speaker(
    serenade: Any, adaptive_bundle: Path, voice: Path, schema: Any
) -> None:
    arguments = ("predict", "--model", adaptive_bundle, "clip.wav", "--format", "json")
    plain = json.loads(serenade(*arguments).out)
    assert plain["emotion"] != "sadness"
    assert "adapted_to" not in plain
    result = serenade(*arguments, "--speaker-reference", "voice")
    assert (result.code, result.err) == (
        0,
        "serenade: adapted to 2 clips (2.0 s) of the speaker\n",
    )
    adapted = json.loads(result.out)
    schema("prediction").validate(adapted)
    assert adapted["emotion"] == "sadness"
    assert adapted["adapted_to"] == {"clips": 2, "seconds": 2.0}


def test_files_may_be_named_one_by_one(serenade: Any, adaptive_bundle: Path, voice: Path) -> None:
    files = [f"voice/{frequency:.0f}.wav" for frequency in REFERENCE_HZ]
    options = [part for file in files for part in ("--speaker-reference", file)]
    result = serenade(
        "predict", "--model", adaptive_bundle, "clip.wav", "--format", "jsonl", *options
    )
    assert json.loads(result.out)["adapted_to"] == {"clips": 2, "seconds": 2.0}


def test_a_timeline_gets_to_know_the_speaker(
    serenade: Any, adaptive_bundle: Path, voice: Path, schema: Any
) -> None:
    arguments = ("predict", "--timeline", "--model", adaptive_bundle, "clip.wav", "--format")
    known = json.loads(serenade(*arguments, "json", "--speaker-reference", "voice").out)
    schema("timeline").validate(known)
    assert known["adapted_to"] == {"clips": 2, "seconds": 2.0}
    running = json.loads(serenade(*arguments, "jsonl", "--adapt").out)
    schema("timeline").validate(running)
    assert running["adapted_to"]["clips"] >= 2
    assert "adapted_to" not in json.loads(serenade(*arguments, "json").out)


def test_a_model_that_does_not_adapt_is_one_error(
    serenade: Any, tiny_bundle: Path, voice: Path
) -> None:
    for options in (
        ["--speaker-reference", "voice"],
        ["--timeline", "--speaker-reference", "voice"],
        ["--timeline", "--adapt"],
    ):
        result = serenade("predict", "--model", tiny_bundle, "clip.wav", *options)
        assert result.code == 2
        assert result.err.count("\n") == 1
        assert "model tiny 1.0.0 cannot adapt to a speaker" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--adapt"], "--adapt needs --timeline"),
        (["--speaker-reference", "-"], "--speaker-reference needs files or folders"),
        (["--speaker-reference", "nowhere.wav"], "nowhere.wav"),
        (["--speaker-reference", "*.mp3"], "no file matches the pattern"),
    ],
)
def test_a_reference_that_cannot_be_used_is_one_error(
    serenade: Any, adaptive_bundle: Path, voice: Path, options: list[str], message: str
) -> None:
    result = serenade("predict", "--model", adaptive_bundle, "clip.wav", *options)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_models_info_tells_whether_a_model_adapts(
    serenade: Any, adaptive_bundle: Path, tiny_bundle: Path
) -> None:
    told = "adapts:    to a speaker, from their speech without labels"
    assert told in serenade("models", "info", adaptive_bundle).out
    assert "adapts:    no" in serenade("models", "info", tiny_bundle).out
