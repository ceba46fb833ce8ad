"""Pictures of what a corpus holds."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.colors import to_hex

from serenade.errors import UsageError
from serenade.plots.counts import plot_emotions, plot_emotions_by_group, plot_spread
from serenade.plots.style import EMOTION_COLOURS


def test_emotions_stand_in_their_usual_order_with_their_numbers() -> None:
    axes: Any = plot_emotions({"zeal": 2, "anger": 30, "neutral": 1200}).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["neutral", "anger", "zeal"]
    assert [bar.get_height() for bar in axes.patches] == [1200, 30, 2]
    assert [text.get_text() for text in axes.texts] == ["1,200", "30", "2"]
    assert to_hex(axes.patches[1].get_facecolor()) == EMOTION_COLOURS["anger"]


def test_the_parts_of_a_group_add_up() -> None:
    figure: Any = plot_emotions_by_group({"s1": {"anger": 3, "calm": 1}, "s2": {"anger": 5}})
    axes = figure.axes[0]
    ends: dict[float, float] = {}
    for bar in axes.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        ends[row] = max(ends.get(row, 0.0), bar.get_x() + bar.get_width())
    assert ends == {0: 4, 1: 5}
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["calm", "anger"]


def test_the_box_of_a_group_shows_its_median() -> None:
    axes: Any = plot_spread({"anger": [1.0, 2.0, 9.0], "calm": [4.0, 4.0]}, label="s").axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["calm", "anger"]
    medians = [line.get_ydata()[0] for line in axes.lines if line.get_color() == "#1d1b26"]
    assert {2.0, 4.0} <= set(medians)


def test_groups_that_are_no_emotions_keep_their_order() -> None:
    axes: Any = plot_spread({"b": [1.0], "a": [2.0]}, label="s", by_emotion=False).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["b", "a"]


def test_nothing_to_draw_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="the mapping is empty"):
        plot_emotions({})
    with pytest.raises(UsageError, match="the mapping is empty"):
        plot_emotions_by_group({})
    with pytest.raises(UsageError, match="the mapping is empty"):
        plot_spread({}, label="s")
