"""The wheel: it carries the models and predicts with the base install alone."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MAX_WHEEL_BYTES = 55_000_000


def _run(*command: str | Path) -> str:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=600
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, repository)
    return next(folder.glob("serenade-*.whl"))


def test_the_wheel_holds_every_bundled_model_whole(wheel: Path, repository: Path) -> None:
    bundled = repository / "src" / "serenade" / "model" / "bundled"
    expected = {
        f"serenade/model/bundled/{path.relative_to(bundled).as_posix()}"
        for path in bundled.rglob("*")
        if path.is_file()
    }
    assert any(name.endswith("model.onnx") for name in expected)
    assert expected <= set(zipfile.ZipFile(wheel).namelist())
    assert wheel.stat().st_size <= MAX_WHEEL_BYTES


def test_the_wheel_predicts_with_the_base_install_alone(
    wheel: Path, repository: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    binaries = tmp_path / "env" / "bin"
    _run(binaries / "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    sample = repository / "samples" / "loud_voice.flac"
    prediction = json.loads(_run(binaries / "serenade", "predict", sample, "--format", "json"))
    assert prediction["emotion"] in prediction["probabilities"]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)
    installed = _run(binaries / "pip", "list", "--format", "freeze").lower()
    for heavy in ("torch", "scipy", "scikit-learn", "pandas", "librosa", "matplotlib"):
        assert f"{heavy}==" not in installed
    _run(binaries / "serenade", "doctor")
