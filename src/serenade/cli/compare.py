"""``serenade compare``: two models on the same clips."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from serenade.cli.evaluation_output import ResultFormat


def compare(
    model_a: Annotated[str, typer.Argument(help="Name or folder of the first model.")],
    model_b: Annotated[str, typer.Argument(help="Name or folder of the second model.")],
    manifest: Annotated[Path, typer.Argument(help="Manifest of utterances (JSONL).")],
    labels: Annotated[
        str, typer.Option(help="Emotions to tell apart: corpus, 4, 6, 7, 8 or 9.")
    ] = "corpus",
    split: Annotated[
        str | None, typer.Option(help="Judge only this part that the manifest gives.")
    ] = None,
    form: Annotated[
        ResultFormat, typer.Option("--format", help="How to print.")
    ] = ResultFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option(help="Write into this file instead of printing.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
) -> None:
    """Tell which of two models is better, with the interval of the difference.

    Exit code: 0 all good, 2 nothing could be compared.
    """
    from serenade.cli.evaluation_inputs import choose_fold, known_leaks
    from serenade.cli.evaluation_output import comparison_text, to_json_text, write_result
    from serenade.cli.targets import check_targets
    from serenade.corpora.manifest import read_manifest
    from serenade.evaluation.compare import compare as compare_models
    from serenade.evaluation.evaluate import Setting, bundle_checksum
    from serenade.evaluation.judge import judge
    from serenade.evaluation.readings import choose_labelling
    from serenade.inference.recognizer import Recognizer
    from serenade.model.bundle import open_bundle
    from serenade.model.store import resolve

    check_targets({"--output": output}, [str(manifest)])
    chosen = choose_fold(read_manifest(manifest), split, None, None, None, seed=seed)
    labelling = choose_labelling(labels, chosen.test)
    wanted = [u for u in chosen.test if labelling.truth(u) is not None]
    settings, judgements = [], []
    for model in (model_a, model_b):
        bundle = open_bundle(resolve(model))
        recognizer = Recognizer.load(bundle.path)
        judgements.append(judge(recognizer, wanted, workers=workers))
        settings.append(
            Setting(
                model=recognizer.model_id,
                model_labels=recognizer.labels,
                model_checksum=bundle_checksum(bundle.path),
                protocol=chosen.name,
                leaks=known_leaks(chosen, None, None, bundle.spec.training_data),
                seed=seed,
                command=shlex.join(["serenade", *sys.argv[1:]]),
            )
        )
    comparison = compare_models(
        *judgements, labelling=labelling, setting_a=settings[0], setting_b=settings[1]
    )
    as_json = form is ResultFormat.JSON
    text = to_json_text(comparison.to_json()) if as_json else comparison_text(comparison)
    write_result(text, output, form)
