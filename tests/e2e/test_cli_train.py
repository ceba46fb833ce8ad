"""``serenade train``: killed at any moment it goes on, and ends where an uninterrupted run ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, write_manifest
from serenade.inference.recognizer import Recognizer
from serenade.training.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = """
name = "toy"
seed = 5
[data]
label_set = "4"
max_seconds = 2.0
[split]
validation_share = 0.34
[network]
width = 32
depth = 1
[optimiser]
epochs = 12
batch_size = 4
[export]
description = "A toy."
licence = "none: made-up noise"
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    utterances = []
    for number in range(36):
        emotion = ("anger", "sadness", "neutral")[number % 3]
        loudness = np.linspace(0.02, 0.2, 8_000) ** (1 + number % 3)
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, (rng.standard_normal(8_000) * loudness).astype(np.float32), 16_000)
        utterances.append(Utterance(path.stem, str(path), emotion, f"s{number // 12}", "toy"))
    write_manifest(tmp_path / "toy.jsonl", utterances)
    (tmp_path / "toy.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def _command(toy: Path, output: str) -> list[str]:
    return [
        *(sys.executable, "-m", "serenade", "train", str(toy / "toy.toml")),
        *("--manifest", str(toy / "toy.jsonl"), "--output", str(toy / output)),
        *("--cache", str(toy / "cache")),
    ]


def _epochs(toy: Path, output: str) -> int:
    path = toy / output / "metrics.jsonl"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def test_a_run_killed_twice_gives_the_weights_of_one_that_was_not(toy: Path) -> None:
    whole = subprocess.run(_command(toy, "whole"), capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stderr
    for at_least in (2, 6):
        process = subprocess.Popen(
            _command(toy, "killed"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + 120
        while _epochs(toy, "killed") < at_least and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    last = subprocess.run(_command(toy, "killed"), capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    assert "epoch 1/12" not in last.stderr
    expected, _ = load_checkpoint(toy / "whole" / "last.safetensors")
    got, _ = load_checkpoint(toy / "killed" / "last.safetensors")
    assert all(expected[name].equal(got[name]) for name in expected)
    prediction = Recognizer.load(toy / "killed" / "bundle").predict(toy / "0.wav")
    assert set(prediction.probabilities) == {"neutral", "happiness", "sadness", "anger"}
    spec = json.loads((toy / "killed" / "bundle" / "spec.json").read_text(encoding="utf-8"))
    assert spec["metrics"]["validation_speakers"]["toy"]["speakers"] == 1


def test_a_log_that_there_is_none_of_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    options = ["--manifest", absent, "--output", absent, "--log", "wandb"]
    command = [sys.executable, "-m", "serenade", "train", absent, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "'wandb' is not one of 'tensorboard', 'mlflow'" in result.stderr
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("command", ["train", "tune", "benchmark"])
def test_more_threads_than_any_machine_has_are_refused(
    serenade: Any, tmp_path: Path, command: str
) -> None:
    absent = tmp_path / "absent"
    options = ("--manifest", absent, "--output", absent, "--threads", 100_000)
    result = serenade(command, absent, *options)
    assert result.code == 2
    assert "100000 is not in the range 1<=x<=1024" in result.err


def test_a_picture_that_cannot_be_drawn_does_not_hide_the_results(serenade: Any, toy: Path) -> None:
    (toy / "toy.toml").write_text(RECIPE.replace("epochs = 12", "epochs = 1"), encoding="utf-8")
    (toy / "run" / "curves.png").mkdir(parents=True)
    result = serenade(*_command(toy, "run")[3:])
    assert result.code == 0, result.err
    assert "no picture of the curves: " in result.err
    assert f"bundle: {toy / 'run' / 'bundle'}" in result.out


def test_a_wrong_recipe_is_one_sentence_and_exit_code_2(toy: Path) -> None:
    recipe = toy / "toy.toml"
    recipe.write_text(RECIPE.replace("epochs = 12", "epoch = 12"), encoding="utf-8")
    result = subprocess.run(_command(toy, "run"), capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "unknown key 'optimiser.epoch'" in result.stderr
