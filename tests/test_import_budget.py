"""What is loaded, seen in a fresh interpreter, since others may import what we do not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import soundfile
from tests.tiny_bundle import tone, write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path

WORKBENCH = {
    *("torch", "scipy", "sklearn", "pandas", "librosa", "numba", "onnx", "transformers"),
    *("matplotlib", "rich", "jsonschema"),
    *("serenade.corpora", "serenade.evaluation", "serenade.training"),
}


def _loaded_after(code: str) -> set[str]:
    script = f"import json, sys\n{code}\njson.dump(sorted(sys.modules), sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stderr))


def _command(*arguments: str) -> str:
    return (
        f"sys.argv = {['serenade', *arguments]!r}\n"
        "from serenade.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit as exit_:\n    assert not exit_.code"
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.wav"
    soundfile.write(path, tone(3000.0, seconds=1.0), 16000)
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


def test_importing_the_package_loads_nothing() -> None:
    loaded = _loaded_after("import serenade")
    assert {name for name in loaded if name.startswith("serenade")} == {"serenade"}
    assert "numpy" not in loaded


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_loads_no_command(arguments: tuple[str, ...]) -> None:
    loaded = _loaded_after(_command(*arguments))
    assert not loaded & {"numpy", "onnxruntime", "soundfile", "soxr", "rich"}
    assert {name for name in loaded if name.startswith("serenade.")} == {
        "serenade.cli",
        "serenade.cli.app",
        "serenade.cli.main",
        "serenade.cli.messages",
        "serenade.errors",
    }


def test_predict_help_loads_no_model_and_no_audio() -> None:
    loaded = _loaded_after(_command("predict", "--help"))
    assert not loaded & {"numpy", "onnxruntime", "soundfile", "soxr", "rich"}


def test_predicting_loads_nothing_of_the_workbench(bundle: Path, clip: Path) -> None:
    arguments = ("predict", "--model", str(bundle), str(clip), "--format", "json")
    loaded = _loaded_after(_command(*arguments))
    assert "onnxruntime" in loaded
    assert not loaded & WORKBENCH


def test_predicting_a_file_loads_only_what_it_needs(bundle: Path, clip: Path) -> None:
    arguments = ("predict", "--model", str(bundle), str(clip), "--format", "json")
    loaded = _loaded_after(_command(*arguments))
    assert not loaded & {"multiprocessing.context", "serenade.features", "serenade.cli.resume"}
    assert "numpy.ma" not in loaded  # some functions of numpy import it when they are called
