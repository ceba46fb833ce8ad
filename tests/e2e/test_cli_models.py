"""``serenade models``, ``serenade doctor`` and the top of the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.tiny_bundle import write_tiny_bundle

from serenade import __version__
from serenade.cli import main
from serenade.errors import ModelError
from serenade.inference.recognizer import Recognizer
from serenade.model import store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bundled"
    write_tiny_bundle(folder / "compact")
    write_tiny_bundle(folder / "other")
    monkeypatch.setattr(store, "BUNDLED", folder)
    return folder


def test_list_names_the_models_and_the_default(serenade: Any, bundled: Path) -> None:
    result = serenade("models", "list")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "compact 1.0.0 (default)"
    assert "other 1.0.0" in lines
    assert "  licence:  CC0-1.0" in lines


def test_list_as_json(serenade: Any, bundled: Path) -> None:
    models = json.loads(serenade("models", "list", "--format", "json").out)
    assert [model["default"] for model in models] == [True, False]
    assert models[0]["labels"] == ["neutral", "happiness", "sadness", "anger"]


def test_info_tells_data_licence_results_and_forbidden_uses(serenade: Any, bundled: Path) -> None:
    result = serenade("models", "info", "compact")
    assert result.code == 0
    for part in (
        "tiny 1.0.0",
        "licence:   CC0-1.0",
        "none; licence: CC0; speakers: 0",
        "uar: 1.0",
        "forbids some uses",
    ):
        assert part in result.out


def test_info_as_json_holds_specification_and_card(serenade: Any, bundled: Path) -> None:
    info = json.loads(serenade("models", "info", "compact", "--format", "json").out)
    assert info["spec"]["training_data"] == [{"corpus": "none", "licence": "CC0", "speakers": 0}]
    assert info["card"].startswith("# tiny")
    assert "forbids" in info["uses"]


def test_verify_takes_a_name_or_a_folder(serenade: Any, bundled: Path) -> None:
    assert serenade("models", "verify", "compact").out.startswith("tiny 1.0.0 is whole: ")
    verdict = json.loads(serenade("models", "verify", bundled / "other", "--format", "json").out)
    assert verdict["ok"] is True


def test_info_of_an_unknown_model_lists_what_there_is(serenade: Any, bundled: Path) -> None:
    result = serenade("models", "info", "huge")
    assert result.code == 2
    assert "there is no model 'huge'; give one of compact, other or the folder" in result.err


def test_doctor_finds_a_sound_installation(serenade: Any, bundled: Path) -> None:
    result = serenade("doctor")
    assert (result.code, result.err) == (0, "")
    assert "FAIL" not in result.out
    for name in ("serenade: ", "onnxruntime: ", "extra train: ", "model compact: ", "self-test: "):
        assert f"ok    {name}" in result.out


def test_doctor_finds_a_changed_model(serenade: Any, bundled: Path) -> None:
    (bundled / "other" / "CARD.md").write_text("changed")
    result = serenade("doctor", "--format", "json")
    assert result.code == 1
    report = json.loads(result.out)
    assert report["ok"] is False
    (broken,) = [check for check in report["checks"] if not check["ok"]]
    assert broken["name"] == "model other"
    assert "CARD.md" in broken["detail"]


def test_doctor_reports_a_failing_prediction(
    serenade: Any, bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ModelError("it is broken")

    monkeypatch.setattr(Recognizer, "predict", fail)
    result = serenade("doctor")
    assert result.code == 1
    assert "FAIL  self-test: it is broken" in result.out


def test_doctor_reports_a_package_that_cannot_be_imported(
    serenade: Any, bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "soxr", None)
    result = serenade("doctor")
    assert result.code == 1
    assert "FAIL  soxr: cannot be imported" in result.out


def test_version(serenade: Any) -> None:
    assert serenade("--version").out == f"serenade {__version__}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command(serenade: Any, flag: str) -> None:
    result = serenade(flag)
    assert result.code == 0
    for name, command in main.COMMANDS.items():
        assert name in result.out
        assert command.summary.split()[0] in result.out


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_can_be_loaded_and_has_help(serenade: Any, name: str) -> None:
    result = serenade(name, "--help")
    assert result.code == 0
    assert f"Usage: serenade {name}" in result.out


def test_a_mistyped_command_is_suggested(serenade: Any) -> None:
    result = serenade("predct")
    assert result.code == 2
    assert "Did you mean 'predict'?" in result.err
