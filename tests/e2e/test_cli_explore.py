"""``serenade explore``: tables and a page of what a manifest holds."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

Serenade = Any


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    utterances = []
    for number, emotion in enumerate(("anger", "calm", "anger", "calm")):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, 0.1 * rng.standard_normal(8_000), 16_000)
        utterances.append(Utterance(path.stem, str(path), emotion, f"s{number // 2}", "toy"))
    write_manifest(tmp_path / "toy.jsonl", utterances)
    return tmp_path / "toy.jsonl"


def test_the_tables_are_printed(serenade: Serenade, manifest: Path) -> None:
    result = serenade("explore", manifest)
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines()]
    assert ["toy", "4", "2", "0.00", "0.50", "0.50", "0.50"] in [line[:7] for line in lines]
    assert ["0", "to", "1", "s", "4"] in lines


def test_json_has_every_table(serenade: Serenade, manifest: Path) -> None:
    content = json.loads(serenade("explore", manifest, "--format", "json").out)
    assert content["kind"] == "exploration"
    assert [group["name"] for group in content["groups"]["emotion"]] == ["calm", "anger"]
    assert content["emotions_by_speaker"]["toy/s0"] == {"anger": 1, "calm": 1}
    assert content["durations"] == {"0 to 1 s": 4}


def test_the_page_needs_no_other_file(serenade: Serenade, manifest: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "page"
    result = serenade("explore", manifest, "--output", folder)
    assert result.code == 0
    assert result.err == f"serenade: page written to {folder / 'index.html'}\n"
    page = (folder / "index.html").read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]{22})', page)
    assert len(sources) == 5 + 2 * 3  # of the corpus, and of one clip of each emotion
    assert set(sources) == {"data:image/png;base64,"}
    assert "http" not in re.sub(r'src="[^"]*"', "", page)
    pictures = {path.name for path in folder.glob("*.png")}
    assert {"emotions.png", "waveform-anger.png", "spectrogram-calm.png"} <= pictures
    assert json.loads((folder / "tables.json").read_text(encoding="utf-8"))["clips"] == 4


def test_names_of_any_kind_are_printed_drawn_and_written(
    serenade: Serenade, manifest: Path, tmp_path: Path
) -> None:
    audio = os.fsdecode(bytes(tmp_path) + b"/n\xff.wav")
    os.link(tmp_path / "0.wav", audio)
    names = ("c$x^$", "语料", "\udcff", "x" * 300)
    write_manifest(
        tmp_path / "toy.jsonl", [Utterance(name, audio, "anger", name, name) for name in names]
    )
    result = serenade("explore", manifest, "--output", tmp_path / "page")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert r"\xff" in result.out
    result.out.encode("utf-8")
    content = json.loads(serenade("explore", manifest, "--format", "json").out)
    shown = ["\\xff", "c$x^$", "x" * 300, "语料"]
    assert [group["name"] for group in content["groups"]["corpus"]] == shown
    assert "c$x^$/c$x^$" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_made_is_said_before_anything_is_heard(
    serenade: Serenade, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listen(*_: object) -> None:
        raise AssertionError("a clip was heard")

    monkeypatch.setattr("serenade.evaluation.clips.utterance_waveform", listen)
    result = serenade("explore", manifest, "--output", manifest)
    assert result.code == 2
    assert "toy.jsonl cannot be written (File exists); give another --output" in result.err
    monkeypatch.setitem(sys.modules, "serenade.plots.style", None)
    result = serenade("explore", manifest, "--output", manifest.parent / "page")
    assert result.code == 2
    assert 'pip install "serenade[plots]"' in result.err


def test_the_tables_are_printed_though_the_page_fails(
    serenade: Serenade, manifest: Path, tmp_path: Path
) -> None:
    (tmp_path / "page" / "index.html").mkdir(parents=True)
    result = serenade("explore", manifest, "--output", tmp_path / "page")
    assert result.code == 2
    assert "page cannot be written (Is a directory); give another --output" in result.err
    assert result.out == serenade("explore", manifest).out


def test_a_clip_that_is_gone_is_named_and_the_exit_code_is_1(
    serenade: Serenade, manifest: Path
) -> None:
    (manifest.parent / "1.wav").unlink()
    result = serenade("explore", manifest)
    assert result.code == 1
    assert result.err.startswith("serenade: error: 1: ")
    assert result.err.count("\n") == 1
    assert "toy         3" in result.out
