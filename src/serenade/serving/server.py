"""Server: runs the application on a socket, in one process or several."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from serenade.errors import UsageError
from serenade.serving.app import create_app
from serenade.serving.keys import open_key_ring
from serenade.serving.metrics import SHARED_FOLDER_VARIABLE
from serenade.serving.models import load_models
from serenade.serving.settings import to_environment

if TYPE_CHECKING:
    from serenade.serving.settings import Settings

_FACTORY = "serenade.serving.app:create_app_from_environment"

_LARGEST_MESSAGE = 1 << 20
"""Largest WebSocket message: half a minute of 16-bit PCM at 16 kHz [bytes]."""

_WAITING_MESSAGES = 8
"""Messages that are read ahead of a stream that cannot keep up; then its sender has to wait."""


def serve(settings: Settings) -> None:
    """Listen until the process is told to stop, then answer what was accepted.

    Parameters
    ----------
    settings : Settings
        As chosen.

    Raises
    ------
    ModelError
        If a model is missing or damaged.
    UsageError
        If the keys cannot be read or are missing where they are needed, or a TLS file is absent.
    """
    for path in (settings.tls_certificate, settings.tls_key):
        if path is not None and not Path(path).is_file():
            raise UsageError(f"the TLS file {path!r} does not exist; check the path")
    if settings.workers == 1:
        uvicorn.run(create_app(settings), **_options(settings))
        return
    # what would stop every worker is found before any is started
    open_key_ring(settings)
    load_models(settings.models)
    with tempfile.TemporaryDirectory(prefix="serenade-metrics-") as folder:
        os.environ |= {**to_environment(settings), SHARED_FOLDER_VARIABLE: folder}
        uvicorn.run(_FACTORY, factory=True, workers=settings.workers, **_options(settings))


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
        "timeout_graceful_shutdown": settings.shutdown_seconds,
        "server_header": False,
        "log_config": _log_config(),
        "ws": "websockets-sansio",
        "ws_max_size": _LARGEST_MESSAGE,
        "ws_max_queue": _WAITING_MESSAGES,
        "ws_per_message_deflate": False,
    }


def _log_config() -> dict[str, Any]:
    """Take uvicorn's, and keep the parser of forms from logging what it could not parse."""
    config = copy.deepcopy(LOGGING_CONFIG)
    config["loggers"]["python_multipart"] = {"level": "CRITICAL"}
    return config
