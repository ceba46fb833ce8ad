"""Endpoints of version 1 of the HTTP interface."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from serenade.audio.decode import probe
from serenade.errors import AudioError
from serenade.inference.timeline import TimelineConfig
from serenade.inference.timeline_formats import Track, to_json
from serenade.serving import openapi
from serenade.serving.limits import Deadline, check_duration
from serenade.serving.problems import ProblemError
from serenade.serving.service import service_of
from serenade.serving.uploads import REFERENCE_FIELD, read_upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serenade.inference.recognizer import Recognizer
    from serenade.model.adaptation import SpeakerReference
    from serenade.serving.uploads import Upload

MOST_CHANNELS = 8
"""More channels than this are not judged apart."""


class Channels(StrEnum):
    """What becomes of several channels."""

    MIX = "mix"
    SPLIT = "split"


ModelName = Annotated[
    str | None, Query(description="Name of a model; the first one if left out.", max_length=200)
]
Denoise = Annotated[bool, Query(description="Reduce noise before the model listens.")]
HopSeconds = Annotated[
    float,
    Query(description="Distance between predictions [s], a multiple of 0.01.", ge=0.1, le=3.0),
]
ChannelChoice = Annotated[
    Channels, Query(description="Average the channels, or judge each by itself.")
]
Adapt = Annotated[
    bool, Query(description="Get to know the one speaker of each channel on the way.")
]

router = APIRouter(prefix="/v1")


@router.post(
    "/predict",
    summary="Tell which emotion is in a recording",
    response_class=JSONResponse,
    responses=openapi.PREDICTION | openapi.PROBLEMS,
    openapi_extra=openapi.RECORDING,
)
async def predict(request: Request, model: ModelName = None, denoise: Denoise = False) -> Response:
    """Give the probability of every emotion over the whole recording."""
    served = service_of(request).models.find(model)

    def judge(upload: Upload, deadline: Deadline) -> str:
        recognizer = served.recognizer
        reference = _hear_speaker(recognizer, upload, deadline, denoise=denoise)
        prediction = recognizer.predict(upload.content, denoise=denoise, reference=reference)
        return json.dumps(
            prediction.to_json(upload.name), ensure_ascii=False, separators=(",", ":")
        )

    return await _answer(request, judge)


@router.post(
    "/timeline",
    summary="Tell which emotion is when in a recording",
    response_class=JSONResponse,
    responses=openapi.TIMELINE | openapi.PROBLEMS,
    openapi_extra=openapi.RECORDING,
)
async def timeline(
    request: Request,
    model: ModelName = None,
    hop_seconds: HopSeconds = 0.5,
    channels: ChannelChoice = Channels.MIX,
    adapt: Adapt = False,
) -> Response:
    """Give segments of speech with their emotions, and a prediction for every hop."""
    served = service_of(request).models.find(model)
    config = TimelineConfig(hop_seconds=hop_seconds)

    def judge(upload: Upload, deadline: Deadline) -> str:
        draw = partial(
            served.recognizer.timeline,
            upload.content,
            config=config,
            reference=_hear_speaker(served.recognizer, upload, deadline),
            adapt=adapt,
            progress=lambda _: deadline.check(),
        )
        if channels is Channels.MIX:
            return "".join(to_json(Track(upload.name, None, draw())))
        texts = [
            "".join(to_json(Track(upload.name, channel, draw(channel=channel))))
            for channel in range(_count_channels(upload.content))
        ]
        return '{"channels": [' + ",".join(texts) + "]}"

    return await _answer(request, judge)


@router.get(
    "/models",
    summary="List the models",
    response_class=JSONResponse,
    responses=openapi.MODELS,
)
async def list_models(request: Request) -> JSONResponse:
    """Say which models there are, what they tell apart and under which licence."""
    models = service_of(request).models.models
    return JSONResponse({"models": [model.to_json() for model in models]})


@router.get(
    "/models/{name}/spec.json",
    summary="Specification of a model",
    response_class=JSONResponse,
    responses=openapi.SPECIFICATION | openapi.NO_MODEL,
)
async def get_specification(request: Request, name: str) -> JSONResponse:
    """Give everything that is needed to use the model elsewhere, for example in a browser."""
    return JSONResponse(service_of(request).models.find(name).spec_json())


@router.get(
    "/models/{name}/model.onnx",
    summary="Weights of a model",
    response_class=FileResponse,
    responses=openapi.WEIGHTS | openapi.NO_MODEL,
)
async def get_weights(request: Request, name: str) -> FileResponse:
    """Give the ONNX graph, which any runtime can execute."""
    model = service_of(request).models.find(name)
    return FileResponse(model.bundle.model_path, media_type="application/octet-stream")


async def _answer(request: Request, judge: Callable[[Upload, Deadline], str]) -> Response:
    """Read the recording of a request within all limits and let a thread write what is heard."""
    service = service_of(request)
    settings = service.settings
    deadline = Deadline(settings.max_request_seconds)

    with service.requests.take():
        async with deadline.enforce():
            upload = await read_upload(request, max_bytes=settings.max_body_bytes)

            def work() -> str:
                seconds = _check_durations(upload, max_seconds=settings.max_audio_seconds)
                service.metrics.audio_seconds.inc(seconds)
                return judge(upload, deadline)

            return Response(await service.crew.run(work), media_type="application/json")


def _check_durations(upload: Upload, *, max_seconds: float) -> float:
    """Give the length of all recordings of a request [s]; one limit holds for all together."""
    seconds = check_duration(upload.content, max_seconds=max_seconds)
    for number, content in enumerate(upload.speaker_reference, 1):
        try:
            seconds += check_duration(content, max_seconds=max_seconds, other_seconds=seconds)
        except AudioError as error:
            raise AudioError(f"{REFERENCE_FIELD} {number}: {error}") from None
    return seconds


def _hear_speaker(
    recognizer: Recognizer, upload: Upload, deadline: Deadline, *, denoise: bool = False
) -> SpeakerReference | None:
    """Get to know the speaker of the recordings that were sent along."""
    if not upload.speaker_reference:
        return None

    def recordings() -> Iterator[bytes]:
        for content in upload.speaker_reference:
            deadline.check()
            yield content

    return recognizer.speaker_reference(recordings(), denoise=denoise)


def _count_channels(content: bytes) -> int:
    n_channels = probe(content).channels
    if n_channels > MOST_CHANNELS:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "too-many-channels",
            f"the recording has {n_channels} channels; at most {MOST_CHANNELS} are judged apart",
        )
    return n_channels
