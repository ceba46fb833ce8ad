"""Export of classical models: a feature bundle that predicts without scikit-learn."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

import serenade
from serenade.errors import TrainingError
from serenade.features.frontends import get_front_end
from serenade.model.bundle import open_bundle, write_checksums
from serenade.model.calibration import probabilities
from serenade.model.scorer import open_scorer
from serenade.model.spec import (
    SAMPLE_RATE,
    FeatureInput,
    ModelSpec,
    TrainingData,
    write_spec,
)
from serenade.model.windowing import Windowing
from serenade.training.card import classifier_section
from serenade.training.classical import (
    PROBABILITY_FLOOR,
    STEP,
    ClassicalModel,
    Trial,
    gives_decisions,
)
from serenade.training.vectors import SPEAKER_INDEPENDENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from serenade.training.recipe import ExportRecipe
    from serenade.training.voices import Voice
    from serenade.types import Conditioning, FloatArray

OPSET = 20
PARITY = 1e-4
"""Largest difference of a probability between scikit-learn and ONNX that is allowed."""
PARITY_METRIC = "difference_from_scikit_learn"
"""Key of the measured difference in the metrics of a bundle."""


def export_classical(
    model: ClassicalModel,
    folder: Path,
    *,
    name: str,
    front_end: str,
    conditioning: Conditioning,
    export: ExportRecipe,
    training_data: Sequence[TrainingData],
    metrics: Mapping[str, Any],
    check_vectors: FloatArray,
) -> float:
    """Write the bundle of a classical model and compare it with scikit-learn.

    Parameters
    ----------
    model : ClassicalModel
        Speaker-independent.
    folder : Path
        Of the bundle; replaced if it is there.
    name : str
        Of the bundle.
    front_end : str
        Key of :data:`serenade.features.frontends.FRONT_ENDS`: what the vectors are.
    conditioning : Conditioning
        What was done to the audio before.
    export : ExportRecipe
        Version, texts and windowing.
    training_data : sequence of TrainingData
        What the model was trained on.
    metrics : mapping of str to JSON value
        Measured results, for people.
    check_vectors : ndarray of shape (n_clips, n_values), float32
        Vectors of real clips for the comparison.

    Returns
    -------
    float
        Largest difference of a probability.

    Raises
    ------
    TrainingError
        If the difference is above :data:`PARITY`, or the model is speaker-adapted.
    UsageError
        If there is no front end of that name.
    """
    if model.mode != SPEAKER_INDEPENDENT:
        raise TrainingError(
            f"a {model.mode} model needs other clips of the same speaker and cannot judge a single"
            " recording; train one on vectors that are not adapted"
        )
    config = get_front_end(front_end)
    spec = ModelSpec(
        name=name,
        version=export.version,
        description=export.description,
        sample_rate=SAMPLE_RATE,
        input=FeatureInput(front_end=front_end, fingerprint=config.fingerprint),
        labels=model.labels,
        windowing=Windowing(
            min_seconds=export.min_seconds,
            max_seconds=export.max_seconds,
            hop_seconds=export.hop_seconds,
            sure_from_seconds=export.sure_from_seconds,
            timeline_window_seconds=export.timeline_window_seconds,
            timeline_step_seconds=export.timeline_step_seconds,
        ),
        conditioning=conditioning,
        front_end={**asdict(config), "classifier": model.kind, "settings": dict(model.settings)},
        temperature=model.temperature,
        abstain_below=model.abstain_below,
        intensity=False,
        training_data=tuple(training_data),
        licence=export.licence,
        metrics={**metrics, "search": [_to_json(trial) for trial in model.trials]},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        serenade=serenade.__version__,
        adaptation=None if model.voice is None else model.voice.adaptation,
    )
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    onnx.save(to_graph(model, n_values=check_vectors.shape[1]), part / "model.onnx")
    write_spec(spec, part / "spec.json")
    (part / "CARD.md").write_text(_card(spec), encoding="utf-8")
    write_checksums(part)
    difference = _check_parity(model, part, check_vectors)
    spec = replace(spec, metrics={**spec.metrics, PARITY_METRIC: difference})
    write_spec(spec, part / "spec.json")
    write_checksums(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return difference


def to_graph(model: ClassicalModel, *, n_values: int) -> onnx.ModelProto:
    """Give a classical model as an ONNX graph.

    Parameters
    ----------
    model : ClassicalModel
        Scaler and classifier.
    n_values : int
        Length of a feature vector.

    Returns
    -------
    onnx.ModelProto
        Input ``features`` (batch, n_values), output ``logits`` (batch, n_labels), both float32;
        a model that adapts has the inputs and the output of :mod:`serenade.model.adaptation` too.
    """
    options: dict[str, bool] = {"zipmap": False}
    if gives_decisions(model.pipeline):
        options["raw_scores"] = True
    with warnings.catch_warnings():
        # skl2onnx asks support vector machines for attributes that scikit-learn 1.9 deprecates.
        warnings.simplefilter("ignore", FutureWarning)
        graph = to_onnx(
            model.pipeline,
            initial_types=[("features", FloatTensorType([None, n_values]))],
            options={id(model.pipeline.named_steps[STEP]): options},
            target_opset=OPSET,
        )
    graph = _with_logits(select_model_inputs_outputs(graph, outputs=["probabilities"]), model)
    if model.voice is not None:
        _put_voice_before(graph, model.voice, n_values=n_values)
    onnx.checker.check_model(graph)
    return graph


def _put_voice_before(graph: onnx.ModelProto, voice: Voice, *, n_values: int) -> None:
    """Let the graph take what is known of a speaker; see :mod:`serenade.model.adaptation`."""
    for node in graph.graph.node:
        node.input[:] = ["adapted" if name == "features" else name for name in node.input]
    population = voice.population
    # An input that is an initializer as well is optional: without a speaker, the population.
    defaults = {
        "reference_mean": np.zeros(n_values, np.float32),
        "reference_deviation": np.ones(n_values, np.float32),
    }
    for name in defaults:
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, [n_values])
        graph.graph.input.append(info)
    constants = {
        "population_mean": population.mean,
        "population_deviation": population.deviation,
    }
    for name, values in {**defaults, **constants}.items():
        graph.graph.initializer.append(numpy_helper.from_array(values, name))
    before = [
        helper.make_node("Sub", ["features", "population_mean"], ["centred"]),
        helper.make_node("Div", ["centred", "population_deviation"], ["embedding"]),
        helper.make_node("Sub", ["embedding", "reference_mean"], ["about_speaker"]),
        helper.make_node("Div", ["about_speaker", "reference_deviation"], ["adapted"]),
    ]
    after = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*before, *after])
    shape: list[str | int | None] = ["batch", n_values]
    graph.graph.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, shape))


def _with_logits(graph: onnx.ModelProto, model: ClassicalModel) -> onnx.ModelProto:
    """Name decision values logits, or take the logarithm of probabilities."""
    if gives_decisions(model.pipeline):
        nodes = [helper.make_node("Identity", ["probabilities"], ["logits"])]
    else:
        floor = numpy_helper.from_array(np.array(PROBABILITY_FLOOR, np.float32), "floor")
        graph.graph.initializer.append(floor)
        nodes = [
            helper.make_node("Max", ["probabilities", "floor"], ["floored"]),
            helper.make_node("Log", ["floored"], ["logits"]),
        ]
    graph.graph.node.extend(nodes)
    del graph.graph.output[:]
    shape: list[str | int | None] = ["batch", len(model.labels)]
    graph.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape))
    return graph


def _check_parity(model: ClassicalModel, folder: Path, vectors: FloatArray) -> float:
    scorer = open_scorer(open_bundle(folder))
    logits = scorer.score(list(vectors)).logits
    got = probabilities(logits, temperature=model.temperature)
    difference = float(np.abs(got - model.probabilities(vectors)).max())
    if not difference <= PARITY:
        raise TrainingError(
            f"the exported {model.kind} differs from scikit-learn by {difference:.2g} in a"
            f" probability, allowed is {PARITY}; the bundle was not written"
        )
    return difference


def _to_json(trial: Trial) -> dict[str, Any]:
    return {"settings": dict(trial.settings), "uar": trial.uar, "fold_uars": list(trial.fold_uars)}


def _card(spec: ModelSpec) -> str:
    return (
        f"# {spec.name} {spec.version}\n\n{spec.description}\n\n{classifier_section(spec)}\n"
        "Not measured on speakers that it never heard.\n"
    )
