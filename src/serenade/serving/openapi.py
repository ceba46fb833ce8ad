"""What the OpenAPI description says about bodies and answers, with examples."""

from __future__ import annotations

from typing import Any

from serenade.serving.uploads import MOST_REFERENCES
from serenade.types import WARNINGS

Responses = dict[int | str, dict[str, Any]]

_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
_EMOTION = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
_WARNINGS = {"type": "array", "items": {"type": "string", "enum": list(WARNINGS)}}

_ADAPTED_TO = {
    "type": "object",
    "required": ["clips", "seconds"],
    "additionalProperties": False,
    "description": "How much of the speaker was heard until then; absent without adaptation.",
    "properties": {
        "clips": {"type": "integer", "minimum": 0},
        "seconds": {"type": "number", "minimum": 0},
    },
}

_PREDICTION_SCHEMA = {
    "title": "Prediction",
    "type": "object",
    "required": [
        "schema",
        "path",
        "duration_s",
        "model",
        "emotion",
        "confidence",
        "abstained",
        "probabilities",
        "intensity",
        "warnings",
    ],
    "additionalProperties": False,
    "properties": {
        "schema": {"type": "integer", "const": 1},
        "path": {"type": "string", "description": "Name of the file, or - where none was given."},
        "duration_s": {"type": "number", "exclusiveMinimum": 0},
        "model": {"type": "string"},
        "emotion": _EMOTION,
        "confidence": _PROBABILITY,
        "abstained": {
            "type": "boolean",
            "description": "Whether the confidence is below the model's threshold: not sure.",
        },
        "probabilities": {"type": "object", "additionalProperties": _PROBABILITY},
        "intensity": {"oneOf": [_PROBABILITY, {"type": "null"}]},
        "warnings": _WARNINGS,
        "adapted_to": _ADAPTED_TO,
    },
}

_PREDICTION_EXAMPLE = {
    "schema": 1,
    "path": "voice.wav",
    "duration_s": 2.41,
    "model": "compact 1.0.0",
    "emotion": "anger",
    "confidence": 0.83,
    "abstained": False,
    "probabilities": {"neutral": 0.05, "happiness": 0.09, "sadness": 0.03, "anger": 0.83},
    "intensity": 0.6,
    "warnings": [],
}

_PROBLEM_SCHEMA = {
    "title": "Problem (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "pattern": "^urn:serenade:problem:[a-z-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "One sentence for people."},
    },
}

_MODEL_SCHEMA = {
    "title": "Model",
    "type": "object",
    "required": ["name", "id", "description", "labels", "licence", "in_browser"],
    "properties": {
        "name": {"type": "string"},
        "id": {"type": "string", "description": "Name and version, as predictions carry them."},
        "description": {"type": "string"},
        "labels": {"type": "array", "items": _EMOTION},
        "licence": {"type": "string"},
        "training_data": {"type": "array", "items": {"type": "string"}},
        "abstain_below": _PROBABILITY,
        "min_seconds": {"type": "number", "exclusiveMinimum": 0},
        "sure_from_seconds": {"type": "number", "minimum": 0},
        "adapts_to_speakers": {"type": "boolean"},
        "bytes": {"type": "integer", "minimum": 1},
        "in_browser": {
            "type": "boolean",
            "description": "Whether the graph takes audio and so runs in a browser.",
        },
    },
}


