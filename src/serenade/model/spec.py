"""What a bundle says about its model: ``spec.json``, read and written here alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from serenade.emotions import LabelSet, parse_emotion
from serenade.errors import LabelError, ModelError
from serenade.model.adaptation import Adaptation
from serenade.model.table import Table, refuse
from serenade.model.version import VERSION_FORM, is_version
from serenade.model.windowing import Windowing, parse_windowing
from serenade.types import Conditioning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT_VERSION = 1
"""Version of ``spec.json`` that this release writes, and the newest that it reads."""

SAMPLE_RATE = 16000
"""Sample rate of every model [Hz]."""

QUIETEST_DB = 80.0
"""What lies so far below something louder is nothing [dB]."""

LONGEST_PADDING_SECONDS = 60.0
"""More kept around trimmed speech would be no trimming [s]."""


@dataclass(frozen=True, slots=True)
class WaveformInput:
    """The model takes audio; its front end is inside the graph.

    Parameters
    ----------
    int8_products : bool
        Whether the graph multiplies 8-bit integers. Their rounding turns the last bits of a
        processor's arithmetic into differences of up to about 0.01 in a probability, so such a
        model is not offered where two runtimes must agree.
    """

    int8_products: bool = False


@dataclass(frozen=True, slots=True)
class FeatureInput:
    """The model takes the vector that a front end of :mod:`serenade.features` computes.

    Parameters
    ----------
    front_end : str
        Name of the front end.
    fingerprint : str
        What identifies its exact settings; a front end that differs cannot feed the model.
    """

    front_end: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TrainingData:
    """One corpus that the weights were trained on.

    Parameters
    ----------
    corpus : str
        Name of the corpus.
    licence : str
        Licence of its recordings.
    details : mapping of str to JSON value
        Anything else worth telling: speakers, utterances, citation, address.
    """

    corpus: str
    licence: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that is needed to use a model right and to say where it comes from.

    Parameters
    ----------
    name, version : str
        Together they identify the weights.
    description : str
        One sentence for people.
    sample_rate : int
        Sample rate of the input [Hz]; always 16000.
    input : WaveformInput or FeatureInput
        What the graph takes.
    labels : LabelSet
        Emotions in the order of the outputs.
    windowing : Windowing
        How much audio the model sees at once.
    conditioning : Conditioning
        What is done to audio before the model.
    front_end : mapping of str to JSON value
        What the graph computes from audio, for people; nothing reads it.
    temperature : float
        Divides the logits before the softmax; above 0.
    abstain_below : float
        A lower confidence is reported as "not sure", in [0, 1].
    intensity : bool
        Whether the graph also gives the strength of the emotion.
    training_data : tuple of TrainingData
        What the weights were trained on.
    licence : str
        Licence of the weights.
    metrics : mapping of str to JSON value
        Measured results, for people.
    created : str
        When the bundle was written (ISO 8601).
    serenade : str
        Release that wrote the bundle.
    adaptation : Adaptation or None
        How the model adapts to a speaker, if it does.
    """

    name: str
    version: str
    description: str
    sample_rate: int
    input: WaveformInput | FeatureInput
    labels: LabelSet
    windowing: Windowing
    conditioning: Conditioning
    front_end: Mapping[str, Any]
    temperature: float
    abstain_below: float
    intensity: bool
    training_data: tuple[TrainingData, ...]
    licence: str
    metrics: Mapping[str, Any]
    created: str
    serenade: str
    adaptation: Adaptation | None = None

    @property
    def model_id(self) -> str:
        """Name and version, as predictions carry them."""
        return f"{self.name} {self.version}"


