"""Run the notebooks from a clean kernel and keep their outputs, without the audio of corpora.

    SERENADE_DATA=../shared/data python tools/run_notebooks.py

The notebooks are their own source: edit them, then run this. The path may be relative to where you
are: the kernels, which run in ``notebooks``, are given an absolute one. A cell with the tag
``corpus-audio`` plays recordings that may not be passed on; what it shows is replaced by a
sentence.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
DATA_VARIABLE = "SERENADE_DATA"
AUDIO_TAG = "corpus-audio"
NO_AUDIO = (
    "The player is left out here: this recording may not be passed on. Run the cell to listen."
)
TIMEOUT_SECONDS = 1200


def run(path: Path) -> Any:  # noqa: ANN401 - a notebook of nbformat, which has no type stubs
    """Run a notebook in its folder.

    Parameters
    ----------
    path : Path
        Of the notebook; not changed.

    Returns
    -------
    NotebookNode
        With the outputs of this run.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # no stubs
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env=kernel_environment())
    return notebook


def kernel_environment() -> dict[str, str]:
    """Give the environment of a kernel: this one, with an absolute path to the recordings.

    Returns
    -------
    dict of str to str
        Of all variables.
    """
    environment = dict(os.environ)
    if DATA_VARIABLE in environment:
        environment[DATA_VARIABLE] = str(Path(environment[DATA_VARIABLE]).absolute())
    return environment


def without_audio(notebook: Any) -> None:  # noqa: ANN401 - as above
    """Take the audio of corpora and all that differs from run to run out of a notebook.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    """
    for cell in notebook.cells:
        if AUDIO_TAG in cell.metadata.get("tags", ()):
            said = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": NO_AUDIO}}
            cell.outputs = [nbformat.from_dict(said)]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def main() -> None:
    """Run the notebooks that are named, or all."""
    names = sys.argv[1:] or sorted(path.name for path in FOLDER.glob("*.ipynb"))
    for name in names:
        notebook = run(FOLDER / name)
        without_audio(notebook)
        nbformat.write(notebook, FOLDER / name)  # type: ignore[no-untyped-call]  # no stubs


if __name__ == "__main__":
    main()
