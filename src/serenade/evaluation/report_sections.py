"""The sections of the report that tell the result as a whole and how it was made."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from serenade.evaluation import report_figures as figures
from serenade.evaluation.evaluate import versions
from serenade.evaluation.published import published_figures
from serenade.evaluation.report_parts import counted, figure, percent, table, with_range

if TYPE_CHECKING:
    from serenade.evaluation.evaluate import Evaluation


def leak_banner(evaluation: Evaluation) -> str:
    """Say in one line whether the figures can be believed.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    setting = evaluation.setting
    css = "warn" if setting.leaks is None else "bad" if setting.leaks else "good"
    return f'<div class="banner {css}" role="note"><p>{escape(setting.leak_statement)}</p></div>'


def headline(evaluation: Evaluation) -> str:
    """Tell the most important figures.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    result = evaluation.closed
    present = [score.emotion for score in result.metrics.classes if score.support]
    chance = 1.0 / len(present)
    caution = f" The interval is {escape(result.uar.caution)}." if result.uar.caution else ""
    abstained = 1.0 - evaluation.answered_share
    adapted = ", speaker-adapted" if evaluation.setting.mode == "speaker-adapted" else ""
    facts = (
        ("accuracy", percent(result.metrics.accuracy), "share of all clips that is right"),
        ("macro F1", percent(result.metrics.macro_f1), "mean over the emotions"),
        (
            "calibration error",
            percent(result.metrics.calibration_error),
            "how far confidence is from truth",
        ),
        ("ROC AUC", _decimals(result.metrics.roc_auc), "0.5 is guessing, 1 is perfect"),
        (
            "not sure",
            percent(abstained),
            f"right when sure: {percent(evaluation.answered_accuracy)}",
        ),
    )
    cards = "".join(
        f"<div><dt>{name}</dt><dd>{value}<span>{escape(hint)}</span></dd></div>"
        for name, value, hint in facts
    )
    whole, _, rest = percent(result.uar.value).partition(".")
    return (
        f'<div class="hero"><div class="big">{whole}<small>.{rest}</small></div><div class="what">'
        f"<p><strong>Unweighted average recall (UAR){adapted}</strong>: of each emotion, the share"
        f" of its clips that the model recognised; averaged over {len(present)} emotions, so that"
        " rare ones count as much as frequent ones. Guessing gives"
        f" {percent(chance)}.</p></div></div>"
        + figure(
            figures.headline_scale(result.uar, chance=chance),
            f"95 % interval: {percent(result.uar.low)} to {percent(result.uar.high)}. So far could"
            f" the figure move with other {result.uar.unit} of the same kind.{caution}",
            fit=True,
        )
        + f'<dl class="facts">{cards}</dl>'
    )


def about(evaluation: Evaluation) -> str:
    """Tell what was measured and how to repeat it.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    setting, labelling = evaluation.setting, evaluation.labelling
    renamed = ", ".join(f"{old} → {new}" for old, new in labelling.label_map.renamed.items())
    left_out = ", ".join(f"{count} {emotion}" for emotion, count in evaluation.left_out.items())
    checksum = setting.model_checksum
    n_clips = evaluation.closed.metrics.n_clips
    clips = f"{n_clips:,} of {counted(evaluation.n_speakers, 'speaker')}"
    rows = [
        ("model", escape(setting.model)),
        ("knows", escape(", ".join(setting.model_labels))),
        ("checksum", f"<code>{checksum}</code>" if checksum else "not a bundle"),
        ("adapted", f"to the test speakers: {setting.adaptation}"),
        ("protocol", escape(setting.protocol)),
        ("clips", clips),
        ("label set", f"{escape(labelling.name)}: {escape(', '.join(labelling.labels))}"),
        ("label map", escape(labelling.label_map.name + (f" ({renamed})" if renamed else ""))),
        ("left out", escape(left_out) + " (not in the label set)" if left_out else "nothing"),
        ("failed", counted(len(evaluation.failures), "clip")),
        ("seed", f"{setting.seed}"),
        ("versions", escape(", ".join(f"{name} {v}" for name, v in versions().items()))),
    ]
    if evaluation.unknown_to_model:
        names = escape(", ".join(evaluation.unknown_to_model))
        rows.append(("cannot win", f"the model does not know {names}: such clips are all wrong"))
    rows += [("note", escape(note)) for note in setting.notes]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    command = setting.command
    repeat = f"<h3>To repeat it</h3><pre>{escape(command)}</pre>" if command else ""
    return f'<dl class="about">{listed}</dl>{repeat}'