def read_spec(path: Path) -> ModelSpec:
    """Read ``spec.json``.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ModelSpec
        The checked content.

    Raises
    ------
    ModelError
        If the file is not JSON, or as :func:`parse_spec`.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} cannot be read as JSON ({error}); export the bundle anew"
        ) from error
    return parse_spec(data)


def write_spec(spec: ModelSpec, path: Path) -> None:
    """Write ``spec.json``.

    Parameters
    ----------
    spec : ModelSpec
        What to write; it is checked as when read.
    path : Path
        The file, which is replaced.

    Raises
    ------
    ModelError
        As :func:`parse_spec`.
    """
    data = to_json(spec)
    parse_spec(data)
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def to_json(spec: ModelSpec) -> dict[str, Any]:
    """Give a specification as the JSON object of ``spec.json``.

    Parameters
    ----------
    spec : ModelSpec
        What to write.

    Returns
    -------
    dict
        Only JSON types; :func:`parse_spec` turns it back into an equal value.
    """
    match spec.input:
        case WaveformInput():
            kind: dict[str, Any] = {"kind": "waveform"}
            if spec.input.int8_products:
                kind["int8_products"] = True
        case FeatureInput():
            kind = {"kind": "features", **asdict(spec.input)}
    optional = {} if spec.adaptation is None else {"adaptation": asdict(spec.adaptation)}
    return {
        "format_version": FORMAT_VERSION,
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "sample_rate": spec.sample_rate,
        "input": kind,
        "labels": list(spec.labels),
        "windowing": asdict(spec.windowing),
        "conditioning": spec.conditioning.to_json(),
        "front_end": dict(spec.front_end),
        "calibration": {"temperature": spec.temperature},
        "thresholds": {"abstain_below": spec.abstain_below},
        "outputs": {"intensity": spec.intensity},
        **optional,
        "training_data": [
            {"corpus": data.corpus, "licence": data.licence, **data.details}
            for data in spec.training_data
        ],
        "licence": spec.licence,
        "metrics": dict(spec.metrics),
        "created": spec.created,
        "serenade": spec.serenade,
    }


def parse_spec(data: object) -> ModelSpec:
    """Check the JSON object of ``spec.json``.

    Parameters
    ----------
    data : object
        What a JSON parser gave.

    Returns
    -------
    ModelSpec
        The checked content.

    Raises
    ------
    ModelError
        If a key is missing, unknown or has a wrong value (the message gives its path), or the
        format is newer than this release.
    """
    root = Table(data, "")
    _check_format(root.integer("format_version"))
    calibration = root.table("calibration")
    thresholds = root.table("thresholds")
    outputs = root.table("outputs")
    spec = ModelSpec(
        name=root.text("name"),
        version=_parse_version(root.text("version")),
        description=root.text("description"),
        sample_rate=root.integer("sample_rate"),
        input=_parse_input(root.table("input")),
        labels=_parse_labels(root.array("labels")),
        windowing=parse_windowing(root.table("windowing")),
        conditioning=_parse_conditioning(root.table("conditioning")),
        front_end=root.table("front_end").rest(),
        temperature=calibration.number("temperature"),
        abstain_below=thresholds.number("abstain_below"),
        intensity=outputs.boolean("intensity"),
        training_data=tuple(
            _parse_training_data(Table(item, f"training_data[{i}]"))
            for i, item in enumerate(root.array("training_data"))
        ),
        licence=root.text("licence"),
        metrics=root.table("metrics").rest(),
        created=root.text("created"),
        serenade=root.text("serenade"),
        adaptation=_parse_adaptation(root.table("adaptation")) if "adaptation" in root else None,
    )
    for table in (root, calibration, thresholds, outputs):
        table.finish()
    if spec.sample_rate != SAMPLE_RATE:
        refuse("sample_rate", spec.sample_rate, f"{SAMPLE_RATE}")
    if not spec.temperature > 0:
        refuse("calibration.temperature", spec.temperature, "a number above 0")
    if not 0 <= spec.abstain_below <= 1:
        refuse("thresholds.abstain_below", spec.abstain_below, "a number from 0 to 1")
    return spec


def _parse_version(text: str) -> str:
    if not is_version(text):
        refuse("version", text, VERSION_FORM)
    return text


def _check_format(version: int) -> None:
    if version > FORMAT_VERSION:
        raise ModelError(
            f"spec.json has format version {version} and this release reads up to"
            f" {FORMAT_VERSION}; upgrade Serenade: pip install --upgrade serenade"
        )
    if version < 1:
        refuse("format_version", version, f"a number from 1 to {FORMAT_VERSION}")


def _parse_input(table: Table) -> WaveformInput | FeatureInput:
    kind = table.text("kind")
    spec: WaveformInput | FeatureInput
    if kind == "waveform":
        spec = WaveformInput(int8_products=table.boolean_or("int8_products", default=False))
    elif kind == "features":
        spec = FeatureInput(
            front_end=table.text("front_end"), fingerprint=table.text("fingerprint")
        )
    else:
        refuse("input.kind", kind, "'waveform' or 'features'")
    table.finish()
    return spec


def _parse_labels(labels: list[Any]) -> LabelSet:
    for i, label in enumerate(labels):
        if not isinstance(label, str):
            refuse(f"labels[{i}]", label, "text")
        try:
            canonical = parse_emotion(label, allow_new=True)
        except LabelError as error:
            raise ModelError(f"spec.json: labels[{i}]: {error}") from error
        if label != canonical:
            refuse(f"labels[{i}]", label, f"the canonical name {canonical!r}")
    try:
        return LabelSet(tuple(labels))
    except LabelError as error:
        raise ModelError(f"spec.json: labels: {error}") from error


def _parse_conditioning(table: Table) -> Conditioning:
    conditioning = Conditioning(
        remove_offset=table.boolean("remove_offset"),
        trim_below_db=table.number_or_null("trim_below_db"),
        trim_padding_seconds=table.number("trim_padding_seconds"),
        level_dbfs=table.number_or_null("level_dbfs"),
        reduce_noise=table.boolean_or("reduce_noise", default=False),
    )
    table.finish()
    below, level = conditioning.trim_below_db, conditioning.level_dbfs
    if below is not None and not 0 < below <= QUIETEST_DB:
        refuse("conditioning.trim_below_db", below, f"above 0 and up to {QUIETEST_DB:g}, or null")
    if not 0 <= conditioning.trim_padding_seconds <= LONGEST_PADDING_SECONDS:
        padding = conditioning.trim_padding_seconds
        refuse(
            "conditioning.trim_padding_seconds", padding, f"from 0 to {LONGEST_PADDING_SECONDS:g}"
        )
    if level is not None and not -QUIETEST_DB <= level <= 0:
        refuse("conditioning.level_dbfs", level, f"from -{QUIETEST_DB:g} to 0, or null")
    return conditioning


def _parse_adaptation(table: Table) -> Adaptation:
    adaptation = Adaptation(
        n_embedding=table.integer("n_embedding"),
        prior_clips=table.number("prior_clips"),
        prior_clips_deviation=table.number("prior_clips_deviation"),
    )
    table.finish()
    if adaptation.n_embedding < 1:
        refuse("adaptation.n_embedding", adaptation.n_embedding, "1 or more")
    if adaptation.prior_clips < 0:
        refuse("adaptation.prior_clips", adaptation.prior_clips, "0 or more")
    if adaptation.prior_clips_deviation <= 0:
        refuse("adaptation.prior_clips_deviation", adaptation.prior_clips_deviation, "above 0")
    return adaptation


def _parse_training_data(table: Table) -> TrainingData:
    return TrainingData(
        corpus=table.text("corpus"), licence=table.text("licence"), details=table.rest()
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
