"""``torchrun ... -m serenade train``: two processes train as one does, and go on after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, write_manifest
from serenade.inference.recognizer import Recognizer
from serenade.training.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 2e-3
"""Of a loss after six epochs: rounding grows from step to step. Weights are compared in the unit
tests of `serenade.training.processes`."""

# 26 training clips in batches of 8: the last batch is small, and lengths differ.
# Augmentation per clip is on: it is seeded by the clip. Dropout and mixup differ by process.
RECIPE = """
name = "toy"
seed = 5
[data]
label_set = "4"
max_seconds = 2.0
[split]
validation_share = 0.34
[augmentation]
mixup = 0.0
[network]
width = 32
depth = 1
dropout = 0.0
[optimiser]
epochs = 6
batch_size = 8
learning_rate = 1e-3
average_decay = 0.5
[export]
description = "A toy."
licence = "none: made-up noise"
"""
TRAIN = ("-m", "serenade", "train")
TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *TRAIN)
"""What the command ``torchrun`` runs."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(0)
    utterances = []
    for number in range(39):
        emotion = ("anger", "sadness", "neutral")[number % 3]
        loudness = np.linspace(0.02, 0.2, 6_000 + 97 * number) ** (1 + number % 3)
        path = folder / f"{number}.wav"
        samples = (rng.standard_normal(loudness.size) * loudness).astype(np.float32)
        soundfile.write(path, samples, 16_000)
        utterances.append(Utterance(path.stem, str(path), emotion, f"s{number // 13}", "toy"))
    write_manifest(folder / "toy.jsonl", utterances)
    (folder / "toy.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def _command(how: tuple[str, ...], toy: Path, output: str) -> list[str]:
    return [
        *(sys.executable, *how, str(toy / "toy.toml"), "--device", "cpu"),
        *("--manifest", str(toy / "toy.jsonl"), "--output", str(toy / output)),
        *("--cache", str(toy / "cache")),
    ]


def _run(how: tuple[str, ...], toy: Path, output: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        _command(how, toy, output), capture_output=True, text=True, check=False, timeout=900
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def two(toy: Path) -> subprocess.CompletedProcess[str]:
    return _run(TWO, toy, "two")


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(
    toy: Path, two: subprocess.CompletedProcess[str]
) -> None:
    _run(TRAIN, toy, "one")
    _, alone = load_checkpoint(toy / "one" / "last.safetensors")
    _, together = load_checkpoint(toy / "two" / "last.safetensors")
    for ours, theirs in zip(together["history"], alone["history"], strict=True):
        for figure in ("train_loss", "validation_loss"):
            assert ours[figure] == pytest.approx(theirs[figure], abs=TOLERANCE)


@pytest.mark.slow
def test_only_one_process_talks_and_the_bundle_predicts(
    toy: Path, two: subprocess.CompletedProcess[str]
) -> None:
    assert two.stderr.count("epoch 1/6") == 1
    assert two.stdout.count("bundle:") == 1
    Recognizer.load(toy / "two" / "bundle").predict(toy / "0.wav")
    lines = (toy / "two" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_after_ctrl_c_two_processes_go_on_to_the_same_weights(
    toy: Path, two: subprocess.CompletedProcess[str]
) -> None:
    process = subprocess.Popen(
        _command(TWO, toy, "stopped"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    metrics = toy / "stopped" / "metrics.jsonl"
    deadline = time.monotonic() + 600
    while not metrics.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode != 0
    assert said.count("stopped; what is finished is kept in") <= 1
    assert "bug:" not in said
    done = len(metrics.read_text(encoding="utf-8").splitlines())
    assert done >= 1
    _run(TWO, toy, "stopped")
    whole, _ = load_checkpoint(toy / "two" / "last.safetensors")
    resumed, _ = load_checkpoint(toy / "stopped" / "last.safetensors")
    assert all(whole[name].equal(resumed[name]) for name in whole)
