"""Ensembles: several bundles joined into one, with a single graph.

Every member's logits are divided by its own temperature and become probabilities over the emotions
that all members know; the ensemble's logits are the logarithm of the weighted mean of these.

References
----------
Kittler, Hatef, Duin and Matas, "On combining classifiers", IEEE TPAMI 20(3), 1998: the sum rule.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, version_converter

import serenade
from serenade.emotions import LabelSet
from serenade.errors import ModelError, TrainingError, UsageError
from serenade.model.bundle import open_bundle, write_checksums
from serenade.model.calibration import probabilities
from serenade.model.scorer import open_scorer
from serenade.model.spec import (
    SAMPLE_RATE,
    ModelSpec,
    TrainingData,
    WaveformInput,
    write_spec,
)
from serenade.model.version import VERSION_FORM, is_version
from serenade.model.windowing import Windowing
from serenade.training.card import USES, limits_section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.model.bundle import Bundle

PARITY = 1e-5
"""Largest difference of a probability between the ensemble and the mean of its members."""

SMALLEST_PROBABILITY = 1e-30
"""Keeps the logarithm finite; far below what a 32-bit softmax tells apart."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Member:
    """A bundle of an ensemble.

    Parameters
    ----------
    bundle : Bundle
        Takes waveforms.
    weight : float
        Share of its probabilities, in (0, 1); all shares sum to 1.
    """

    bundle: Bundle
    weight: float


