"""The sections of the report that look closer: emotions, speakers, groups and conditions."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from serenade.evaluation import report_figures as figures
from serenade.evaluation.calibration import coverage_curve
from serenade.evaluation.report_parts import figure, percent, points, signed, table, with_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.evaluation.breakdown import Group
    from serenade.evaluation.evaluate import Evaluation


def confusions(evaluation: Evaluation) -> str:
    """Show what is taken for what, and precision and recall of each emotion.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    metrics = evaluation.closed.metrics
    counts = [
        [escape(label), *(str(n) for n in row)]
        for label, row in zip(metrics.labels, metrics.confusion, strict=True)
    ]
    scores = [
        [
            escape(score.emotion),
            percent(score.recall),
            percent(score.precision),
            percent(score.f1),
            str(score.support),
        ]
        for score in metrics.classes
    ]
    return (
        figure(
            figures.confusion(metrics.labels, metrics.confusion),
            "A row holds the clips of one emotion: how large a share was taken for what, and how"
            " many clips that is. Right answers lie on the diagonal.",
        )
        + "<details><summary>The same as a table of counts</summary>"
        + table(
            "Clips by true emotion (row) and answer (column)",
            ["true emotion", *metrics.labels],
            counts,
        )
        + "</details>"
        + table(
            "Each emotion against the others",
            ["emotion", "recall", "precision", "F1", "clips"],
            scores,
        )
    )


def speakers(evaluation: Evaluation) -> str:
    """Show how each speaker is served.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML; empty where no speaker is known.
    """
    groups = evaluation.breakdown.get("speaker", ())
    if not groups:
        return ""
    return (
        figure(
            figures.speaker_columns(groups, overall=evaluation.closed.uar.value),
            "One column per speaker. The dashed line is the result over all clips.",
        )
        + "<details><summary>The same as a table</summary>"
        + _group_table("UAR and accuracy by speaker", groups)
        + "</details>"
    )


def trust(evaluation: Evaluation) -> str:
    """Show whether the confidence can be believed.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    reading, metrics = evaluation.closed.reading, evaluation.closed.metrics
    curve = coverage_curve(reading.true, reading.probabilities)
    return (
        '<div class="pair">'
        + figure(
            figures.calibration(metrics.calibration),
            "Above the dashed line the model is better than it says, below it is too sure of"
            " itself. The grey columns are the share of clips at each confidence.",
            fit=True,
        )
        + figure(
            figures.coverage(curve),
            "If only the most confident clips get an answer and the model says “not sure” to the"
            " rest: how often is it right?",
            fit=True,
        )
        + "</div>"
    )


def breakdowns(evaluation: Evaluation) -> str:
    """Tell the results by corpus, sex, language and so on.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML; empty where there is but one group of each kind.
    """
    tables = [
        _group_table(f"By {dimension}", groups)
        for dimension, groups in evaluation.breakdown.items()
        if dimension not in ("speaker", "emotion") and len(groups) > 1
    ]
    if not tables:
        return ""
    return (
        "<p>UAR of two groups can be compared only if they have the same emotions.</p>"
        + "".join(tables)
        + '<p class="note">* few speakers or none known: the interval is rough or too narrow.</p>'
    )


def emotions(evaluation: Evaluation) -> str:
    """Show how many clips have each emotion.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    metrics = evaluation.closed.metrics
    return figure(
        figures.distribution(metrics.labels, metrics.confusion),
        "An emotion that is given more often than it occurs is one that the model falls back on.",
    )


def stress(evaluation: Evaluation) -> str:
    """Show the results on degraded clips.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML; empty where that was not measured.
    """
    results = evaluation.stress
    if not results:
        return ""
    rows = [
        [
            escape(result.name),
            with_range(result.uar),
            "" if result.family == "clean" else points(result.drop),
            percent(result.accuracy.value),
            str(result.n_refused) if result.n_refused else "",
        ]
        for result in results
    ]
    return (
        f"<p>{results[0].n_clips} clips, each degraded in every way. Dots in the warm colour are"
        " worse than the clean clips by more than chance; the dashed line is the clean"
        " result. A clip that the model refuses counts as wrong.</p>"
        + figure(figures.stress_dots(results), "UAR by condition, with 95 % intervals.")
        + table(
            "Change: percentage points of UAR against the clean clips, in pairs",
            ["condition", "UAR", "change", "accuracy", "refused"],
            rows,
        )
    )


def fairness(evaluation: Evaluation) -> str:
    """Show whether some people are served worse than others.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML; empty where that was not measured.
    """
    if not evaluation.fairness:
        return ""
    parts = [
        (
            "<p>Groups are compared on the emotions that all of them have. A confident error is a"
            " wrong answer with a confidence of 80 % or more.</p>"
        )
    ]
    for dimension in evaluation.fairness:
        rows = [
            [
                escape(member.group.name),
                with_range(member.group.uar),
                figures.whisker(member.group.uar),
                percent(member.confident_error_share),
                str(member.group.n_clips),
                str(member.group.n_speakers),
            ]
            for member in dimension.groups
        ]
        many = len(rows) > 12
        listed = table(
            f"By {dimension.name}, on {', '.join(dimension.emotions)}",
            [dimension.name, "UAR", "", "confident errors", "clips", "speakers"],
            rows,
        )
        gap = 100 * dimension.gap.value
        low, high = signed(100 * dimension.gap.low), signed(100 * dimension.gap.high)
        chance = " Best and worst of many differ by chance alone as well." if many else ""
        words = (
            f"<p>Between {escape(dimension.best)} and {escape(dimension.worst)}:"
            f" <strong>{gap:.1f}</strong> percentage points of UAR ({low} to {high}).{chance}</p>"
        )
        shown = f"<details><summary>All groups</summary>{listed}</details>" if many else listed
        parts.append(f"<h3>{dimension.name.capitalize()}</h3>{words}{shown}")
    return "".join(parts)


def _group_table(caption: str, groups: Sequence[Group]) -> str:
    rows = [
        [
            escape(group.name),
            with_range(group.uar),
            figures.whisker(group.uar),
            percent(group.accuracy.value),
            str(group.n_emotions),
            f"{group.n_clips:,}",
            str(group.n_speakers),
        ]
        for group in groups
    ]
    return table(caption, ["", "UAR", "", "accuracy", "emotions", "clips", "speakers"], rows)
