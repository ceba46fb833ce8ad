"""The report of an evaluation: one HTML page that needs nothing beside itself."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from serenade.errors import EvaluationError
from serenade.evaluation import report_figures as figures
from serenade.evaluation import report_groups as groups
from serenade.evaluation import report_sections as sections
from serenade.evaluation.report_clips import (
    audio_uri,
    read_clip,
    spectrogram_uri,
    worst_clips,
)
from serenade.evaluation.report_page import render_page
from serenade.evaluation.report_parts import counted, figure, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serenade.evaluation.evaluate import Evaluation
    from serenade.evaluation.report_clips import WorstClip

WORST_CLIPS = 12
"""Number of clips that are shown."""


def write_report(
    evaluation: Evaluation,
    path: Path,
    *,
    root: Path | None = None,
    epochs: Sequence[Mapping[str, Any]] = (),
    audio: bool = True,
) -> None:
    """Write an evaluation as one HTML page.

    Parameters
    ----------
    evaluation : Evaluation
        The results.
    path : Path
        File to write.
    root : Path, optional
        Folder that relative paths of utterances start from.
    epochs : sequence of mapping
        From :func:`read_epochs`, for the training curves.
    audio : bool
        Put the worst clips into the page, to be heard and seen. Leave them out where the
        licence of the recordings forbids to pass them on.

    Raises
    ------
    EvaluationError
        If the page cannot be written.
    """
    page = render_report(evaluation, root=root, epochs=epochs, audio=audio)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{path}: the report cannot be written ({error.strerror})") from error


def render_report(
    evaluation: Evaluation,
    *,
    root: Path | None = None,
    epochs: Sequence[Mapping[str, Any]] = (),
    audio: bool = True,
) -> str:
    """Build the page.

    Parameters
    ----------
    evaluation, root, epochs, audio
        As in :func:`write_report`.

    Returns
    -------
    str
        HTML document.
    """
    chosen = worst_clips(evaluation.closed.reading, count=WORST_CLIPS)
    parts = [
        ("result", "Result", sections.headline(evaluation)),
        ("about", "What was measured", sections.about(evaluation)),
        ("confusions", "What is taken for what", groups.confusions(evaluation)),
        ("trust", "Can its confidence be believed?", groups.trust(evaluation)),
        ("speakers", "Speakers", groups.speakers(evaluation)),
        ("groups", "By kind of clip", groups.breakdowns(evaluation)),
        ("fairness", "Fairness", groups.fairness(evaluation)),
        ("stress", "Bad recordings", groups.stress(evaluation)),
        ("worst", "Confident and wrong", _worst(chosen, root=root, audio=audio)),
        ("emotions", "Emotions", groups.emotions(evaluation)),
        ("readings", "Closed and open", sections.readings(evaluation)),
        ("published", "Beside published results", sections.published(evaluation)),
        ("training", "Training", _training(epochs)),
        ("failures", "Clips that failed", sections.failures(evaluation)),
    ]
    setting = evaluation.setting
    corpora = sorted({a.utterance.corpus for a in evaluation.closed.reading.answers})
    n_clips, n_speakers = evaluation.closed.metrics.n_clips, evaluation.n_speakers
    clips = f"{counted(n_clips, 'clip')} of {counted(n_speakers, 'speaker')}"
    return render_page(
        parts,
        title=f"How well does {setting.model} hear emotion?",
        lead=f"Measured on {clips} from {', '.join(corpora)}; {setting.protocol}.",
        banner=sections.leak_banner(evaluation),
        remark=(
            "Acted emotions are easier than real ones: do not take these figures for what happens"
            " in everyday speech, and do not use emotion recognition to judge people."
        ),
    )


def read_epochs(run_folder: Path) -> list[dict[str, Any]]:
    """Read how a training run went.

    Parameters
    ----------
    run_folder : Path
        Of the run.

    Returns
    -------
    list of dict
        One per epoch, with ``epoch`` and ``train_`` and ``validation_`` figures.

    Raises
    ------
    EvaluationError
        If there is no readable ``metrics.jsonl``.
    """
    path = run_folder / "metrics.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        epochs = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"{path}: the metrics of the run cannot be read; give the folder of a training run"
        ) from error
    if not all(isinstance(epoch, dict) and "epoch" in epoch for epoch in epochs):
        raise EvaluationError(f"{path}: a line without an epoch; give the folder of a training run")
    return epochs


def _training(epochs: Sequence[Mapping[str, Any]]) -> str:
    leak = " (validation leaks)" if any(epoch.get("leaking") for epoch in epochs) else ""
    drawn = [
        figure(
            figures.training_curves(epochs, figure=name, title=title, share=share),
            title + leak,
            fit=True,
        )
        for name, title, share in (("loss", "Loss", False), ("uar", "UAR", True))
        if any(f"{part}_{name}" in epoch for epoch in epochs for part in ("train", "validation"))
    ]
    return f'<div class="pair">{"".join(drawn)}</div>' if drawn else ""


def _worst(chosen: Sequence[WorstClip], *, root: Path | None, audio: bool) -> str:
    if not chosen:
        return ""
    cards = "".join(_card(clip, root=root, audio=audio) for clip in chosen)
    return (
        "<p>The errors of which the model was most certain. Listen: is the label right, is the"
        " recording bad, or did the model miss what you hear?</p>"
        f'<ul class="clips">{cards}</ul>'
    )


def _card(clip: WorstClip, *, root: Path | None, audio: bool) -> str:
    utterance = clip.utterance
    media = player = ""
    waveform = read_clip(utterance, root) if audio else None
    if waveform is not None:
        name = escape(f"Spectrogram of {utterance.id}, {waveform.duration_seconds:.1f} seconds")
        media = f'<img src="{spectrogram_uri(waveform)}" alt="{name}">'
        player = f'<audio controls preload="none" src="{audio_uri(waveform)}"></audio>'
    who = " · ".join(
        escape(word)
        for word in (utterance.id, utterance.speaker_key, utterance.intensity)
        if word is not None
    )
    return (
        f'<li>{media}<div class="said"><p>said <strong>{escape(clip.answer)}</strong>'
        f" ({percent(clip.confidence)}), is <strong>{escape(clip.truth)}</strong>"
        f' ({percent(clip.truth_probability)})</p><div class="who">{who}</div>{player}</div></li>'
    )