def build_ensemble(
    paths: Sequence[Path], weights: Sequence[float], output: Path, *, version: str
) -> float:
    """Write several bundles as one.

    Its name is that of the folder. Its windows suit all members; its threshold is the weighted mean
    of theirs. It does not adapt to speakers, and rates the intensity if one of them does.

    Parameters
    ----------
    paths : sequence of Path
        Folders of at least two bundles that take waveforms and condition audio alike.
    weights : sequence of float
        One for each, above 0, of any sum.
    output : Path
        Folder to make; it must not exist.
    version : str
        Of the ensemble.

    Returns
    -------
    float
        Largest difference of a probability from the weighted mean of the members' own.

    Raises
    ------
    UsageError
        If the bundles cannot be joined, or the weights, the folder or the version are wrong.
    ModelError
        If a bundle is damaged.
    TrainingError
        If the joined graph answers differently from its members.
    """
    if not is_version(version):
        raise UsageError(f"the version must be {VERSION_FORM}, got {version!r}")
    members = _members(paths, weights)
    labels = common_labels(members)
    if output.exists():
        raise UsageError(f"{str(output)!r} exists already; choose another --output")
    partial = output.with_name(f".{output.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        spec = _spec(members, labels, name=output.name, version=version)
        write_spec(spec, partial / "spec.json")
        onnx.save(_join(members, labels, intensity=spec.intensity), partial / "model.onnx")
        (partial / "CARD.md").write_text(_card(spec, members), encoding="utf-8")
        write_checksums(partial)
        difference = _check(open_bundle(partial), members)
        partial.rename(output)
    except OSError as error:
        raise UsageError(f"{str(output)!r} cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return difference


def common_labels(members: Sequence[Member]) -> LabelSet:
    """Give the emotions that every member tells apart.

    Parameters
    ----------
    members : sequence of Member
        At least one.

    Returns
    -------
    LabelSet
        In the order of the first member.

    Raises
    ------
    UsageError
        If fewer than two emotions are common to all.
    """
    sets = [member.bundle.spec.labels for member in members]
    common = tuple(label for label in sets[0] if all(label in other for other in sets))
    if len(common) < 2:
        told = "; ".join(", ".join(labels) for labels in sets)
        raise UsageError(f"the models have fewer than two emotions in common: {told}")
    return LabelSet(common)


def mean_probabilities(
    scored: Sequence[Floats], members: Sequence[Member], labels: LabelSet
) -> Floats:
    """Average the probabilities of members over the emotions that all of them know.

    Parameters
    ----------
    scored : sequence of ndarray of shape (n, n_labels of the member)
        Calibrated probabilities of each member.
    members : sequence of Member
        They give weights and labels.
    labels : LabelSet
        Emotions of the ensemble.

    Returns
    -------
    ndarray of shape (n, len(labels))
        Rows sum to 1.
    """
    mean = np.zeros((scored[0].shape[0], len(labels)))
    for member, own in zip(members, scored, strict=True):
        chosen = own[:, [member.bundle.spec.labels.index(label) for label in labels]]
        mean += member.weight * chosen / chosen.sum(axis=1, keepdims=True)
    return mean


def _members(paths: Sequence[Path], weights: Sequence[float]) -> list[Member]:
    if len(paths) < 2:
        raise UsageError(f"an ensemble needs two models or more, got {len(paths)}")
    if len(weights) != len(paths):
        raise UsageError(f"there are {len(paths)} models and {len(weights)} weights; give one each")
    if not all(np.isfinite(weight) and weight > 0 for weight in weights):
        raise UsageError(f"weights must be above 0, got {', '.join(f'{w:g}' for w in weights)}")
    total = sum(weights)
    if not np.isfinite(total):
        raise UsageError(f"weights must have a finite sum, got {total:g}; 0.7,0.3 is usual")
    members = [
        Member(open_bundle(path), weight / total)
        for path, weight in zip(paths, weights, strict=True)
    ]
    first = members[0].bundle.spec
    for member in members:
        spec = member.bundle.spec
        if not isinstance(spec.input, WaveformInput):
            raise UsageError(
                f"{spec.model_id} takes the features of a classical model; only models that take"
                " the waveform can be joined"
            )
        if spec.conditioning != first.conditioning:
            raise UsageError(
                f"{first.model_id} and {spec.model_id} condition audio differently, so one clip"
                " cannot be given to both; train them with the same [conditioning]"
            )
    return members


def _join(members: Sequence[Member], labels: LabelSet, *, intensity: bool) -> onnx.ModelProto:
    """Put the graphs side by side on the same inputs, and the weighted mean behind them."""
    models = [onnx.load(member.bundle.model_path) for member in members]
    models = _same_opsets(models)
    nodes: list[onnx.NodeProto] = []
    initializers: list[onnx.TensorProto] = []
    functions: list[onnx.FunctionProto] = []
    for number, model in enumerate(models):
        prefix = f"m{number}_"
        _drop_optional_inputs(model)
        prefixed = compose.add_prefix(model, prefix)
        nodes += [
            helper.make_node("Identity", [name], [prefix + name])
            for name in ("waveform", "lengths")
        ]
        nodes += prefixed.graph.node
        initializers += prefixed.graph.initializer
        functions += prefixed.functions
    more, constants = _mean(members, labels, intensity=intensity)
    outputs: dict[str, list[str | int]] = {"logits": ["batch", len(labels)]}
    if intensity:
        outputs["intensity"] = ["batch"]
    graph = helper.make_graph(
        nodes + more,
        "ensemble",
        [
            helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", "samples"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"]),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in outputs.items()
        ],
        initializers + [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    domains = {entry.domain: entry for model in models for entry in model.opset_import}
    joined = helper.make_model(
        graph,
        opset_imports=list(domains.values()),
        functions=functions,
        ir_version=max(model.ir_version for model in models),
    )
    onnx.checker.check_model(joined)
    return joined


def _mean(
    members: Sequence[Member], labels: LabelSet, *, intensity: bool
) -> tuple[list[onnx.NodeProto], dict[str, npt.NDArray[Any]]]:
    """Nodes and constants from the members' outputs to those of the ensemble."""
    nodes, shares = [], []
    constants: dict[str, npt.NDArray[Any]] = {
        "smallest": np.array(SMALLEST_PROBABILITY, np.float32)
    }
    for number, member in enumerate(members):
        own, spec = f"mean{number}_", member.bundle.spec
        constants[own + "labels"] = np.array([spec.labels.index(label) for label in labels])
        constants[own + "temperature"] = np.array(spec.temperature, np.float32)
        constants[own + "weight"] = np.array(member.weight, np.float32)
        nodes += [
            helper.make_node(
                "Gather", [f"m{number}_logits", own + "labels"], [own + "chosen"], axis=1
            ),
            helper.make_node("Div", [own + "chosen", own + "temperature"], [own + "scaled"]),
            helper.make_node("Softmax", [own + "scaled"], [own + "probabilities"], axis=1),
            helper.make_node("Mul", [own + "probabilities", own + "weight"], [own + "share"]),
        ]
        shares.append(own + "share")
    nodes += [
        helper.make_node("Sum", shares, ["mean"]),
        helper.make_node("Max", ["mean", "smallest"], ["positive"]),
        helper.make_node("Log", ["positive"], ["logits"]),
    ]
    if intensity:
        rating = [(n, m) for n, m in enumerate(members) if m.bundle.spec.intensity]
        total = sum(member.weight for _, member in rating)
        for number, member in rating:
            name = f"intensity{number}_"
            constants[name + "weight"] = np.array(member.weight / total, np.float32)
            nodes.append(
                helper.make_node("Mul", [f"m{number}_intensity", name + "weight"], [name + "share"])
            )
        rated = [f"intensity{number}_share" for number, _ in rating]
        nodes.append(helper.make_node("Sum", rated, ["intensity"]))
    return nodes, constants


def _drop_optional_inputs(model: onnx.ModelProto) -> None:
    """Fix inputs that have a default, those of the adaptation to speakers, to it."""
    kept = [value for value in model.graph.input if value.name in ("waveform", "lengths")]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    # Members must not tell of shapes that the joined graph's batch contradicts.
    del model.graph.value_info[:]


def _same_opsets(models: Sequence[onnx.ModelProto]) -> list[onnx.ModelProto]:
    """Bring all graphs to the newest operator set among them."""
    versions = [
        next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        for model in models
    ]
    newest = max(versions)
    return [
        model if version == newest else version_converter.convert_version(model, newest)
        for model, version in zip(models, versions, strict=True)
    ]


def _spec(members: Sequence[Member], labels: LabelSet, *, name: str, version: str) -> ModelSpec:
    specs = [member.bundle.spec for member in members]
    windows = [spec.windowing for spec in specs]
    longest = min(window.max_seconds for window in windows)
    licences = dict.fromkeys(spec.licence for spec in specs)
    data: list[TrainingData] = []
    for spec in specs:
        data += [entry for entry in spec.training_data if entry not in data]
    told = ", ".join(f"{100 * m.weight:.0f} % {m.bundle.spec.model_id}" for m in members)
    return ModelSpec(
        name=name,
        version=version,
        description=f"An ensemble: {told}.",
        sample_rate=SAMPLE_RATE,
        input=WaveformInput(
            int8_products=any(
                isinstance(spec.input, WaveformInput) and spec.input.int8_products for spec in specs
            )
        ),
        labels=labels,
        windowing=Windowing(
            min_seconds=max(window.min_seconds for window in windows),
            max_seconds=longest,
            hop_seconds=min(longest, *(window.hop_seconds for window in windows)),
            sure_from_seconds=max(window.sure_from_seconds for window in windows),
            timeline_window_seconds=min(
                longest, max(window.timeline_window_seconds for window in windows)
            ),
            timeline_step_seconds=min(window.timeline_step_seconds for window in windows),
        ),
        conditioning=specs[0].conditioning,
        front_end={spec.model_id: dict(spec.front_end) for spec in specs},
        temperature=1.0,
        abstain_below=sum(m.weight * m.bundle.spec.abstain_below for m in members),
        intensity=any(spec.intensity for spec in specs),
        training_data=tuple(data),
        licence="; ".join(licences),
        metrics={
            "members": {
                m.bundle.spec.model_id: {"weight": m.weight, **m.bundle.spec.metrics}
                for m in members
            }
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        serenade=serenade.__version__,
    )


def _card(spec: ModelSpec, members: Sequence[Member]) -> str:
    rows = "\n".join(
        f"| {m.bundle.spec.model_id} | {m.weight:.3f} | {m.bundle.spec.temperature:.2f} |"
        f" {', '.join(m.bundle.spec.labels)} | {m.bundle.spec.licence} |"
        for m in members
    )
    corpora = "\n".join(
        f"- {name}: {licence}"
        for name, licence in dict.fromkeys((d.corpus, d.licence) for d in spec.training_data)
    )
    return (
        f"# {spec.name} {spec.version}\n\n{spec.description} The answer is the weighted mean of the"
        f" members' calibrated probabilities over {', '.join(spec.labels)}.\n\n"
        "| member | weight | temperature | emotions | licence |\n|---|---|---|---|---|\n"
        f"{rows}\n\nLicence: {spec.licence}\n\n## Training data\n\n{corpora}\n\n"
        "## Accuracy\n\nNot measured as a whole: `serenade evaluate` does, on speakers that no"
        " member was trained on. The threshold of 'not sure' is the weighted mean of the members',"
        f" {spec.abstain_below:.2f}.\n\n{USES}\n{limits_section(spec)}"
    )


def _check(joined: Bundle, members: Sequence[Member]) -> float:
    """Compare with the weighted mean of the members' own answers, on made-up voices."""
    rng = np.random.default_rng(0)
    shortest = joined.spec.windowing.min_seconds
    longest = min(3.0, joined.spec.windowing.max_seconds)
    clips = []
    for seconds in np.linspace(shortest, longest, 4):
        time = np.arange(max(1, round(seconds * SAMPLE_RATE))) / SAMPLE_RATE
        voice = np.sin(2 * np.pi * rng.uniform(100, 300) * time) * np.sin(9.0 * time)
        clips.append((0.2 * voice + 0.02 * rng.standard_normal(time.size)).astype(np.float32))
    scored = [
        probabilities(
            open_scorer(member.bundle).score(clips).logits,
            temperature=member.bundle.spec.temperature,
        )
        for member in members
    ]
    expected = mean_probabilities(scored, members, joined.spec.labels)
    try:
        logits = open_scorer(joined).score(clips).logits
    except ModelError as error:
        raise TrainingError(f"the joined graph does not run: {error}") from error
    difference = float(np.abs(probabilities(logits, temperature=1.0) - expected).max())
    if not difference <= PARITY:
        raise TrainingError(
            f"the joined graph differs from its members by {difference:.2g} in a probability,"
            f" allowed is {PARITY}; the ensemble was not written"
        )
    return difference
