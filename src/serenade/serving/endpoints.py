"""Endpoints of version 1 of the HTTP interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse

from serenade.serving import openapi
from serenade.serving.access import require_key
from serenade.serving.limits import check_duration, deadline
from serenade.serving.service import service_of
from serenade.serving.uploads import read_upload

if TYPE_CHECKING:
    from serenade.inference.recognizer import Recognizer
    from serenade.types import Prediction

ModelName = Annotated[
    str | None, Query(description="Name of a model; the first one if left out.", max_length=200)
]
Denoise = Annotated[bool, Query(description="Reduce noise before the model listens.")]

router = APIRouter(
    prefix="/v1", dependencies=[Depends(require_key)], responses=openapi.UNAUTHORIZED
)


@router.post(
    "/predict",
    summary="Tell which emotion is in a recording",
    response_class=JSONResponse,
    responses=openapi.PREDICTION | openapi.PROBLEMS,
    openapi_extra=openapi.RECORDING,
)
async def predict(
    request: Request, model: ModelName = None, denoise: Denoise = False
) -> JSONResponse:
    """Give the probability of every emotion over the whole recording."""
    service = service_of(request)
    settings = service.settings
    served = service.models.find(model)
    with service.gate.admit():
        async with deadline(settings.max_request_seconds):
            upload = await read_upload(request, max_bytes=settings.max_body_bytes)
            prediction = await service.gate.run(
                _judge,
                served.recognizer,
                upload.content,
                max_seconds=settings.max_audio_seconds,
                denoise=denoise,
            )
    service.metrics.audio_seconds.labels(served.name).inc(prediction.duration_seconds)
    return JSONResponse(prediction.to_json(upload.name))


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


def _judge(
    recognizer: Recognizer, content: bytes, *, max_seconds: float, denoise: bool
) -> Prediction:
    check_duration(content, max_seconds=max_seconds)
    return recognizer.predict(content, denoise=denoise)
