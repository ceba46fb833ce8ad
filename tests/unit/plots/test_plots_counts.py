"""Pictures of what a corpus holds."""

from __future__ import annotations

from itertools import pairwise
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


def test_long_names_below_columns_do_not_cover_each_other() -> None:
    new = ("disappointed_with_the_world", "a" * 40)
    counts = dict.fromkeys((*EMOTION_COLOURS, *new), 1000)
    values = {emotion: [1.0] for emotion in counts}
    for figure in (plot_emotions(counts), plot_spread(values, label="s")):
        figure.canvas.draw()
        labels: Any = figure.axes[0].get_xticklabels()
        assert {label.get_rotation() for label in labels} == {30}
        ends = [label.get_window_extent().x1 for label in labels]
        assert all(left + 10 < right for left, right in pairwise(ends))
        assert all(label.get_window_extent().x0 >= 0 for label in labels)


def test_usual_names_below_columns_are_level_and_have_room() -> None:
    figure = plot_emotions(dict.fromkeys(EMOTION_COLOURS, 1000))
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert len({box.y0 for box in boxes}) < len(boxes)


def test_groups_that_look_alike_when_shortened_stay_apart() -> None:
    names = [f"{'x' * 40}{middle}{'y' * 40}" for middle in "ab"]
    axes: Any = plot_emotions_by_group({name: {"anger": 1} for name in names}).axes[0]
    assert len({bar.get_y() for bar in axes.patches}) == 2
    assert len({label.get_text() for label in axes.get_yticklabels()}) == 1


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
