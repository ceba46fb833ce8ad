"""Probes: whether the service lives and is ready, and what it counts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from serenade.serving import openapi
from serenade.serving.metrics import CONTENT_TYPE
from serenade.serving.service import service_of

router = APIRouter()
metrics_router = APIRouter()


@router.get(
    "/healthz", summary="Is the process alive?", response_class=JSONResponse, responses=openapi.OK
)
async def get_health() -> JSONResponse:
    """Answer as long as the process can answer at all."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Can it work?", response_class=JSONResponse, responses=openapi.READY)
async def get_readiness(request: Request) -> JSONResponse:
    """Name the models that are loaded; an application without them does not start to listen."""
    models = service_of(request).models.models
    return JSONResponse({"status": "ok", "models": [model.name for model in models]})


@metrics_router.get(
    "/metrics",
    summary="Counts for Prometheus",
    response_class=Response,
    responses=openapi.METRICS,
)
async def get_metrics(request: Request) -> Response:
    """Give counts and times of requests; results are not among them."""
    return Response(service_of(request).metrics.render(), media_type=CONTENT_TYPE)
