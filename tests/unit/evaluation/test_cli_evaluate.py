"""``serenade evaluate`` and ``serenade compare`` on a model that hears emotions in tones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import typer
from tests.tiny_bundle import TONES_HZ, tone, write_adaptive_bundle, write_tiny_bundle
from typer.testing import CliRunner

from serenade.cli.compare import compare
from serenade.cli.evaluate import evaluate
from serenade.corpora.manifest import Utterance, read_manifest, write_manifest
from serenade.errors import SerenadeError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Three speakers; the first clip is labelled wrong."""
    utterances: list[Utterance] = []
    for speaker in range(3):
        for place, emotion in enumerate(TONES_HZ):
            for take in range(2):
                path = tmp_path / f"{emotion}_{speaker}_{take}.wav"
                seconds = 0.8 + 0.01 * len(utterances)  # no two clips are the same recording
                soundfile.write(path, tone(TONES_HZ[emotion], seconds=seconds), 16_000)
                label = "anger" if (speaker, take, place) == (0, 0, 0) else emotion
                utterances.append(
                    Utterance(
                        id=path.stem,
                        path=str(path),
                        emotion=label,
                        speaker=str(speaker),
                        corpus="tones",
                        sex="female" if speaker else "male",
                        split="test" if speaker == 0 else "train",
                    )
                )
    write_manifest(tmp_path / "all.jsonl", utterances)
    return tmp_path / "all.jsonl"


def invoke(command: Any, *arguments: object) -> Any:
    app = typer.Typer(add_completion=False)
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_speaker_adapted_figures_say_so_in_every_output(manifest: Path, tmp_path: Path) -> None:
    adaptive = write_adaptive_bundle(tmp_path / "tiny")
    report = tmp_path / "report.html"
    arguments = (evaluate, adaptive, manifest, "--speaker-adapted", "--no-audio")
    told = "adapted to each speaker with all of their test clips, without labels"
    text = invoke(*arguments, "--report", report).stdout
    assert "speaker-adapted; adaptation to the test speakers: yes" in text
    assert told in text
    assert told in report.read_text()
    setting = json.loads(invoke(*arguments, "--format", "json").stdout)["setting"]
    assert setting["mode"] == "speaker-adapted"
    assert setting["notes"] == [told]
    few = json.loads(invoke(*arguments, "--format", "json", "--reference-clips", 2).stdout)[
        "setting"
    ]
    assert "up to 2 of their other test clips" in few["notes"][0]
    plain = invoke(evaluate, adaptive, manifest).stdout
    assert "speaker-independent; adaptation to the test speakers: none" in plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reference-clips", "2"], "--reference-clips belongs to --speaker-adapted"),
        (["--speaker-adapted", "--stress"], "--stress judges strangers"),
        (["--speaker-adapted"], "does not adapt to speakers"),
    ],
)
def test_adaptation_that_cannot_be_is_one_error(
    bundle: Path, manifest: Path, options: list[str], message: str
) -> None:
    result = invoke(evaluate, bundle, manifest, *options)
    assert isinstance(result.exception, SerenadeError)
    assert message in str(result.exception)


def test_json_goes_to_standard_output_and_holds_the_whole_result(
    bundle: Path, manifest: Path
) -> None:
    result = invoke(evaluate, bundle, manifest, "--format", "json")
    assert result.exit_code == 0, result.output
    written = json.loads(result.stdout)
    n_clips = 6 * len(TONES_HZ)
    assert written["clips"] == n_clips
    assert written["readings"]["closed"]["accuracy"] == pytest.approx(1 - 1 / n_clips)
    assert len(written["setting"]["model_checksum"]) == 64
    assert written["setting"]["command"].startswith("serenade ")


def test_text_names_model_labels_and_what_is_not_known(bundle: Path, manifest: Path) -> None:
    result = invoke(evaluate, bundle, manifest, "--fairness")
    assert result.exit_code == 0, result.output
    assert "Not known whether the model was trained on these speakers" in result.stdout
    assert "closed" in result.stdout
    assert "UAR gap by sex" in result.stdout
    assert "* rough interval: few speakers" in result.stdout


def test_split_is_checked_against_the_rest_of_the_manifest(bundle: Path, manifest: Path) -> None:
    first, *others = read_manifest(manifest)
    write_manifest(manifest, [replace(first, split="train"), *others])
    result = invoke(evaluate, bundle, manifest, "--split", "test", "--format", "json")
    assert result.exit_code == 0, result.output
    assert "THIS SPLIT LEAKS" in json.loads(result.stdout)["setting"]["leak_statement"]
    assert "THIS SPLIT LEAKS" in result.stderr


