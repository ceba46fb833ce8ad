"""An evaluation: what was measured, how, and all that came out of it."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import serenade
from serenade.errors import EvaluationError, ModelError
from serenade.evaluation.breakdown import break_down
from serenade.evaluation.judge import judge
from serenade.evaluation.reading_result import measure_reading
from serenade.evaluation.readings import closed_reading, left_out, open_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.adapted import ReferenceChoice
    from serenade.evaluation.breakdown import Group
    from serenade.evaluation.fairness import FairnessDimension
    from serenade.evaluation.judge import Failure, Judge, Judgement
    from serenade.evaluation.reading_result import ReadingResult
    from serenade.evaluation.readings import Labelling
    from serenade.evaluation.robustness import ConditionResult

RESULT_SCHEMA_VERSION = 1
"""Version of the JSON that describes one evaluation."""

MODES = ("speaker-independent", "speaker-adapted")
"""Whether the model saw unlabelled speech of the test speaker before it was judged.

The mode says nothing on whether the speaker was in the training data: :attr:`Setting.leaks` does.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """Under which conditions something was measured: all that is needed to repeat it.

    Parameters
    ----------
    model : str
        Name and version of the model.
    model_labels : tuple of str
        Its emotions.
    model_checksum : str or None
        SHA-256 over the bundle's checksums; ``None`` for a model that is not a bundle.
    protocol : str
        How the clips were chosen, for example ``"emobox, fold 1"`` or ``"whole manifest"``.
    leaks : tuple of str or None
        What the clips share with the model's training data, one clause each; empty where they
        were proven to share nothing, ``None`` where the training data is not known.
    mode : str
        One of :data:`MODES`.
    seed : int
        Of the resampling and the degradations.
    command : str or None
        Command line to repeat the evaluation.
    notes : tuple of str
        What else a reader must know, such as clips of a fold that are not at hand.
    """

    model: str
    model_labels: tuple[str, ...]
    model_checksum: str | None = None
    protocol: str = "whole manifest"
    leaks: tuple[str, ...] | None = None
    mode: str = "speaker-independent"
    seed: int = 0
    command: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise EvaluationError(f"mode {self.mode!r} must be one of {', '.join(MODES)}")

    @property
    def adaptation(self) -> str:
        """The mode in words that claim nothing about leaks."""
        if self.mode == "speaker-adapted":
            return "yes, with their speech, without its labels"
        return "none"

    @property
    def leak_statement(self) -> str:
        """One sentence on whether the figures can be believed."""
        if self.leaks is None:
            return (
                "Not known whether the model was trained on these speakers: give the training"
                " manifest to have it checked."
            )
        if self.leaks:
            return f"THIS SPLIT LEAKS, so the figures are too good: {'; '.join(self.leaks)}."
        return "Training and test data share no speaker and no utterance (checked)."

    def to_json(self) -> dict[str, Any]:
        """Give the setting as JSON types.

        Returns
        -------
        dict
            With the versions of Serenade, Python and the libraries.
        """
        return {
            **versions(),
            "model": self.model,
            "model_labels": list(self.model_labels),
            "model_checksum": self.model_checksum,
            "protocol": self.protocol,
            "leaks": None if self.leaks is None else list(self.leaks),
            "leak_statement": self.leak_statement,
            "mode": self.mode,
            "seed": self.seed,
            "command": self.command,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything that is known about a model on a set of clips.

    Parameters
    ----------
    setting : Setting
        How it was measured.
    labelling : Labelling
        Which emotions were told apart.
    closed, open : ReadingResult
        The two readings; the closed one is the headline.
    breakdown : mapping of str to tuple of Group
        The closed reading by dimension.
    failures : tuple of Failure
        Clips that the model could not judge.
    left_out : mapping of str to int
        Clips whose emotion is outside the labelling, by emotion.
    n_speakers : int
        Known speakers among the clips measured.
    answered_share : float
        Share of the clips for which the model did not abstain.
    answered_accuracy : float or None
        Accuracy on those, with all emotions of the model; ``None`` if it always abstained.
    stress : tuple of ConditionResult
        Results on degraded clips, if that was measured.
    fairness : tuple of FairnessDimension
        Results by group of people, if that was measured.
    """

    setting: Setting
    labelling: Labelling
    closed: ReadingResult
    open: ReadingResult
    breakdown: Mapping[str, tuple[Group, ...]]
    failures: tuple[Failure, ...]
    left_out: Mapping[str, int]
    n_speakers: int
    answered_share: float
    answered_accuracy: float | None
    stress: tuple[ConditionResult, ...] = ()
    fairness: tuple[FairnessDimension, ...] = ()

    @property
    def unknown_to_model(self) -> tuple[str, ...]:
        """Emotions of the clips that the model cannot answer, so that they can only be wrong."""
        answerable = {self.labelling.label_map.apply(name) for name in self.setting.model_labels}
        present = [score.emotion for score in self.closed.metrics.classes if score.support]
        return tuple(emotion for emotion in present if emotion not in answerable)

    def to_json(self) -> dict[str, Any]:
        """Give the evaluation as JSON types.

        Returns
        -------
        dict
            The content of a result file.
        """
        return {
            "schema": RESULT_SCHEMA_VERSION,
            "kind": "evaluation",
            "setting": self.setting.to_json(),
            "labelling": self.labelling.to_json(),
            "clips": self.closed.metrics.n_clips,
            "speakers": self.n_speakers,
            "left_out": dict(self.left_out),
            "unknown_to_model": list(self.unknown_to_model),
            "failed": len(self.failures),
            "failures": [failure.to_json() for failure in self.failures],
            "headline": {"reading": "closed", "uar": self.closed.uar.to_json()},
            "readings": {"closed": self.closed.to_json(), "open": self.open.to_json()},
            "answered": {"share": self.answered_share, "accuracy": self.answered_accuracy},
            "breakdown": {
                dimension: [group.to_json() for group in groups]
                for dimension, groups in self.breakdown.items()
            },
            "stress": [result.to_json() for result in self.stress],
            "fairness": [dimension.to_json() for dimension in self.fairness],
        }


def versions() -> dict[str, str]:
    """Give the versions of what computed the figures.

    Returns
    -------
    dict
        By name: Serenade, Python and the libraries that the model runs on.
    """
    python = ".".join(str(part) for part in sys.version_info[:3])
    libraries = {name: metadata.version(name) for name in ("numpy", "onnxruntime", "soxr")}
    return {"serenade": serenade.__version__, "python": python, **libraries}


def evaluate(
    recognizer: Judge,
    utterances: Sequence[Utterance],
    *,
    labelling: Labelling,
    setting: Setting,
    root: Path | None = None,
    workers: int = 1,
    predictions_file: Path | None = None,
    adapted_by: ReferenceChoice | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Judge utterances with a recogniser and measure how well it did.

    Parameters
    ----------
    recognizer : Judge
        The model.
    utterances : sequence of Utterance
        What to judge.
    labelling : Labelling
        Which emotions to tell apart; see :func:`serenade.evaluation.readings.choose_labelling`.
        Utterances with other emotions are not judged, but counted.
    setting : Setting
        What the result says of how it was made; its seed draws the intervals.
    root, workers, predictions_file, progress
        As in :func:`serenade.evaluation.judge.judge`.
    adapted_by : ReferenceChoice, optional
        How the model gets to know each speaker from their utterances, those that are not judged
        included; the setting must say "speaker-adapted" with it and not without.

    Returns
    -------
    Evaluation
        All results.

    Raises
    ------
    EvaluationError
        If no utterance can be measured, the mode of the setting is wrong, or the model does not
        adapt to speakers.
    """
    if (setting.mode == "speaker-adapted") != (adapted_by is not None):
        raise EvaluationError(f"the setting says {setting.mode}, which is not what is measured")
    wanted = [u for u in utterances if labelling.truth(u) is not None]
    judgement = judge(
        recognizer,
        wanted,
        root=root,
        workers=workers,
        predictions_file=predictions_file,
        model_checksum=setting.model_checksum,
        adapted_by=adapted_by,
        speech=utterances,
        progress=progress,
    )
    return summarise(
        judgement, labelling=labelling, setting=setting, left_out=left_out(utterances, labelling)
    )


def summarise(
    judgement: Judgement,
    *,
    labelling: Labelling,
    setting: Setting,
    left_out: Mapping[str, int],
) -> Evaluation:
    """Measure what a recogniser answered.

    Parameters
    ----------
    judgement : Judgement
        Answers and failures.
    labelling : Labelling
        Which emotions to tell apart.
    setting : Setting
        As in :func:`evaluate`.
    left_out : mapping of str to int
        Clips that were not judged, by emotion.

    Returns
    -------
    Evaluation
        All results.

    Raises
    ------
    EvaluationError
        If there is no answer to measure.
    """
    closed = closed_reading(judgement.answers, labelling)
    opened = open_reading(judgement.answers, labelling)
    answered = [i for i, answer in enumerate(opened.answers) if not answer.abstained]
    right = opened.predicted[answered] == opened.true[answered]
    return Evaluation(
        setting=setting,
        labelling=labelling,
        closed=measure_reading(closed, seed=setting.seed),
        open=measure_reading(opened, seed=setting.seed),
        breakdown=break_down(closed, seed=setting.seed),
        failures=judgement.failures,
        left_out=left_out,
        n_speakers=len({speaker for speaker in closed.speakers if speaker is not None}),
        answered_share=len(answered) / len(opened.answers),
        answered_accuracy=float(right.mean()) if answered else None,
    )


def bundle_checksum(folder: Path) -> str:
    """Give one checksum for a whole bundle.

    Parameters
    ----------
    folder : Path
        Of the bundle.

    Returns
    -------
    str
        SHA-256 of its ``SHA256SUMS``, in hexadecimal digits.

    Raises
    ------
    ModelError
        If the bundle has no readable ``SHA256SUMS``.
    """
    try:
        return hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"{folder}: SHA256SUMS cannot be read ({error.strerror}); this is no complete bundle"
        ) from error
