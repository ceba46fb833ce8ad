"""What the README shows is what the shipped model gives, and its example runs as a script."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from serenade.inference.recognizer import Recognizer

if TYPE_CHECKING:
    from pathlib import Path

CLIP = "samples/german_voice.flac"
ROUNDING = 0.01
"""Processors round 8-bit weights in other ways; another model is further away."""


def _block(repository: Path, language: str, *, about: str) -> str:
    """Give the first block of the README in a language that holds some words."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL
    )
    return next(block for block in blocks if about in block)


@pytest.fixture(scope="module")
def record(repository: Path) -> dict[str, Any]:
    return Recognizer.load().predict(repository / CLIP).to_json(CLIP)


def test_the_head_shows_what_the_model_says(repository: Path, record: dict[str, Any]) -> None:
    shown = _block(repository, "text", about=f"serenade predict {CLIP}")
    assert f"{CLIP}  {record['duration_s']:.2f} s  {record['emotion']}\n" in shown
    percent = {name: float(p) / 100 for name, p in re.findall(r"^  (\w+) +([\d.]+) %", shown, re.M)}
    assert percent == pytest.approx(record["probabilities"], abs=ROUNDING)


def test_the_json_is_what_the_model_says(repository: Path, record: dict[str, Any]) -> None:
    shown = json.loads(_block(repository, "json", about=CLIP))
    assert list(shown) == list(record)
    for key, value in record.items():
        expected = (
            value if isinstance(value, str | bool | list) else pytest.approx(value, abs=ROUNDING)
        )
        assert shown[key] == expected, key


def test_the_example_runs_as_a_script(repository: Path, tmp_path: Path) -> None:
    for name in ("voice.wav", "a.wav", "b.wav"):  # formats are told apart by content
        shutil.copy(repository / CLIP, tmp_path / name)
    script = tmp_path / "example.py"
    script.write_text(_block(repository, "python", about="predict_many"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["neutral", "a.wav", "b.wav"]
