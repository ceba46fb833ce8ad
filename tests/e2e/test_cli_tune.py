"""``serenade tune``: killed at any moment it goes on, and its best recipe can be trained."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.e2e.test_cli_process import _interruptible

from serenade.corpora.manifest import Utterance, write_manifest

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
width = 16
depth = 1
[optimiser]
epochs = 4
batch_size = 4
"""

SPACE = """
trials = 3
startup_trials = 2
min_epochs = 2
[space]
"optimiser.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
"network.dropout" = { low = 0.0, high = 0.5 }
"""


pytestmark = pytest.mark.slow


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    utterances = []
    for number in range(24):
        emotion = ("anger", "sadness")[number % 2]
        loudness = np.linspace(0.02, 0.2, 6_000) ** (1 + number % 2)
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, (rng.standard_normal(6_000) * loudness).astype(np.float32), 16_000)
        utterances.append(Utterance(path.stem, str(path), emotion, f"s{number // 8}", "toy"))
    write_manifest(tmp_path / "toy.jsonl", utterances)
    (tmp_path / "toy.toml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "space.toml").write_text(SPACE, encoding="utf-8")
    return tmp_path


def _command(toy: Path, output: str, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "serenade", "tune", str(toy / "toy.toml")),
        *("--manifest", str(toy / "toy.jsonl"), "--output", str(toy / output)),
        *("--space", str(toy / "space.toml"), "--cache", str(toy / "cache"), *options),
    ]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _stop_at_epoch(command: list[str], toy: Path, trial: str, how: signal.Signals) -> str:
    metrics = toy / "killed" / "trials" / trial / "metrics.jsonl"
    process = subprocess.Popen(
        _interruptible(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not metrics.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    return process.communicate()[1]


def test_a_killed_and_interrupted_search_ends_as_one_that_was_not(toy: Path) -> None:
    whole = _run(_command(toy, "whole", "--format", "json"))
    assert whole.returncode == 0, whole.stderr
    assert "trial 3/3" in whole.stderr
    assert "min left" in whole.stderr
    _stop_at_epoch(_command(toy, "killed"), toy, "001", signal.SIGKILL)
    said = _stop_at_epoch(_command(toy, "killed"), toy, "002", signal.SIGINT)
    assert "run the command again" in said
    assert "Traceback" not in said
    last = _run(_command(toy, "killed", "--format", "json"))
    assert last.returncode == 0, last.stderr
    assert "trial 1/3" not in last.stderr
    expected, got = (json.loads(result.stdout)["trials"] for result in (whole, last))
    for trial in [*expected, *got]:
        del trial["seconds"]
    assert got == expected
    with (toy / "killed" / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epochs"]) for row in rows] == [trial["epochs"] for trial in expected]
    assert (toy / "killed" / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert "serenade train" in last.stderr
    best = (toy / "killed" / "best.toml").read_text(encoding="utf-8")
    assert best == (toy / "whole" / "best.toml").read_text(encoding="utf-8")
    train = [
        *(sys.executable, "-m", "serenade", "train", str(toy / "killed" / "best.toml")),
        *("--manifest", str(toy / "toy.jsonl"), "--output", str(toy / "run")),
        *("--cache", str(toy / "cache")),
    ]
    trained = _run(train)
    assert trained.returncode == 0, trained.stderr
    assert (toy / "run" / "bundle" / "model.onnx").exists()
    assert (toy / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_encoder_of_the_teacher_can_be_given(toy: Path) -> None:
    recipe = f"{RECIPE}[teacher]\ninitial_weights = 'openai/whisper-base'\n"
    (toy / "toy.toml").write_text(recipe, encoding="utf-8")
    result = _run(_command(toy, "run", "--encoder", str(toy / "nowhere")))
    assert result.returncode == 2
    assert "teacher.initial_weights" in result.stderr
    assert f"{toy / 'nowhere'}' is not the folder of a Whisper encoder" in result.stderr


def test_a_wrong_space_is_one_sentence_and_exit_code_2(toy: Path) -> None:
    (toy / "space.toml").write_text(SPACE.replace("dropout", "dropuot"), encoding="utf-8")
    result = _run(_command(toy, "run"))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "'network.dropuot' cannot be searched" in result.stderr
