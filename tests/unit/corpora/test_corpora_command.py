"""``serenade corpora`` keeps stdout for machines, stderr for people, and lets errors pass."""

from __future__ import annotations

import csv
import io
import json
import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from serenade.cli.corpora import app
from serenade.corpora.manifest import read_manifest
from serenade.corpora.registry import CORPORA
from serenade.errors import DownloadError, ManifestError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _write_wav(path: Path, seed: int, n_samples: int = 16000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 3000 * np.random.default_rng(seed).standard_normal(n_samples)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


@pytest.fixture
def tess(tmp_path: Path) -> Path:
    """Two good clips, one strange one."""
    root = tmp_path / "TESS"
    _write_wav(root / "OAF_back_angry.wav", 1)
    _write_wav(root / "YAF_back_ps.wav", 2)
    _write_wav(root / "strange.wav", 3)
    return root


def test_list_names_every_corpus() -> None:
    text = _run("list").stdout
    assert all(name in text for name in CORPORA)
    assert [card["name"] for card in json.loads(_run("list", "--format", "json").stdout)] == list(
        CORPORA
    )


def test_info_shows_licence_citation_and_source() -> None:
    text = _run("info", "ravdess").stdout
    assert "CC BY-NC-SA 4.0" in text
    assert "Livingstone" in text
    card = json.loads(_run("info", "iemocap", "--format", "json").stdout)
    assert "release form" in card["registration"]


def test_prepare_writes_a_manifest_and_says_what_was_dropped(tess: Path, tmp_path: Path) -> None:
    result = _run("prepare", "tess", tess, "--output", tmp_path / "m.jsonl")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "strange.wav" in result.stderr
    assert "2 utterances of 2 known speakers, 1 dropped" in result.stderr
    utterances = read_manifest(tmp_path / "m.jsonl")
    assert [utterance.emotion for utterance in utterances] == ["anger", "surprise"]


def test_prepare_all_reads_a_folder_of_corpora(tess: Path, tmp_path: Path) -> None:
    _run("prepare", "all", tess.parent, "-o", tmp_path / "m.jsonl")
    assert len(read_manifest(tmp_path / "m.jsonl")) == 2


def test_prepare_folder_takes_patterns_and_names(tess: Path, tmp_path: Path) -> None:
    _run(
        *("prepare", "folder", tess, "-o", tmp_path / "m.jsonl", "--corpus", "mine"),
        *("--language", "en", "--emotion-pattern", "_([a-z]+)[.]", "--speaker-pattern", "^([OY])"),
    )
    utterances = read_manifest(tmp_path / "m.jsonl")
    assert [(u.corpus, u.language, u.speaker, u.emotion) for u in utterances] == [
        ("mine", "en", "O", "anger"),
        ("mine", "en", "Y", "surprise"),
    ]


def test_prepare_table_reads_a_table(tess: Path, tmp_path: Path) -> None:
    (tess / "t.csv").write_text("file,emotion\nstrange.wav,sad\n")
    _run("prepare", "table", tess / "t.csv", "-o", tmp_path / "m.jsonl")
    assert read_manifest(tmp_path / "m.jsonl")[0].path == str(tess / "strange.wav")


def test_options_that_do_not_fit_are_refused(tess: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.jsonl"
    result = _run("prepare", "tess", tess, "-o", output, "--language", "en")
    assert isinstance(result.exception, UsageError)
    result = _run("prepare", "table", tess, "-o", output, "--speaker-pattern", "(x)")
    assert isinstance(result.exception, UsageError)
    for option in ("--corpus", "--language", "--speaker-pattern"):
        result = _run("prepare", "folder", tess, "-o", output, option, "")
        assert f"{option} must not be empty" in str(result.exception)
    assert not output.exists()


def test_the_table_that_is_read_is_never_overwritten(tess: Path) -> None:
    table = tess / "t.csv"
    table.write_text("file,emotion\nstrange.wav,sad\n")
    result = _run("prepare", "table", table, "-o", tess / ".." / "TESS" / "t.csv")
    assert "give the manifest another name" in str(result.exception)
    assert table.read_text().startswith("file,emotion")


def test_a_folder_that_is_still_packed_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "RAVDESS").mkdir()
    (tmp_path / "RAVDESS" / "Audio_Speech.zip").write_bytes(b"PK")
    result = _run("prepare", "ravdess", tmp_path / "RAVDESS", "-o", tmp_path / "m.jsonl")
    assert "Audio_Speech.zip: .zip files are not read; unpack" in str(result.exception)


def test_errors_are_left_to_the_main_command(tmp_path: Path) -> None:
    assert isinstance(_run("info", "radvess").exception, ManifestError)
    assert isinstance(_run("download", "savee", tmp_path / "x").exception, DownloadError)
    assert isinstance(_run("check", tmp_path / "absent.jsonl").exception, ManifestError)


def test_check_exits_with_1_and_names_line_and_kind(tess: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    _run("prepare", "tess", tess, "-o", manifest)
    good = _run("check", manifest)
    assert (good.exit_code, good.stdout, good.stderr) == (0, "", "serenade: no problems\n")
    (tess / "YAF_back_ps.wav").write_bytes(b"RIFF")
    bad = _run("check", manifest)
    assert bad.exit_code == 1
    assert bad.stdout.startswith(f"{manifest}:2: unreadable-audio: ")
    assert bad.stderr == "serenade: 1 unreadable-audio\n"
    problems = json.loads(_run("check", manifest, "--format", "json").stdout)
    assert [(problem["line"], problem["kind"]) for problem in problems] == [(2, "unreadable-audio")]


def test_stats_count_and_add_up_lengths(tess: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    _write_wav(tess / "YAF_bar_sad.wav", 4, n_samples=32000)
    _run("prepare", "tess", tess, "-o", manifest)
    text = _run("stats", manifest, "--durations").stdout
    assert text.startswith("TESS: 3 utterances, 2 speakers, 0.00 h\n")
    (counted,) = json.loads(_run("stats", manifest, "--durations", "--format", "json").stdout)
    assert counted["hours"] == pytest.approx(4 / 3600)
    assert counted["emotions"] == {"sadness": 1, "anger": 1, "surprise": 1}
    rows = list(csv.DictReader(io.StringIO(_run("stats", manifest, "--format", "csv").stdout)))
    assert {
        "corpus": "TESS",
        "speaker": "YAF",
        "property": "emotion",
        "value": "sadness",
        "utterances": "1",
    } in rows


def test_lengths_are_of_the_parts_that_are_there_and_bad_files_are_named(
    tess: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "m.jsonl"
    line = {"path": str(tess / "OAF_back_angry.wav"), "emotion": "anger", "corpus": "x"}
    parts: list[dict[str, object]] = [
        {"id": "1", "stop_seconds": 0.25},
        {"id": "2", "start_seconds": 0.5, "stop_seconds": 1000},
        {"id": "3", "start_seconds": 7200},
        {"id": "4", "path": "absent.wav"},
    ]
    manifest.write_text("".join(json.dumps(line | part) + "\n" for part in parts))
    result = _run("stats", manifest, "--durations", "--format", "json")
    assert result.exit_code == 1
    (counted,) = json.loads(result.stdout)
    assert counted["hours"] == pytest.approx(0.75 / 3600)
    assert "nothing from 7200.0 s on" in result.stderr
    assert "absent.wav" in result.stderr
    rows = _run("stats", manifest, "--durations", "--format", "csv").stdout.splitlines()
    assert "x,,hours,0.000208,4" in rows


def test_names_that_are_not_utf8_are_counted_as_text(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    line = {
        "id": "n\udcff/1",
        "path": "a.wav",
        "emotion": "sad",
        "corpus": "n\udcff",
        "speaker": "s",
    }
    manifest.write_text(json.dumps(line) + "\n")
    for form in ("text", "csv"):
        assert r"n\xff" in _run("stats", manifest, "--format", form).stdout
    (counted,) = json.loads(_run("stats", manifest, "--format", "json").stdout)
    assert counted["corpus"] == r"n\xff"