def _problem(description: str, status: int, title: str, name: str, detail: str) -> Responses:
    example = {
        "type": f"urn:serenade:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    content = {"application/problem+json": {"schema": _PROBLEM_SCHEMA, "example": example}}
    return {status: {"description": description, "content": content}}


def _answer(
    description: str, schema: dict[str, Any], example: object, media_type: str = "application/json"
) -> Responses:
    content = {media_type: {"schema": schema, "example": example}}
    return {200: {"description": description, "content": content}}


UNAUTHORIZED = _problem(
    "A key is needed.",
    401,
    "Unauthorized",
    "no-key",
    "the service needs a valid API key; send it as Authorization: Bearer KEY",
)

NO_MODEL = _problem(
    "There is no such model.",
    404,
    "Not Found",
    "unknown-model",
    "there is no model 'big'; choose one of compact",
)

PROBLEMS: Responses = (
    _problem(
        "The form is broken.",
        400,
        "Bad Request",
        "broken-form",
        "the form cannot be read: Missing boundary in multipart.",
    )
    | NO_MODEL
    | _problem(
        "The body or the recording is too long.",
        413,
        "Request Entity Too Large",
        "recording-too-long",
        "what was sent is longer than 3600 s; send the recording in parts",
    )
    | _problem(
        "The body is declared as something else than audio.",
        415,
        "Unsupported Media Type",
        "not-audio",
        "the body is declared as 'text/html'; send audio/wav",
    )
    | _problem(
        "The recording or a parameter cannot be used.",
        422,
        "Unprocessable Entity",
        "unusable-audio",
        "the recording holds only silence; check the microphone or the file",
    )
    | _problem(
        "The service has too much to do.",
        503,
        "Service Unavailable",
        "busy",
        "the service is busy with 18 requests; try again later",
    )
)

PREDICTION = _answer("What the model says.", _PREDICTION_SCHEMA, _PREDICTION_EXAMPLE)

_SEGMENT_SCHEMA = {
    "type": "object",
    "required": ["start_s", "stop_s", "speech"],
    "properties": {
        "start_s": {"type": "number", "minimum": 0},
        "stop_s": {"type": "number", "minimum": 0},
        "speech": {"type": "boolean"},
        "emotion": _EMOTION,
        "confidence": _PROBABILITY,
        "abstained": {"type": "boolean"},
        "probabilities": {"type": "object", "additionalProperties": _PROBABILITY},
        "intensity": {"oneOf": [_PROBABILITY, {"type": "null"}]},
        "warnings": _WARNINGS,
        "adapted_to": _ADAPTED_TO,
    },
}

_TIMELINE_SCHEMA = {
    "title": "Timeline",
    "type": "object",
    "required": [
        "schema",
        "path",
        "duration_s",
        "model",
        "speech_s",
        "shares",
        "channel",
        "segments",
        "hops",
    ],
    "properties": {
        "schema": {"type": "integer", "const": 1},
        "path": {"type": "string"},
        "duration_s": {"type": "number", "minimum": 0},
        "model": {"type": "string"},
        "speech_s": {"type": "number", "minimum": 0},
        "adapted_to": _ADAPTED_TO,
        "shares": {"type": "object", "additionalProperties": _PROBABILITY},
        "channel": {
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "From 0; null where all channels were mixed.",
        },
        "segments": {"type": "array", "items": _SEGMENT_SCHEMA},
        "hops": {"type": "array", "items": _SEGMENT_SCHEMA},
    },
}

_SEGMENT_EXAMPLE = {
    "start_s": 0.32,
    "stop_s": 2.2,
    "speech": True,
    "emotion": "anger",
    "confidence": 0.83,
    "abstained": False,
    "probabilities": {"neutral": 0.05, "happiness": 0.09, "sadness": 0.03, "anger": 0.83},
    "intensity": 0.6,
    "warnings": [],
}

TIMELINE = _answer(
    "Segments without gaps; with channels=split, an object with one timeline per channel.",
    {
        "oneOf": [
            _TIMELINE_SCHEMA,
            {
                "type": "object",
                "required": ["channels"],
                "additionalProperties": False,
                "properties": {"channels": {"type": "array", "items": _TIMELINE_SCHEMA}},
            },
        ]
    },
    # of a channel, as FastAPI leaves out what is null in an example
    {
        "channels": [
            {
                "schema": 1,
                "path": "call.wav",
                "duration_s": 2.41,
                "model": "compact 1.0.0",
                "speech_s": 1.88,
                "shares": {"neutral": 0.0, "happiness": 0.0, "sadness": 0.0, "anger": 1.0},
                "channel": 0,
                "segments": [{"start_s": 0.0, "stop_s": 0.32, "speech": False}, _SEGMENT_EXAMPLE],
                "hops": [_SEGMENT_EXAMPLE],
            }
        ]
    },
)

MODELS = _answer(
    "The models; the first is the default.",
    {
        "type": "object",
        "required": ["models"],
        "properties": {"models": {"type": "array", "items": _MODEL_SCHEMA, "minItems": 1}},
    },
    {
        "models": [
            {
                "name": "compact",
                "id": "compact 1.0.0",
                "description": "A small network for streams and browsers.",
                "labels": ["neutral", "happiness", "sadness", "anger"],
                "licence": "CC BY-NC-SA 4.0",
                "training_data": ["RAVDESS", "CREMA-D"],
                "abstain_below": 0.4,
                "min_seconds": 0.3,
                "sure_from_seconds": 1.0,
                "adapts_to_speakers": False,
                "bytes": 4194304,
                "in_browser": True,
            }
        ]
    },
)

SPECIFICATION = _answer(
    "The content of spec.json.",
    {"type": "object", "required": ["name", "version", "labels", "conditioning"]},
    {"name": "compact", "version": "1.0.0", "labels": ["neutral", "anger"], "conditioning": {}},
)

WEIGHTS: Responses = {
    200: {
        "description": "The ONNX graph.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

METRICS: Responses = {
    200: {
        "description": "Text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}

OK = _answer(
    "It is alive.",
    {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}},
    {"status": "ok"},
)

READY = _answer(
    "It can work.",
    {
        "type": "object",
        "required": ["status", "models"],
        "properties": {
            "status": {"const": "ok"},
            "models": {"type": "array", "items": {"type": "string"}},
        },
    },
    {"status": "ok", "models": ["compact"]},
)

_BINARY = {"schema": {"type": "string", "format": "binary"}}

RECORDING: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "wav, flac, Ogg Vorbis, Ogg Opus or mp3, as it is or in a form.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "speaker_reference": {
                            "type": "array",
                            "maxItems": MOST_REFERENCES,
                            "items": {"type": "string", "format": "binary"},
                            "description": "Other recordings of the same speaker, without labels;"
                            " the model adapts to them.",
                        },
                    },
                }
            },
            "audio/wav": _BINARY,
            "audio/flac": _BINARY,
            "audio/ogg": _BINARY,
            "audio/mpeg": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}
"""How a recording is sent."""