def readings(evaluation: Evaluation) -> str:
    """Put the two readings side by side.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML.
    """
    rows = [
        [
            name,
            with_range(result.uar),
            with_range(result.accuracy),
            with_range(result.macro_f1),
            percent(result.metrics.calibration_error),
            _decimals(result.metrics.brier),
            _decimals(result.metrics.roc_auc),
        ]
        for name, result in (("closed", evaluation.closed), ("open", evaluation.open))
    ]
    return (
        "<p>A model may know emotions that these clips do not have. <strong>Closed</strong>: only"
        " the emotions of the label set can be answered, as by a model made for them; this is the"
        " reading to compare with published figures. <strong>Open</strong>: all emotions of the"
        " model can be answered, as its users see it.</p>"
    ) + table(
        "Intervals: 95 %, whole speakers resampled",
        ["reading", "UAR", "accuracy", "macro F1", "calibration error", "Brier", "ROC AUC"],
        rows,
    )


def published(evaluation: Evaluation) -> str:
    """Put the result beside published ones, where the clips are of one known corpus.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML; empty where nothing has been published.
    """
    corpora = {answer.utterance.corpus for answer in evaluation.closed.reading.answers}
    if len(corpora) != 1:
        return ""
    found = [
        known for known in published_figures(corpora.pop()) if known.mode == evaluation.setting.mode
    ]
    if not found:
        return ""
    setting, n_labels = evaluation.setting, len(evaluation.labelling.labels)
    how = f"{n_labels} emotions, {setting.protocol}"
    closed = evaluation.closed
    ours = ("this evaluation", closed.uar.value, closed.accuracy.value, "", how)
    entries = [
        (
            known.model,
            known.uar,
            known.accuracy,
            known.study,
            f"{known.labels} emotions, {known.split}",
        )
        for known in found
    ]
    leaking = {(known.model, known.study) for known in found if known.leaks}
    if setting.leaks:
        leaking.add(("this evaluation", ""))
    ranked = sorted([ours, *entries], key=lambda entry: -entry[1])
    rows = [
        [
            escape(name) + (' <span class="tag">leaks</span>' if (name, study) in leaking else ""),
            percent(uar),
            "–" if right is None else percent(right),
            escape(study),
            escape(split),
        ]
        for name, uar, right, study, split in ranked
    ]
    sources = "".join(
        f"<li>{escape(source)}</li>" for source in dict.fromkeys(known.source for known in found)
    )
    return (
        "<p>For orientation only, unless protocol and label set are the same. Figures marked"
        " <em>leaks</em> have test speakers in the training data.</p>"
        + table(
            "Published systems on this corpus",
            ["system", "UAR", "accuracy", "study", "how it was measured"],
            rows,
            text_columns=[3, 4],
            marked_rows=[ranked.index(ours)],
        )
        + f"<details><summary>Sources</summary><ul>{sources}</ul></details>"
    )


def failures(evaluation: Evaluation) -> str:
    """List the clips that got no answer.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        HTML; empty where there is none.
    """
    if not evaluation.failures:
        return ""
    rows = [
        [escape(failure.id), escape(failure.kind), escape(failure.message)]
        for failure in evaluation.failures
    ]
    return table(
        "These clips are in none of the figures above",
        ["clip", "kind", "reason"],
        rows,
        text_columns=[1, 2],
    )


def _decimals(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
