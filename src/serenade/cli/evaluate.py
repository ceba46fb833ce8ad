"""``serenade evaluate``: how well a model does on a manifest."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from serenade.cli.evaluation_output import ResultFormat

SOME_FAILED = 1
INTERRUPTED = 130
STRESS_CLIPS = 400


def evaluate(
    model: Annotated[str, typer.Argument(help="Name of a bundled model or folder of a model.")],
    manifest: Annotated[Path, typer.Argument(help="Manifest of utterances (JSONL).")],
    split: Annotated[
        str | None, typer.Option(help="Judge only this part that the manifest gives.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Judge the test part of a fold of this protocol.")
    ] = None,
    fold: Annotated[str | None, typer.Option(help="Name of the fold, with --protocol.")] = None,
    folds: Annotated[
        Path | None, typer.Option(help="Published folds, for emobox and emo-superb.")
    ] = None,
    labels: Annotated[
        str, typer.Option(help="Emotions to tell apart: corpus, 4, 6, 7, 8 or 9.")
    ] = "corpus",
    trained_on: Annotated[
        Path | None, typer.Option(help="Manifest that the model was trained on: finds leaks.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Training run of the model: finds leaks, adds curves to the report."),
    ] = None,
    form: Annotated[
        ResultFormat, typer.Option("--format", help="How to print.")
    ] = ResultFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option(help="Write into this file instead of printing.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page as well.")] = None,
    audio: Annotated[
        bool, typer.Option("--audio/--no-audio", help="Put the worst clips into the page.")
    ] = True,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 1,
    resume: Annotated[
        Path | None, typer.Option(help="File of predictions: kept there, and not done again.")
    ] = None,
    stress: Annotated[
        bool, typer.Option("--stress", help="Also judge noisy, reverberant and cut clips.")
    ] = False,
    stress_clips: Annotated[
        int | None,
        typer.Option(
            min=1, help="About how many clips --stress judges per condition.", show_default="400"
        ),
    ] = None,
    noise: Annotated[Path | None, typer.Option(help="Folder of noises for --stress.")] = None,
    rir: Annotated[
        Path | None, typer.Option(help="Folder of room impulse responses for --stress.")
    ] = None,
    speaker_adapted: Annotated[
        bool,
        typer.Option(
            "--speaker-adapted",
            help="Let the model hear each speaker's own clips before, without labels: another"
            " question than judging strangers.",
        ),
    ] = False,
    reference_clips: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --speaker-adapted: only N other clips of the speaker, drawn for each clip.",
            show_default="all of the speaker's clips",
        ),
    ] = None,
    fairness: Annotated[
        bool, typer.Option("--fairness", help="Also compare groups of people.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of intervals, folds and degradations.")] = 0,
) -> None:
    """Measure a model on the utterances of a manifest.

    Exit code: 0 all good, 1 some recordings failed, 2 nothing could be measured.
    """
    from dataclasses import replace

    from serenade.cli.evaluation_inputs import (
        check_paths,
        check_uses,
        choose_fold,
        choose_reference,
        known_leaks,
    )
    from serenade.cli.evaluation_output import evaluation_text, to_json_text, write_result
    from serenade.cli.messages import print_message
    from serenade.cli.progress import Progress
    from serenade.cli.targets import check_targets
    from serenade.corpora.manifest import read_manifest
    from serenade.evaluation.evaluate import Setting, bundle_checksum
    from serenade.evaluation.evaluate import evaluate as evaluate_model
    from serenade.evaluation.fairness import measure_fairness
    from serenade.evaluation.readings import choose_labelling
    from serenade.evaluation.report import read_epochs, write_report
    from serenade.evaluation.robustness import stress as put_under_stress
    from serenade.inference.recognizer import Recognizer
    from serenade.model.bundle import open_bundle
    from serenade.model.store import resolve

    check_uses(stress=stress, stress_clips=stress_clips, noise=noise, rir=rir)
    check_paths(noise, rir, report, output)
    read = (manifest, resume, trained_on, folds)
    check_targets(
        {"--output": output, "--report": report}, [str(path) for path in read if path is not None]
    )
    adapted_by = choose_reference(
        reference_clips, adapted=speaker_adapted, stress=stress, seed=seed
    )
    epochs = read_epochs(run) if run is not None and report is not None else []
    everything = read_manifest(manifest)
    chosen = choose_fold(everything, split, protocol, fold, folds, seed=seed)
    bundle = open_bundle(resolve(model))
    recognizer = Recognizer.load(bundle.path)
    labelling = choose_labelling(labels, chosen.test)
    notes = [f"{chosen.missing} clips of the fold are not at hand"] if chosen.missing else []
    if adapted_by is not None:
        notes.append(adapted_by.describe())
    setting = Setting(
        model=recognizer.model_id,
        model_labels=recognizer.labels,
        model_checksum=bundle_checksum(bundle.path),
        protocol=chosen.name,
        leaks=known_leaks(chosen, trained_on, run, bundle.spec.training_data),
        mode="speaker-independent" if adapted_by is None else "speaker-adapted",
        seed=seed,
        command=shlex.join(["serenade", *sys.argv[1:]]),
        notes=tuple(notes),
    )
    if setting.leaks:
        print_message(setting.leak_statement)
    progress = Progress(len(chosen.test), shown=sys.stderr.isatty())
    try:
        evaluation = evaluate_model(
            recognizer,
            chosen.test,
            labelling=labelling,
            setting=setting,
            workers=workers,
            predictions_file=resume,
            adapted_by=adapted_by,
            progress=lambda _done, _total: progress.advance(),
        )
    except KeyboardInterrupt:
        kept = f"; {resume} keeps what is done, run the command again" if resume else ""
        print_message(f"stopped{kept}")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        progress.clear()
    if fairness:
        evaluation = replace(
            evaluation, fairness=measure_fairness(evaluation.closed.reading, seed=seed)
        )
    if stress:
        results = put_under_stress(
            recognizer,
            chosen.test,
            labelling=labelling,
            seed=seed,
            noise_folder=noise,
            response_folder=rir,
            max_clips=STRESS_CLIPS if stress_clips is None else stress_clips,
            workers=workers,
            progress=lambda name: print_message(f"stress: {name}"),
        )
        evaluation = replace(evaluation, stress=results)
    if report is not None:
        write_report(evaluation, report, epochs=epochs, audio=audio)
        print_message(f"report written to {report}")
    as_json = form is ResultFormat.JSON
    text = to_json_text(evaluation.to_json()) if as_json else evaluation_text(evaluation)
    write_result(text, output, form)
    if evaluation.failures:
        print_message(f"{len(evaluation.failures)} clips failed; the result lists them")
        raise typer.Exit(SOME_FAILED)
