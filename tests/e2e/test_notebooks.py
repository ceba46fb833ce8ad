"""The notebooks run from a clean kernel; they store no audio of corpora and no machine's paths."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from serenade.model.bundle import open_bundle
from serenade.model.store import resolve

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("01_explore", "02_train", "03_evaluate")
LARGEST_BYTES = 1_000_000
AUDIO_TAG = "corpus-audio"


def _cells(repository: Path, name: str) -> list[dict[str, Any]]:
    text = (repository / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
    cells: list[dict[str, Any]] = json.loads(text)["cells"]
    return cells


def _outputs(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output for cell in cells for output in cell.get("outputs", ())]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stored_in_order_and_small(repository: Path, name: str) -> None:
    cells = _cells(repository, name)
    numbers = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert numbers == list(range(1, len(numbers) + 1)), "run tools/run_notebooks.py"
    outputs = _outputs(cells)
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    assert (repository / "notebooks" / f"{name}.ipynb").stat().st_size < LARGEST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_no_audio_of_a_corpus_is_stored(repository: Path, name: str) -> None:
    for cell in _cells(repository, name):
        stored = json.dumps(cell.get("outputs", []))
        if AUDIO_TAG in cell["metadata"].get("tags", ()):
            assert "The player is left out here" in stored
        if "<audio" in stored or "data:audio" in stored:
            source = "".join(cell["source"])
            assert "Audio(filename=" in source
            assert AUDIO_TAG not in cell["metadata"].get("tags", ())
            assert re.search(r"SAMPLES|sample\b", source), "only the synthetic samples may be kept"


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine_is_stored(repository: Path, name: str) -> None:
    for output in _outputs(_cells(repository, name)):
        told = output.get("text", []) + output.get("data", {}).get("text/plain", [])
        assert not re.search(r"(?<![\w.])(?:/\w+/|[A-Z]:\\)", "".join(told)), told


def test_the_evaluation_is_of_the_model_that_is_shipped(repository: Path) -> None:
    told = json.dumps(_outputs(_cells(repository, "03_evaluate")))
    assert f"{open_bundle(resolve('compact')).spec.model_id} knows" in told, "run it again"


def test_the_tool_takes_a_relative_path_to_the_recordings(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nbclient", reason='needs nbclient: pip install "serenade[notebooks]"')
    monkeypatch.syspath_prepend(repository / "tools")
    kernel_environment = importlib.import_module("run_notebooks").kernel_environment
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERENADE_DATA", "data")
    assert kernel_environment()["SERENADE_DATA"] == str(tmp_path / "data")
    monkeypatch.delenv("SERENADE_DATA")
    assert "SERENADE_DATA" not in kernel_environment()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_a_clean_kernel(
    repository: Path,
    shared_data: Path,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("ipykernel", "nbclient"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'needs {module}: pip install "serenade[notebooks]"')
    import nbformat
    from nbclient import NotebookClient

    shutil.copytree(repository / "samples", tmp_path / "samples")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setenv("SERENADE_DATA", str(shared_data))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(repository / "notebooks" / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]  # no stubs
    kinds = [[output.output_type for output in c.get("outputs", ())] for c in notebook.cells]
    NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    for cell, stored in zip(notebook.cells, kinds, strict=True):
        if AUDIO_TAG in cell.metadata.get("tags", ()):
            html = [output.data.get("text/html", "") for output in cell.outputs if "data" in output]
            assert any("<audio" in part for part in html), "the players must work when run"
        else:
            assert bool(cell.get("outputs")) == bool(stored), cell.source