def test_training_manifest_shows_the_leak_or_proves_there_is_none(
    bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    trained_on = tmp_path / "trained.jsonl"
    parts = read_manifest(manifest)
    write_manifest(trained_on, [u for u in parts if u.split == "train"])
    options = ("--trained-on", trained_on, "--format", "json")
    clean = json.loads(invoke(evaluate, bundle, manifest, "--split", "test", *options).stdout)
    assert clean["setting"]["leaks"] == []
    leaking = json.loads(invoke(evaluate, bundle, manifest, *options).stdout)
    assert "2 speakers are in both parts" in leaking["setting"]["leaks"][0]
    checked = ("--trained-on", trained_on)
    strangers = invoke(evaluate, bundle, manifest, "--split", "test", *checked).stdout
    assert "\nspeaker-independent; adaptation" in strangers
    heard = invoke(evaluate, bundle, manifest, *checked).stdout
    assert "\nnot speaker-independent; adaptation" in heard


def test_same_recording_in_split_and_rest_is_a_leak(bundle: Path, manifest: Path) -> None:
    parts = read_manifest(manifest)
    copied = next(u for u in parts if u.split == "train")
    tested = next(u for u in parts if u.split == "test")
    Path(copied.path).write_bytes(Path(tested.path).read_bytes())
    result = invoke(evaluate, bundle, manifest, "--split", "test", "--format", "json")
    leaks = json.loads(result.stdout)["setting"]["leaks"]
    assert leaks == [f"1 recordings are in both parts ({copied.id} = {tested.id})"]


def test_run_shows_which_speakers_the_model_knows(
    bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    split = {"train": ["tones/1"], "validation": ["tones/2"]}
    (run / "split.json").write_text(json.dumps(split))
    result = invoke(evaluate, bundle, manifest, "--run", run, "--format", "json")
    assert json.loads(result.stdout)["setting"]["leaks"] == [
        "the model was trained on 1 of the speakers (tones/1)",
        "the model was chosen by 1 of the speakers (tones/2)",
    ]


def test_report_output_and_resume_write_their_files(
    bundle: Path, manifest: Path, tmp_path: Path
) -> None:
    page, text, kept = tmp_path / "out.html", tmp_path / "out.txt", tmp_path / "kept.jsonl"
    options = ("--report", page, "--output", text, "--resume", kept)
    result = invoke(evaluate, bundle, manifest, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    first = text.read_text(encoding="utf-8")
    lines = kept.read_text(encoding="utf-8")
    invoke(evaluate, bundle, manifest, *options)
    assert text.read_text(encoding="utf-8") == first
    assert kept.read_text(encoding="utf-8") == lines


def test_failed_clip_is_listed_and_changes_the_exit_code(bundle: Path, manifest: Path) -> None:
    Path(read_manifest(manifest)[0].path).unlink()
    result = invoke(evaluate, bundle, manifest)
    assert result.exit_code == 1
    assert "1 clips failed" in result.stderr
    assert "neutral_0_0" in result.stdout


def test_stress_is_a_table_of_conditions(bundle: Path, manifest: Path) -> None:
    result = invoke(evaluate, bundle, manifest, "--stress", "--stress-clips", 8)
    assert result.exit_code == 0, result.output
    assert "babble 0 dB" in result.stdout
    assert "telephone, 8 kHz" in result.stdout
    assert "stress: clean" in result.stderr


def test_fold_of_a_protocol_is_judged_alone(bundle: Path, manifest: Path) -> None:
    options = ("--protocol", "loso", "--fold", "without tones/1", "--format", "json")
    written = json.loads(invoke(evaluate, bundle, manifest, *options).stdout)
    assert written["setting"]["protocol"] == "loso, without tones/1"
    assert written["clips"] == 2 * len(TONES_HZ)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--split", "dev"), "no utterance is in split 'dev'; there are test, train"),
        (("--split", "test", "--protocol", "loso"), "give one of them"),
        (("--protocol", "loso"), "has several folds; choose one"),
        (("--fold", "x"), "belong to --protocol"),
        (("--labels", "5"), "unknown label set '5'"),
        (("--stress", "--noise", "absent"), "absent is not a folder"),
        (("--report", "absent/out.html"), "absent is not a folder"),
        (("--report", "out.html", "--run", "absent"), "metrics of the run cannot be read"),
    ],
)
def test_arguments_that_do_not_fit_are_one_clear_error(
    bundle: Path, manifest: Path, options: tuple[str, ...], message: str
) -> None:
    result = invoke(evaluate, bundle, manifest, *options)
    assert isinstance(result.exception, SerenadeError)
    assert message in str(result.exception)


@pytest.mark.parametrize(("command", "n_models"), [(evaluate, 1), (compare, 2)])
def test_a_negative_seed_is_refused_before_any_clip_is_judged(
    command: Any, n_models: int, bundle: Path, manifest: Path
) -> None:
    result = invoke(command, *[bundle] * n_models, manifest, "--seed", -1)
    assert result.exit_code == 2
    assert "Invalid value for '--seed': -1 is not in the range x>=0" in result.stderr


def test_comparison_of_a_model_with_itself_shows_no_difference(
    bundle: Path, manifest: Path
) -> None:
    written = json.loads(invoke(compare, bundle, bundle, manifest, "--format", "json").stdout)
    assert {d["verdict"] for d in written["differences"]} == {"no difference shown"}
    text = invoke(compare, bundle, bundle, manifest).stdout
    assert "no difference shown" in text
    assert "Not known whether the model was trained" in text


def test_comparison_on_a_leaking_split_says_so(bundle: Path, manifest: Path) -> None:
    first, *others = read_manifest(manifest)
    write_manifest(manifest, [replace(first, split="train"), *others])
    text = invoke(compare, bundle, bundle, manifest, "--split", "test").stdout
    assert "THIS SPLIT LEAKS" in text
