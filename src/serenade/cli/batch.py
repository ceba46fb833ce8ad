"""``serenade batch``: any number of recordings, resumable, on this machine or a Ray cluster."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.distributed.items import Item
    from serenade.distributed.job import Job
    from serenade.distributed.results import Results
    from serenade.distributed.run import Engine

INTERRUPTED = 130


class EngineName(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


def batch(
    job: Annotated[
        Path, typer.Argument(help="The job: a TOML file with input and output.", show_default=False)
    ],
    engine: Annotated[
        EngineName, typer.Option(help="Processes of this machine, or a Ray cluster.")
    ] = EngineName.LOCAL,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that share the work.",
            show_default="1; ray: every core of the cluster",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Ray: address of the cluster.", show_default="RAY_ADDRESS, or one started here"
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what the output folder holds.")
    ] = False,
) -> None:
    """Predict, extract features or evaluate over any number of recordings.

    What an earlier run finished is not done again. Ctrl-C stops after the running shards are saved,
    and at once when it is pressed again.

    Exit code: 0 all good, 1 some recordings failed, 2 none could be used, 130 stopped.
    """
    from serenade.cli.batch_evaluation import EVALUATION_NAME, evaluate_results, read_truth
    from serenade.cli.exit_codes import exit_code
    from serenade.cli.interrupts import stopping
    from serenade.cli.messages import print_message
    from serenade.cli.progress import Progress
    from serenade.distributed.inputs import find_items
    from serenade.distributed.items import make_plan
    from serenade.distributed.job import read_job
    from serenade.distributed.prepare import prepare
    from serenade.distributed.run import run_shards

    asked = read_job(job)
    chosen = _choose_engine(engine, workers, address)
    truth = read_truth(asked) if asked.task == "evaluate" else []
    plan = make_plan(find_items(asked, _find_local), shard_size=asked.shard_size)
    work, results = prepare(asked, plan)
    results.open(restart=restart)
    if results.n_done:
        print_message(f"{results.n_done} of {plan.n_items} recordings are done already")
    progress = Progress(plan.n_items, done=results.n_done, shown=True)
    with stopping(
        "stopping when the running shards are saved; press again to stop at once"
    ) as stop:
        try:
            run_shards(work, plan, results, chosen, stop=stop, advance=progress.advance)
        finally:
            progress.clear()
    _print_end(asked, plan.n_items, results)
    if not results.is_complete:
        raise typer.Exit(INTERRUPTED)
    if truth and results.n_failed < plan.n_items:
        text, content = evaluate_results(asked, truth, plan, results)
        results.attach(EVALUATION_NAME, content.encode())
        print(text, end="")
    if code := exit_code(results.n_failed, plan.n_items):
        raise typer.Exit(code)


def _choose_engine(engine: EngineName, workers: int | None, address: str | None) -> Engine:
    if engine is EngineName.RAY:
        from serenade.distributed.ray_engine import RayEngine

        return RayEngine(workers, address)
    if address is not None:
        raise UsageError("--address is only for --engine ray")
    from serenade.distributed.local import LocalEngine

    return LocalEngine(workers or 1)


def _find_local(path: str) -> Iterator[Item]:
    """Find what a folder or pattern means, as ``serenade predict`` does."""
    from serenade.cli.inputs import find_inputs
    from serenade.distributed.items import Item

    for found in find_inputs([path]):
        problem = None if found.problem is None else str(found.problem)
        yield Item(found.path, problem=problem)


def _print_end(job: Job, n_items: int, results: Results) -> None:
    from serenade.cli.messages import print_message

    failed = f", {results.n_failed} of them failed" if results.n_failed else ""
    state = "done" if results.is_complete else "stopped; run the command again to go on"
    print_message(f"{results.n_done}/{n_items} recordings in {job.output}{failed}; {state}")
