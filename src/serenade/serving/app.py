"""App: the parts of the service put together as one ASGI application."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from serenade import __version__
from serenade.serving import endpoints, openapi, page, probes, websocket
from serenade.serving.access import require_key
from serenade.serving.headers import SecurityHeaders
from serenade.serving.metrics import CountRequests
from serenade.serving.problems import answer_with_problems
from serenade.serving.service import open_service
from serenade.serving.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from serenade.serving.settings import Settings

_DESCRIPTION = "Tells which emotion is in a voice. Audio and results are neither stored nor logged."


def create_app(settings: Settings) -> FastAPI:
    """Put the service together.

    Parameters
    ----------
    settings : Settings
        As chosen.

    Returns
    -------
    FastAPI
        Ready to be run by any ASGI server.

    Raises
    ------
    ModelError
        If a model is missing or damaged.
    UsageError
        If the keys cannot be read or are missing where they are needed.
    """
    service = open_service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001 - signature of FastAPI
        yield
        service.crew.dismiss()

    # the usual documentation pages are off, as they load scripts from another host
    app = FastAPI(
        title="Serenade",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    answer_with_problems(app)
    guards = [] if service.keys.is_open else [Depends(require_key)]
    refusals = {} if service.keys.is_open else openapi.UNAUTHORIZED
    for router in (endpoints.router, probes.metrics_router):
        app.include_router(router, dependencies=guards, responses=refusals)
    app.include_router(websocket.router)
    app.include_router(probes.router)
    if settings.page:
        app.include_router(page.router)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CountRequests, metrics=service.metrics)
    return app


def create_app_from_environment() -> FastAPI:
    """Put the service together from environment variables alone, as a worker process does.

    Returns
    -------
    FastAPI
        As :func:`create_app`.

    Raises
    ------
    ModelError, UsageError
        As :func:`create_app`.
    """
    return create_app(from_environment(os.environ, {}))
