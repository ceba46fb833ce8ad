"""Pictures of an evaluation and of a timeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from serenade.errors import UsageError
from serenade.inference.timeline import HopPrediction, Segment, Timeline
from serenade.plots.results import plot_confusion, plot_scores
from serenade.plots.timeline import plot_timeline
from serenade.types import Prediction


def test_the_cells_of_a_confusion_matrix_hold_share_and_number() -> None:
    counts = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    axes: Any = plot_confusion(["neutral", "anger", "fear"], counts).axes[0]
    cells = [text.get_text() for text in axes.texts]
    assert cells[:6] == ["75 %", "3", "25 %", "1", "0 %", "0"]
    assert cells[-6:] == ["–", "0"] * 3
    np.testing.assert_allclose(axes.images[0].get_array()[0], [0.75, 0.25, 0.0])


def test_long_labels_leave_room_for_the_cells() -> None:
    labels = ["neutral", "语" * 40, "a" * 40]
    figure: Any = plot_confusion(labels, np.eye(3, dtype=np.int64))
    figure.canvas.draw()  # warns where the axes have no room
    assert figure.axes[0].get_window_extent().width > 50


def test_a_matrix_that_does_not_fit_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match=r"of 2 labels must be 2 x 2, got \(3, 3\)"):
        plot_confusion(["a", "b"], np.zeros((3, 3), np.int64))


def test_scores_rise_from_the_foot_with_the_lines_of_all_and_of_guessing() -> None:
    scores = {"s1": (0.8, 0.7, 0.9), "s2": (0.4, 0.3, 0.5)}
    figure: Any = plot_scores(scores, overall=0.6, chance=0.25)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["s2", "s1"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["all clips: 60.0 %", "guessing: 25.0 %"]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [30, 50])


def _prediction(emotion: str, *, abstained: bool = False) -> Prediction:
    chances = {"neutral": 0.2, "anger": 0.2} | {emotion: 0.8}
    return Prediction(emotion, 0.8, chances, abstained, None, 1.0, "toy 1")


def test_a_timeline_shows_its_segments_and_adds_up_to_a_hundred_percent() -> None:
    angry, unsure = _prediction("anger"), _prediction("neutral", abstained=True)
    timeline = Timeline(
        model="toy 1",
        labels=("neutral", "anger"),
        duration_seconds=3.0,
        segments=(
            Segment(0.0, 1.0, True, angry),
            Segment(1.0, 2.0, False, None),
            Segment(2.0, 3.0, True, unsure),
        ),
        hops=(
            HopPrediction(0.0, 1.0, True, angry),
            HopPrediction(1.0, 2.0, False, None),
            HopPrediction(2.0, 3.0, True, unsure),
        ),
    )
    figure: Any = plot_timeline(timeline)
    band, stack = figure.axes
    assert [text.get_text() for text in band.texts] == ["anger", "neutral"]
    assert [c.get_hatch() for c in band.collections] == ["", "", "////"]
    top = stack.patches[-1].get_data().values
    np.testing.assert_allclose(top, [100, 0, 100])


def test_an_empty_timeline_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="the timeline has no segment"):
        plot_timeline(Timeline("toy 1", ("neutral", "anger"), 0.0, (), ()))
