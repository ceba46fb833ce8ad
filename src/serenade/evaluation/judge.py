"""Running a recogniser over the utterances of a manifest.

Every utterance ends as an answer or as a failure with its reason. Both are written to a JSONL file
as they come, so that a run that was killed goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from serenade.errors import EvaluationError, SerenadeError
from serenade.evaluation.adapted import adapted_outcomes, reference_digests
from serenade.evaluation.clips import utterance_path, utterance_waveform
from serenade.evaluation.line_files import LineWriter, foreign_line, read_lines
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.adapted import ReferenceChoice
    from serenade.model.adaptation import SpeakerReference

PREDICTIONS_SCHEMA_VERSION = 1
"""Version of the lines of the predictions file."""


class Outcome(Protocol):
    """What a recogniser says about one file: a prediction or an error."""

    @property
    def prediction(self) -> Prediction | None:
        """The prediction, or ``None`` if it failed."""

    @property
    def error(self) -> SerenadeError | None:
        """Why it failed, or ``None``."""


class Judge(Protocol):
    """The part of :class:`serenade.inference.recognizer.Recognizer` that evaluation uses."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Emotions of the model, in the order of its outputs."""

    @property
    def model_id(self) -> str:
        """Name and version of the model."""

    @property
    def adapts_to_speakers(self) -> bool:
        """Whether the model can use what is known of a speaker."""

    def predict(
        self, source: str | Path | Waveform, *, reference: SpeakerReference | None = None
    ) -> Prediction:
        """Judge one recording, of a known speaker where there is a reference."""

    def speaker_reference(self, sources: Iterable[str | Path | Waveform]) -> SpeakerReference:
        """Get to know a speaker."""

    def predict_many(
        self, sources: Iterable[str | Path | Waveform], *, workers: int
    ) -> Iterator[Outcome]:
        """Judge recordings in order; one outcome for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the model said about one utterance.

    Parameters
    ----------
    utterance : Utterance
        The clip and its truth.
    probabilities : mapping of str to float
        Of every emotion of the model.
    abstained : bool
        Whether the model was not sure.
    duration_seconds : float
        Length of the clip [s].
    warnings : tuple of str
        Codes of :data:`serenade.types.WARNINGS`.
    """

    utterance: Utterance
    probabilities: Mapping[str, float]
    abstained: bool
    duration_seconds: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An utterance without an answer.

    Parameters
    ----------
    id, path : str
        Of the utterance.
    kind : str
        Name of the error class.
    message : str
        The reason.
    """

    id: str
    path: str
    kind: str
    message: str

    def to_json(self) -> dict[str, str]:
        """Give the failure as JSON types.

        Returns
        -------
        dict
            Id, path, kind and message.
        """
        return {"id": self.id, "path": self.path, "kind": self.kind, "message": self.message}


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """All that a model said about the utterances of a manifest.

    Parameters
    ----------
    answers : tuple of Answer
        In the order of the manifest.
    failures : tuple of Failure
        The utterances that got no answer.
    """

    answers: tuple[Answer, ...]
    failures: tuple[Failure, ...]


def judge(
    recognizer: Judge,
    utterances: Sequence[Utterance],
    *,
    root: Path | None = None,
    workers: int = 1,
    predictions_file: Path | None = None,
    model_checksum: str | None = None,
    adapted_by: ReferenceChoice | None = None,
    speech: Sequence[Utterance] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Judgement:
    """Let a recogniser judge every utterance.

    Parameters
    ----------
    recognizer : Judge
        The model.
    utterances : sequence of Utterance
        What to judge; ids are unique.
    root : Path, optional
        Folder that relative paths start from. Paths of a manifest that was read need none.
    workers : int
        Number of processes, at least 1.
    predictions_file : Path, optional
        JSONL file that answers and failures are appended to as they come. What an earlier run of
        the same model wrote there is not done again; failures are tried again.
    model_checksum : str, optional
        Tells weights apart that have the same name and version.
    adapted_by : ReferenceChoice, optional
        How the model gets to know each speaker; without it, it judges strangers. With it, all is
        done in this process.
    speech : sequence of Utterance
        Where it gets to know them.
    progress : callable, optional
        Called with the number of utterances done and their total.

    Returns
    -------
    Judgement
        An answer or a failure for each utterance.

    Raises
    ------
    EvaluationError
        If there is no utterance, or the file was written for another model.
    """
    if not utterances:
        raise EvaluationError("there is no utterance to evaluate; the manifest or split is empty")
    known: dict[str, Answer] = {}
    if predictions_file is not None:
        known = read_answers(
            predictions_file,
            utterances,
            recognizer.model_id,
            model_checksum=model_checksum,
            adapted_by=adapted_by,
            speech=speech,
        )
    open_utterances = [utterance for utterance in utterances if utterance.id not in known]
    failures: list[Failure] = []
    record = _Recorder(predictions_file, recognizer.model_id, model_checksum, adapted_by, speech)
    if adapted_by is None:
        outcomes = _outcomes(recognizer, open_utterances, root, workers)
    else:
        outcomes = adapted_outcomes(recognizer, open_utterances, speech, adapted_by, root)
    try:
        for utterance, outcome in outcomes:
            if isinstance(outcome, Prediction):
                known[utterance.id] = _answer(utterance, outcome)
                record.answer(known[utterance.id])
            else:
                failures.append(Failure(utterance.id, utterance.path, outcome.kind, str(outcome)))
                record.failure(failures[-1])
            if progress is not None:
                progress(len(known) + len(failures), len(utterances))
    finally:
        record.close()
    answers = tuple(known[utterance.id] for utterance in utterances if utterance.id in known)
    return Judgement(answers, tuple(failures))


def read_answers(
    path: Path,
    utterances: Sequence[Utterance],
    model_id: str,
    *,
    model_checksum: str | None = None,
    adapted_by: ReferenceChoice | None = None,
    speech: Sequence[Utterance] | None = None,
) -> dict[str, Answer]:
    """Read the answers that an earlier run wrote.

    Parameters
    ----------
    path : Path
        The predictions file; a last line that was not written to its end is cut off.
    utterances : sequence of Utterance
        Whose answers are wanted; lines of others, of clips that moved, and of speakers who were
        known by other clips, are passed over.
    model_id : str
        The model that they must come from.
    model_checksum : str, optional
        And its weights.
    adapted_by : ReferenceChoice, optional
        And how it got to know the speakers.
    speech : sequence of Utterance
        And where; without it, by whichever clips.

    Returns
    -------
    dict of str to Answer
        By id of the utterance; empty if there is no file.

    Raises
    ------
    EvaluationError
        If the file is of another kind or of another model.
    """
    references = None if speech is None else _references(adapted_by, speech)
    by_id = {utterance.id: utterance for utterance in utterances}
    answers: dict[str, Answer] = {}
    for number, values in enumerate(read_lines(path), start=1):
        try:
            if values["model"] != model_id:
                raise EvaluationError(
                    f"{path}, line {number}: holds predictions of {values['model']}, not of"
                    f" {model_id}; give another file or delete this one"
                )
            if values["checksum"] != model_checksum:
                raise EvaluationError(
                    f"{path}, line {number}: holds predictions of {model_id} with other weights;"
                    " give another file or delete this one"
                )
            if values.get("adapted") != _adapted(adapted_by):
                raise EvaluationError(
                    f"{path}, line {number}: holds predictions that are"
                    f" {values.get('adapted') or 'not adapted to speakers'}; give another file or"
                    " delete this one"
                )
            utterance = by_id.get(values["id"])
            if utterance is None or values.get("source") != _source(utterance):
                continue
            known_by = values.get("reference")
            if references is not None and known_by != references.get(utterance.speaker_key):
                continue
            answers[utterance.id] = Answer(
                utterance,
                {str(name): float(p) for name, p in values["probabilities"].items()},
                bool(values["abstained"]),
                float(values["duration_s"]),
                tuple(values["warnings"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise foreign_line(path, number) from error
    return answers


def _outcomes(
    recognizer: Judge, utterances: Sequence[Utterance], root: Path | None, workers: int
) -> Iterator[tuple[Utterance, Prediction | SerenadeError]]:
    whole = [u for u in utterances if u.start_seconds is None and u.stop_seconds is None]
    parts = [u for u in utterances if u.start_seconds is not None or u.stop_seconds is not None]
    paths = [utterance_path(utterance, root) for utterance in whole]
    outcomes = recognizer.predict_many(paths, workers=workers) if paths else iter(())
    for utterance, outcome in zip(whole, outcomes, strict=True):
        if outcome.prediction is not None:
            yield utterance, outcome.prediction
        else:
            yield utterance, outcome.error or EvaluationError("the recogniser gave no reason")
    for utterance in parts:
        try:
            yield utterance, recognizer.predict(utterance_waveform(utterance, root))
        except SerenadeError as error:
            yield utterance, error


def _answer(utterance: Utterance, prediction: Prediction) -> Answer:
    return Answer(
        utterance,
        dict(prediction.probabilities),
        prediction.abstained,
        prediction.duration_seconds,
        prediction.warnings,
    )


class _Recorder:
    """Appends lines to the predictions file; does nothing without one."""

    def __init__(
        self,
        path: Path | None,
        model_id: str,
        model_checksum: str | None,
        adapted_by: ReferenceChoice | None,
        speech: Sequence[Utterance],
    ) -> None:
        self._adapted = _adapted(adapted_by)
        self._model_id = model_id
        self._model_checksum = model_checksum
        self._references = _references(adapted_by, speech)
        self._file = None if path is None else LineWriter(path)

    def answer(self, answer: Answer) -> None:
        reference = self._references.get(answer.utterance.speaker_key)
        self._write(
            answer.utterance.id,
            {
                **({} if reference is None else {"reference": reference}),
                "source": _source(answer.utterance),
                "probabilities": dict(answer.probabilities),
                "abstained": answer.abstained,
                "duration_s": answer.duration_seconds,
                "warnings": list(answer.warnings),
            },
        )

    def failure(self, failure: Failure) -> None:
        self._write(failure.id, {"error": {"kind": failure.kind, "message": failure.message}})

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, utterance_id: str, content: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        line = {
            "id": utterance_id,
            "model": self._model_id,
            "checksum": self._model_checksum,
            **({} if self._adapted is None else {"adapted": self._adapted}),
            **content,
        }
        self._file.write(PREDICTIONS_SCHEMA_VERSION, line)


def _adapted(adapted_by: ReferenceChoice | None) -> str | None:
    return None if adapted_by is None else adapted_by.describe()


def _references(
    adapted_by: ReferenceChoice | None, speech: Sequence[Utterance]
) -> dict[str | None, str]:
    """Give the digest of what each speaker is known by; empty where strangers are judged."""
    return {} if adapted_by is None else reference_digests(speech)


def _source(utterance: Utterance) -> list[str | float | None]:
    return [utterance.path, utterance.start_seconds, utterance.stop_seconds]
