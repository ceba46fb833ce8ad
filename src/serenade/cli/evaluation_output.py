"""How the results of evaluations and comparisons are printed."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from serenade.cli.outputs import Format, open_output
from serenade.cli.tables import table_lines

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.evaluation.bootstrap import Interval
    from serenade.evaluation.compare import Comparison
    from serenade.evaluation.evaluate import Evaluation, Setting


class ResultFormat(StrEnum):
    """How a result is written."""

    TEXT = "text"
    JSON = "json"


def write_result(text: str, path: Path | None, form: ResultFormat) -> None:
    """Write a result to a file or to standard output.

    Parameters
    ----------
    text : str
        The result, with a line break at its end.
    path : Path or None
        The file, or ``None`` for standard output.
    form : ResultFormat
        What the text is.
    """
    with open_output(path, Format(form.value), append=False) as file:
        file.write(text)


def to_json_text(content: dict[str, Any]) -> str:
    """Give a result as JSON for people and programs.

    Parameters
    ----------
    content : dict
        JSON types.

    Returns
    -------
    str
        With a line break at its end.
    """
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def evaluation_text(evaluation: Evaluation) -> str:
    """Give an evaluation as text.

    Parameters
    ----------
    evaluation : Evaluation
        The results.

    Returns
    -------
    str
        Several tables.
    """
    setting = evaluation.setting
    clips = f"{evaluation.closed.metrics.n_clips} clips of {evaluation.n_speakers} speakers"
    lines = [
        f"{setting.model} on {clips}: {setting.protocol}",
        setting.leak_statement,
        f"{_mode(setting)}; adaptation to the test speakers: {setting.adaptation}",
        *setting.notes,
        f"labels: {', '.join(evaluation.labelling.labels)} ({evaluation.labelling.label_map.name})",
    ]
    if evaluation.left_out:
        counts = ", ".join(f"{count} {name}" for name, count in evaluation.left_out.items())
        lines.append(f"left out, as not in the labels: {counts}")
    if evaluation.unknown_to_model:
        lines.append(f"the model does not know {', '.join(evaluation.unknown_to_model)}")
    if evaluation.failures:
        lines.append(f"{len(evaluation.failures)} clips failed and are in no figure:")
        lines += [f"  {failure.id}: {failure.message}" for failure in evaluation.failures]
    lines.append("")
    lines += table_lines(
        ["reading", "UAR", "", "accuracy", "", "macro F1", "", "ECE", "Brier"],
        (
            [
                name,
                *_figure(result.uar),
                *_figure(result.accuracy),
                *_figure(result.macro_f1),
                f"{result.metrics.calibration_error:.3f}",
                f"{result.metrics.brier:.3f}",
            ]
            for name, result in (("closed", evaluation.closed), ("open", evaluation.open))
        ),
    )
    lines += ["", *_class_lines(evaluation)]
    for dimension, groups in evaluation.breakdown.items():
        if dimension in ("emotion", "speaker") or len(groups) < 2:
            continue
        rows = ([g.name, *_figure(g.uar), str(g.n_clips), str(g.n_speakers)] for g in groups)
        lines += ["", *table_lines([f"by {dimension}", "UAR", "", "clips", "speakers"], rows)]
    for fairness in evaluation.fairness:
        value, interval = _figure(fairness.gap)
        groups_apart = f"{fairness.best} and {fairness.worst}"
        lines += ["", f"UAR gap by {fairness.name}: {value} {interval} between {groups_apart}"]
    if evaluation.stress:
        rows = (
            [r.name, *_figure(r.uar), f"{100 * r.drop.value:+.1f}", str(r.n_refused)]
            for r in evaluation.stress
        )
        lines += ["", *table_lines(["condition", "UAR", "", "change", "refused"], rows)]
    if any(")*" in line for line in lines):
        lines += ["", "* rough interval: few speakers, or clips resampled as none are known"]
    return "\n".join(lines) + "\n"


def comparison_text(comparison: Comparison) -> str:
    """Give a comparison as text.

    Parameters
    ----------
    comparison : Comparison
        The results.

    Returns
    -------
    str
        One table.
    """
    lines = [
        f"A: {comparison.setting_a.model}",
        f"B: {comparison.setting_b.model}",
        *_leak_statements(comparison.setting_a, comparison.setting_b),
        f"labels: {', '.join(comparison.labelling.labels)} ({comparison.labelling.label_map.name})",
    ]
    if comparison.n_left_out:
        lines.append(f"{comparison.n_left_out} clips left out, as not both models could judge them")
    rows = (
        [
            d.reading,
            d.group,
            d.figure,
            f"{100 * d.a.value:.1f}",
            f"{100 * d.b.value:.1f}",
            f"{100 * d.difference.value:+.1f}",
            f"({100 * d.difference.low:+.1f} to {100 * d.difference.high:+.1f})",
            str(d.n_clips),
            d.verdict,
        ]
        for d in comparison.differences
    )
    head = ["reading", "group", "figure", "A %", "B %", "B - A", "95 % interval", "clips", ""]
    return "\n".join([*lines, "", *table_lines(head, rows)]) + "\n"


def _leak_statements(a: Setting, b: Setting) -> list[str]:
    if a.leak_statement == b.leak_statement:
        return [a.leak_statement]
    return [f"A: {a.leak_statement}", f"B: {b.leak_statement}"]


def _mode(setting: Setting) -> str:
    """Name the mode; strangers whom the model was trained on are none."""
    strangers = setting.mode == "speaker-independent"
    return f"not {setting.mode}" if strangers and setting.leaks else setting.mode


def _class_lines(evaluation: Evaluation) -> list[str]:
    return table_lines(
        ["emotion", "recall", "precision", "F1", "clips"],
        (
            [
                score.emotion,
                *(
                    "-" if value is None else f"{100 * value:.1f} %"
                    for value in (score.recall, score.precision, score.f1)
                ),
                str(score.support),
            ]
            for score in evaluation.closed.metrics.classes
        ),
    )


def _figure(figure: Interval) -> tuple[str, str]:
    mark = "*" if figure.caution else ""
    return (
        f"{100 * figure.value:.1f} %",
        f"({100 * figure.low:.1f} to {100 * figure.high:.1f}){mark}",
    )
