"""Colours and files of pictures."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from serenade.emotions import EMOTIONS
from serenade.errors import UsageError
from serenade.plots.counts import plot_emotions, plot_emotions_by_group
from serenade.plots.style import (
    EMOTION_COLOURS,
    LONGEST_NAME,
    emotion_colours,
    new_figure,
    save_figure,
    set_head,
    short,
    tidy,
)

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


@pytest.mark.parametrize("extension", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("words", ["c$x^$", "语料", "مرحبا", "😀 \x07", "c\ud800\udcff", "x" * 300])
def test_any_words_can_be_drawn_without_a_warning(
    tmp_path: Path, extension: str, words: str
) -> None:
    figure = plot_emotions_by_group({words: COUNTS, f"{words}/1": COUNTS}, title=words)
    set_head(figure, words)
    save_figure(figure, tmp_path / f"a{extension}")
    assert (tmp_path / f"a{extension}").stat().st_size > 1000


def test_dollars_stay_dollars_however_a_figure_is_drawn() -> None:
    figure = new_figure(width_inches=3.0, height_inches=2.0)
    axes = figure.add_subplot()
    tidy(axes, title="$x^$", x_label="cost in $ or $")
    axes.set_xticks([0, 1], ["$a_$", "$b_$"])
    figure.canvas.draw()
    texts = (axes.xaxis.label, *axes.get_xticklabels())
    assert [text.get_parse_math() for text in texts] == [False] * 3


def test_a_name_is_one_line_that_loses_its_middle_where_it_is_too_long() -> None:
    assert short("anger") == "anger"
    assert short("a\nb\t c") == "a b c"
    assert short("name\udcff") == "name\\xff"
    assert short("half\ud800") == "half\\ud800"
    assert short("0123456789", most=6) == "012…89"
    assert len(short("x" * 300 + "/s1")) == LONGEST_NAME
    assert short("x" * 300 + "/s1").endswith("x/s1")


def test_pictures_are_made_without_pyplot() -> None:
    modules = ("clip", "counts", "results", "timeline", "training", "trials")
    imports = "; ".join(f"import serenade.plots.{name}" for name in modules)
    code = f"import sys; {imports}; print('matplotlib.pyplot' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
