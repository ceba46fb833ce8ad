"""The evaluation of what a batch job predicted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from serenade.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.corpora.manifest import Utterance
    from serenade.distributed.items import Plan
    from serenade.distributed.job import Job
    from serenade.distributed.results import Results
    from serenade.evaluation.judge import Answer, Failure

EVALUATION_NAME = "evaluation.json"


def read_truth(job: Job) -> list[Utterance]:
    """Read the manifest of an evaluation before any work is done.

    Parameters
    ----------
    job : Job
        Its input must be a manifest on this machine.

    Returns
    -------
    list of Utterance
        In the order of the items.

    Raises
    ------
    JobError
        If the input is something else.
    ManifestError
        If it has no truth.
    """
    from serenade.corpora.manifest import read_manifest
    from serenade.distributed.inputs import MANIFEST_EXTENSION
    from serenade.distributed.urls import local_path

    path = local_path(job.input)
    if path is None or not path.endswith(MANIFEST_EXTENSION):
        raise JobError(
            f"an evaluation needs the truth; its input must be a manifest (.jsonl) on this machine,"
            f" got {job.input!r}"
        )
    return read_manifest(Path(path))


def evaluate_results(
    job: Job, utterances: list[Utterance], plan: Plan, results: Results
) -> tuple[str, str]:
    """Measure the predictions of a complete job.

    Parameters
    ----------
    job : Job
        What was asked for.
    utterances : list of Utterance
        The truth, in the order of the items.
    plan : Plan
        The items.
    results : Results
        The predictions; written to, too.

    Returns
    -------
    text, content : str
        For people and as JSON.

    Raises
    ------
    EvaluationError
        If nothing can be measured.
    """
    from serenade.cli.evaluation_output import evaluation_text, to_json_text
    from serenade.evaluation.evaluate import Setting, summarise
    from serenade.evaluation.judge import Judgement
    from serenade.evaluation.readings import choose_labelling, left_out

    labelling = choose_labelling(job.labels, utterances)
    answers: list[Answer] = []
    failures: list[Failure] = []
    for utterance, record in zip(utterances, _records(plan, results), strict=True):
        if labelling.truth(utterance) is None:
            continue
        if "error" in record:
            failures.append(_failure(utterance, record))
        else:
            answers.append(_answer(utterance, record))
    setting = Setting(
        model=str(results.made_with["model"]),
        model_labels=tuple(answers[0].probabilities) if answers else (),
        model_checksum=str(results.made_with["model_checksum"]),
        notes=("measured on the predictions of serenade batch",),
    )
    evaluation = summarise(
        Judgement(tuple(answers), tuple(failures)),
        labelling=labelling,
        setting=setting,
        left_out=left_out(utterances, labelling),
    )
    return evaluation_text(evaluation), to_json_text(evaluation.to_json())


def _records(plan: Plan, results: Results) -> Iterator[dict[str, Any]]:
    """Give the record of every item, in order."""
    for shard in plan.shards:
        record_of = {record["path"]: record for record in results.records(shard.number)}
        for item in shard.items():
            yield record_of[item.name]


def _answer(utterance: Utterance, record: dict[str, Any]) -> Answer:
    from serenade.evaluation.judge import Answer

    return Answer(
        utterance,
        record["probabilities"],
        record["abstained"],
        record["duration_s"],
        tuple(record["warnings"]),
    )


def _failure(utterance: Utterance, record: dict[str, Any]) -> Failure:
    from serenade.evaluation.judge import Failure

    return Failure(
        utterance.id, record["path"], record["error"]["kind"], record["error"]["message"]
    )
