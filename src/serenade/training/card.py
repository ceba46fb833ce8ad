"""The model card: what a bundle is for, what it was trained on and how right it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.corpora.registry import corpus, find_corpus
from serenade.model.spec import FeatureInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serenade.evaluation.evaluate import Evaluation
    from serenade.model.spec import ModelSpec
    from serenade.training.recipe import Recipe

USES = """## Intended uses

Research on acted speech, exploring recordings, teaching, and prototypes whose users know that the
answer is a guess about how a voice *sounds*.

## Forbidden uses

The EU AI Act forbids emotion recognition at work and in schools. Do not use this model to judge,
hire, grade, diagnose, police or price people, nor on anybody who has not agreed. How a voice sounds
is not what a person feels.
"""

_RARE_CORPORA = 2
"""An emotion that no more corpora have acted is heard from few voices."""


def write_card(
    path: Path,
    spec: ModelSpec,
    recipe: Recipe,
    speakers: Mapping[str, Sequence[str]],
    results: Mapping[str, Evaluation],
) -> None:
    """Write ``CARD.md`` in the form of a Hugging Face model card.

    Parameters
    ----------
    path : Path
        File to make or replace.
    spec : ModelSpec
        What the bundle says of itself.
    recipe : Recipe
        How it was trained.
    speakers : mapping of str to sequence of str
        Speakers of ``"train"`` and ``"validation"``, as ``corpus/speaker``.
    results : mapping of str to Evaluation
        By corpus, on validation speakers.
    """
    sections = [
        _header(spec),
        f"# {spec.name} {spec.version}\n\n{spec.description}\n",
        _summary(spec),
        *([classifier_section(spec)] if isinstance(spec.input, FeatureInput) else []),
        USES,
        _training(spec, recipe, speakers),
        _accuracy(spec, recipe, results),
        _calibration(spec, results),
        _confusions(results),
        limits_section(spec),
        _reproduce(spec, recipe),
    ]
    path.write_text("\n".join(sections), encoding="utf-8")


def limits_section(spec: ModelSpec) -> str:
    """Tell where a model must be expected to be wrong more often.

    Parameters
    ----------
    spec : ModelSpec
        What the bundle says of itself.

    Returns
    -------
    str
        Markdown.
    """
    rare = "".join(f"{line}\n" for line in _rare_emotions(spec))
    return (
        "## Limits\n\n"
        "- Most corpora are of actors who were told which emotion to play. Spontaneous speech is"
        " weaker and more\n  mixed; expect lower accuracy than here.\n"
        f"- The emotions of a corpus are those that its authors chose.\n{rare}"
        "- Children, old voices, pathological voices and languages that are not listed were not"
        " measured.\n"
    )


def _rare_emotions(spec: ModelSpec) -> list[str]:
    """Name the emotions that few of several corpora have, as far as the registry knows them."""
    names = dict.fromkeys(find_corpus(data.corpus) for data in spec.training_data)
    known = [corpus(name) for name in names if name is not None]
    if len(known) <= _RARE_CORPORA:
        return []
    rare = []
    for label in spec.labels:
        where = [one.name for one in known if label in one.card.labels]
        if 0 < len(where) <= _RARE_CORPORA:
            rare.append(
                f"- `{label}` is only in {' and '.join(where)}, so the model has heard it from few"
                " voices."
            )
    return rare


def _header(spec: ModelSpec) -> str:
    corpora = "\n".join(f"  - {data.corpus}" for data in spec.training_data)
    return (
        "---\nlicense: other\nlibrary_name: serenade\npipeline_tag: audio-classification\n"
        f"tags:\n  - speech-emotion-recognition\n  - onnx\ndatasets:\n{corpora}\n---\n"
    )


def _summary(spec: ModelSpec) -> str:
    window = spec.windowing
    front_end = (
        "`model.onnx` takes the vector that `serenade` computes from it"
        if isinstance(spec.input, FeatureInput)
        else "its front end is inside `model.onnx`"
    )
    return (
        f"- Emotions: {', '.join(spec.labels)}\n"
        f"- Input: mono audio at 16 kHz (Serenade converts any file); {front_end}\n"
        f"- Length: {window.min_seconds:g} s or more, with a warning below"
        f" {window.sure_from_seconds:g} s;"
        f" longer than {window.max_seconds:g} s in windows every {window.hop_seconds:g} s\n"
        f"- Licence of the weights: {spec.licence}\n"
    )


def classifier_section(spec: ModelSpec) -> str:
    """Tell of the classifier of a feature bundle and of the search for its settings.

    Parameters
    ----------
    spec : ModelSpec
        Of a classical model.

    Returns
    -------
    str
        Markdown.
    """
    tried = "\n".join(
        f"- {_settings(trial['settings'])}: UAR {100 * trial['uar']:.1f} %"
        for trial in spec.metrics["search"]
    )
    return (
        f"## Classifier\n\n{spec.front_end['classifier']}"
        f" ({_settings(spec.front_end['settings'])}) on {spec.front_end['name']} functionals,"
        " standardised with the training data.\n\nSettings that were tried, on training speakers"
        f" held out in turn:\n\n{tried or '- none: there was a single speaker'}\n"
    )


def _settings(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in settings.items())


def _training(spec: ModelSpec, recipe: Recipe, speakers: Mapping[str, Sequence[str]]) -> str:
    rows = "\n".join(
        f"| {data.corpus} | {data.details['clips']} | {data.details['speakers']} | {data.licence} |"
        for data in spec.training_data
    )
    held_out = ", ".join(speakers["validation"])
    leaks = "leaks" in spec.metrics
    held_back = "Speakers of the validation clips" if leaks else "Speakers held back for validation"
    return (
        "## Training data\n\n| corpus | clips | speakers | licence of the recordings |\n"
        f"|---|---|---|---|\n{rows}\n\n"
        f"{held_back}: {held_out or 'none'}.\n{_teacher(recipe)}"
    )


def _teacher(recipe: Recipe) -> str:
    if not recipe.teacher.initial_weights:
        return ""
    return (
        f"\nTaught by the frozen encoder of {recipe.teacher.name}"
        f" (licence: {recipe.teacher.licence}), which is not part of the bundle: principal"
        " components of its statistics over time as hints, and soft labels of logistic regressions"
        " on them that never heard the speaker they judge.\n"
    )


def _accuracy(spec: ModelSpec, recipe: Recipe, results: Mapping[str, Evaluation]) -> str:
    chosen = (
        "Settings and temperature were found without these clips."
        if isinstance(spec.input, FeatureInput)
        else "They took no part in training."
        if "test_folder" in spec.metrics
        else f"{_what_was_chosen(recipe)}, so the figures are slightly optimistic."
    )
    rows = []
    for name, result in results.items():
        closed, uar = result.closed, result.closed.uar
        rows.append(
            f"| {name} | {closed.metrics.n_clips} | {result.n_speakers} |"
            f" {len(closed.metrics.labels)} | {100 * uar.value:.1f}"
            f" ({100 * uar.low:.1f} to {100 * uar.high:.1f}) |"
            f" {100 * closed.accuracy.value:.1f} | {100 * result.open.uar.value:.1f} |"
        )
    return (
        f"{_judged(spec)} Judged by this bundle through `serenade`. Unweighted average recall"
        " (UAR) in % with its 95 % interval, resampled by speaker (by clip where there is only one"
        f" speaker). {chosen} *UAR*: among the emotions that the corpus has. *UAR, all emotions*:"
        " the model may also answer with emotions that the corpus does not have.\n\n"
        "| corpus | clips | speakers | emotions | UAR | accuracy | UAR, all emotions |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "Corpora of which nothing was held back have no row.\n"
    )


def _judged(spec: ModelSpec) -> str:
    """Head the accuracy with what it was measured on."""
    clips = "Clips of the test folder." if "test_folder" in spec.metrics else "Validation clips."
    leaks = spec.metrics.get("leaks", [])
    if leaks:
        return (
            f"## Accuracy on clips held back: THE SPLIT LEAKS\n\n{clips} The figures are too"
            f" good: {'; '.join(leaks)}. On voices that it has not heard the model is weaker."
        )
    return f"## Accuracy on speakers that the model never heard\n\n{clips}"


def _what_was_chosen(recipe: Recipe) -> str:
    if recipe.export.temperature:
        return (
            "The epoch was chosen on these clips, and the recipe's temperature with a look at them"
        )
    return "The epoch and the temperature were chosen on these clips"


def _calibration(spec: ModelSpec, results: Mapping[str, Evaluation]) -> str:
    rows = "\n".join(
        f"| {name} | {100 * result.open.metrics.calibration_error:.1f} |"
        f" {100 * result.answered_share:.0f} | {_percent(result.answered_accuracy)} |"
        for name, result in results.items()
    )
    return (
        "## Calibration\n\n"
        f"Temperature {spec.temperature:.2f}; below a confidence of {spec.abstain_below:.2f} the"
        " answer is marked `abstained`. Expected calibration error in %, all emotions; share of"
        " clips that get an answer, and how many of these are right.\n\n"
        "| corpus | calibration error | answered | right among these |\n|---|---|---|---|\n"
        f"{rows}\n"
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}"


def _confusions(results: Mapping[str, Evaluation]) -> str:
    tables = [f"### {name}\n\n{_confusion(result)}\n" for name, result in results.items()]
    return "## Confusion (rows: true, columns: predicted, clips)\n\n" + "\n".join(tables)


def _confusion(result: Evaluation) -> str:
    metrics = result.closed.metrics
    header = "| |" + "".join(f" {label} |" for label in metrics.labels)
    rule = "|---" * (len(metrics.labels) + 1) + "|"
    rows = [
        f"| **{label}** |" + "".join(f" {count} |" for count in row)
        for label, row in zip(metrics.labels, metrics.confusion.tolist(), strict=True)
    ]
    return "\n".join([header, rule, *rows])


def _reproduce(spec: ModelSpec, recipe: Recipe) -> str:
    epochs = (
        ""
        if isinstance(spec.input, FeatureInput)
        else f"; at most {recipe.optimiser.epochs} epochs"
    )
    options = ""
    if recipe.network.initial_weights or recipe.teacher.initial_weights:
        options += " --encoder ENCODER"
    if (recipe.augmentation.random and not recipe.network.initial_weights) or (
        "field" in recipe.augmentation.copies
    ):
        options += " --noise NOISE"
    return (
        "## How to reproduce\n\n```sh\n"
        "serenade corpora prepare all CORPORA --output all.jsonl\n"
        f"serenade train recipes/{recipe.name}.toml --manifest all.jsonl{options}"
        f" --output runs/{recipe.name}\n```\n\n"
        f"Seed {recipe.seed}{epochs}.\n"
    )
