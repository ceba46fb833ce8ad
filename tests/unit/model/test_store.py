"""Models are found by name or folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tiny_bundle import write_tiny_bundle

from serenade.errors import ModelError
from serenade.model import store
from serenade.model.store import list_bundled, resolve


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bundled"
    folder.mkdir()
    monkeypatch.setattr(store, "BUNDLED", folder)
    return folder


def test_compact_is_the_default_until_there_is_a_default(bundled: Path) -> None:
    write_tiny_bundle(bundled / "compact")
    assert resolve() == bundled / "compact"
    write_tiny_bundle(bundled / "default")
    assert resolve() == bundled / "default"


def test_bundled_models_are_listed_sorted_without_stray_files(bundled: Path) -> None:
    write_tiny_bundle(bundled / "zeta")
    write_tiny_bundle(bundled / "alpha")
    (bundled / "README.md").touch()
    (bundled / "empty").mkdir()
    assert list_bundled() == ["alpha", "zeta"]


def test_a_name_wins_over_a_folder_of_that_name(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_bundle(bundled / "compact")
    write_tiny_bundle(tmp_path / "compact")
    monkeypatch.chdir(tmp_path)
    assert resolve("compact") == bundled / "compact"
    assert resolve("./compact") == Path("compact")
    assert resolve(tmp_path / "compact") == tmp_path / "compact"


def test_a_folder_that_was_found_is_found_again_and_not_the_model_of_its_name(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_bundle(bundled / "compact")
    write_tiny_bundle(tmp_path / "compact")
    monkeypatch.chdir(tmp_path)
    assert resolve(resolve("./compact")) == Path("compact")
    monkeypatch.chdir("/")
    assert resolve(Path("compact")) == bundled / "compact"


def test_a_name_that_no_file_can_have_is_one_clear_error(bundled: Path) -> None:
    write_tiny_bundle(bundled / "compact")
    with pytest.raises(ModelError, match="there is no model"):
        resolve("x" * 300)


def test_an_unknown_model_lists_what_there_is(bundled: Path) -> None:
    write_tiny_bundle(bundled / "compact")
    with pytest.raises(ModelError, match="no model 'huge'; give one of compact or the folder"):
        resolve("huge")


def test_without_any_bundled_model_the_default_is_an_error(bundled: Path) -> None:
    with pytest.raises(ModelError, match="no default model is installed"):
        resolve()
