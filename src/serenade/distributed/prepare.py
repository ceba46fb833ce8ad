"""What a job needs before it runs: its model, and a description of all that its rows depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import serenade
from serenade.distributed.folders import open_folder
from serenade.distributed.results import Results
from serenade.distributed.tables import failure_table, feature_table, prediction_table
from serenade.distributed.work import Work
from serenade.evaluation.evaluate import bundle_checksum
from serenade.features.frontends import functional_vector, get_front_end
from serenade.model.bundle import open_bundle
from serenade.model.store import resolve
from serenade.types import Waveform

if TYPE_CHECKING:
    from serenade.distributed.items import Plan
    from serenade.distributed.job import Job


def prepare(job: Job, plan: Plan) -> tuple[Work, Results]:
    """Open what a job needs.

    Parameters
    ----------
    job : Job
        What is asked for.
    plan : Plan
        What it reads.

    Returns
    -------
    work : Work
        For the workers.
    results : Results
        The output folder, not yet looked at.

    Raises
    ------
    ModelError
        If the model is missing, damaged or too new.
    UsageError
        If there is no such front end.
    JobError
        If the output folder cannot be made.
    MissingExtraError
        If something that is needed is not installed.
    """
    made_with: dict[str, object] = {
        "serenade": serenade.__version__,
        "task": job.task,
        "inputs": plan.n_items,
        "inputs_sha256": plan.sha256,
        "format": job.format,
        "shard_size": job.shard_size,
        "denoise": job.denoise,
        "max_megabytes": job.max_megabytes,
        "max_seconds": job.max_seconds,
    }
    columns: tuple[str, ...] = ()
    if job.task == "features":
        config = get_front_end(job.front_end)
        _, columns = functional_vector(_one_second(config.sample_rate), config)
        made_with |= {"front_end": config.name, "fingerprint": config.fingerprint}
        rows = feature_table(job.format)
        work = Work(job, model="")
    else:
        bundle = open_bundle(resolve(job.model or None))
        made_with |= {
            "model": bundle.spec.model_id,
            "model_checksum": bundle_checksum(bundle.path),
        }
        rows = prediction_table(job.format, bundle.spec.labels.labels)
        work = Work(job, model=str(bundle.path.resolve()))
    folder = open_folder(job.output, attempts=job.attempts)
    return work, Results(folder, plan, made_with, columns, rows, failure_table(job.format))


def _one_second(sample_rate: int) -> Waveform:
    return Waveform(np.zeros(sample_rate, dtype=np.float32), sample_rate)
