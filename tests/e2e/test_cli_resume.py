"""``serenade predict --resume``: what an output that is gone on with may be, and the exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.tiny_bundle import write_tiny_bundle

if TYPE_CHECKING:
    from tests.e2e.conftest import Serenade


@pytest.fixture
def resume(serenade: Serenade, tiny_bundle: Path) -> Any:
    def call(form: str, *paths: str, model: Path = tiny_bundle, output: str = "out") -> Any:
        options = ("--format", form, "--output", output, "--resume")
        return serenade("predict", "--model", model, *paths, *options)

    return call


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_exit_code_is_that_of_all_runs_together(resume: Any, voices: Path, form: str) -> None:
    good = ("neutral.wav", "sadness.wav")
    assert resume(form, *good).code == 0
    mixed = resume(form, *good, "absent.wav")
    assert mixed.code == 1
    assert mixed.err == "serenade: error: 'absent.wav' does not exist; check the path\n"
    text = Path("out").read_text()
    again = resume(form, *good, "absent.wav")
    assert again.code == 1
    assert again.err == "serenade: failed in an earlier run: 1; out says why\n"
    assert Path("out").read_text() == text


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_failures_alone_stay_exit_code_two_until_something_is_good(
    resume: Any, voices: Path, form: str
) -> None:
    assert resume(form, "absent.wav").code == 2
    assert resume(form, "absent.wav").code == 2
    assert resume(form, "absent.wav", "neutral.wav").code == 1


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_predictions_of_another_model_are_not_gone_on_with(
    resume: Any, voices: Path, tmp_path: Path, form: str
) -> None:
    other = _other_version(tmp_path / "other")
    assert resume(form, "neutral.wav").code == 0
    with Path("out").open("a") as file:
        file.write("torn")
    before = Path("out").read_bytes()
    result = resume(form, "neutral.wav", "sadness.wav", model=other)
    assert result.code == 2
    assert result.err == (
        "serenade: error: out holds predictions of tiny 1.0.0 and this run would add those of"
        " tiny 2.0.0; give the same --model or another --output\n"
    )
    assert Path("out").read_bytes() == before


def test_failures_are_of_no_model(resume: Any, voices: Path, tmp_path: Path) -> None:
    assert resume("jsonl", "absent.wav").code == 2
    other = _other_version(tmp_path / "other")
    assert resume("jsonl", "absent.wav", "neutral.wav", model=other).code == 1
    assert len(Path("out").read_text().splitlines()) == 2


def _other_version(folder: Path) -> Path:
    from serenade.model.bundle import write_checksums

    write_tiny_bundle(folder)
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**spec, "version": "2.0.0"}))
    write_checksums(folder)
    return folder


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_folder_is_not_gone_on_with(resume: Any, voices: Path, form: str) -> None:
    result = resume(form, "neutral.wav", output="more")
    assert result.code == 2
    assert result.err == (
        "serenade: error: more is not a file that --resume can go on with; give another one\n"
    )


def test_an_output_that_cannot_be_reached_is_one_error(resume: Any, voices: Path) -> None:
    result = resume("jsonl", "neutral.wav", output="n" * 300)
    assert result.code == 2
    assert "cannot be gone on with (File name too long); give another --output" in result.err
    assert result.err.count("\n") == 1


def test_timelines_are_not_gone_on_with(
    serenade: Serenade, resume: Any, voices: Path, tiny_bundle: Path
) -> None:
    shutil.copy("neutral.wav", "more/neutral.wav")
    arguments = ("--timeline", "--format", "jsonl", "--output", "out")
    assert serenade("predict", "more", "--model", tiny_bundle, *arguments).code == 0
    before = Path("out").read_bytes()
    result = resume("jsonl", "neutral.wav")
    assert result.code == 2
    assert "out is not an output of serenade predict in this format" in result.err
    assert Path("out").read_bytes() == before
