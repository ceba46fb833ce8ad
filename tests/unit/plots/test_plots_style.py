"""Colours and files of pictures."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from serenade.emotions import EMOTIONS
from serenade.errors import UsageError
from serenade.plots.counts import plot_emotions
from serenade.plots.style import EMOTION_COLOURS, emotion_colours, save_figure

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {"anger": 3, "neutral": 5}


def test_emotions_have_the_colours_of_the_web_page(repository: Path) -> None:
    page = repository / "src/serenade/serving/static/emotions.js"
    found = re.findall(r'^ {2}(\w+): \{ colour: "(#\w+)"', page.read_text("utf-8"), re.MULTILINE)
    assert dict(found) == dict(EMOTION_COLOURS)


def test_every_emotion_has_its_own_colour() -> None:
    colours = emotion_colours([*EMOTIONS, "excitement", "frustration"])
    assert len(set(colours.values())) == len(EMOTIONS) + 2


@pytest.mark.parametrize("extension", [".png", ".svg", ".pdf"])
def test_the_same_figure_gives_the_same_file(tmp_path: Path, extension: str) -> None:
    for name in ("a", "b"):
        save_figure(plot_emotions(COUNTS), tmp_path / f"{name}{extension}")
    first, second = ((tmp_path / f"{name}{extension}").read_bytes() for name in ("a", "b"))
    assert first == second
    assert len(first) > 1000


def test_an_unknown_extension_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"picture .*a\.bmp must end in one of \.png, \.svg, \.pdf"
    ):
        save_figure(plot_emotions(COUNTS), tmp_path / "a.bmp")


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        save_figure(plot_emotions(COUNTS), tmp_path / "nowhere" / "a.png")


def test_pictures_are_made_without_pyplot() -> None:
    modules = ("clip", "counts", "results", "timeline", "training", "trials")
    imports = "; ".join(f"import serenade.plots.{name}" for name in modules)
    code = f"import sys; {imports}; print('matplotlib.pyplot' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
