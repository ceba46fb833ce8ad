"""Server: runs the application on a socket, in one process or several."""

from __future__ import annotations

import copy
import logging
import os
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from serenade.serving.app import create_app
from serenade.serving.keys import open_key_ring
from serenade.serving.listening import check_tls_files, close_all, open_sockets
from serenade.serving.metrics import SHARED_FOLDER_VARIABLE
from serenade.serving.models import load_models
from serenade.serving.settings import to_environment

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

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
        If the keys cannot be read or are missing where they are needed, the TLS files cannot be
        used, or the service cannot listen on its host and port.
    """
    if settings.tls_certificate is not None and settings.tls_key is not None:
        check_tls_files(settings.tls_certificate, settings.tls_key)
    if settings.workers == 1:
        app = create_app(settings)
        with _listening(settings) as sockets:
            config = uvicorn.Config(app, **_options(settings))
            _announce(settings, sockets[0])
            uvicorn.Server(config).run(sockets)
        return
    # what would stop every worker is found before any is started
    open_key_ring(settings)
    load_models(settings.models)
    with (
        _listening(settings) as sockets,
        tempfile.TemporaryDirectory(prefix="serenade-metrics-") as folder,
    ):
        os.environ |= {**to_environment(settings), SHARED_FOLDER_VARIABLE: folder}
        config = uvicorn.Config(
            _FACTORY, factory=True, workers=settings.workers, **_options(settings)
        )
        _announce(settings, sockets[0])
        Multiprocess(config, sockets).run()


@contextmanager
def _listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """Hold the sockets until the end, for which Ctrl-C is one way to ask."""
    sockets = open_sockets(settings.host, settings.port)
    try:
        with suppress(KeyboardInterrupt):
            yield sockets
    finally:
        close_all(sockets)


def _announce(settings: Settings, listener: socket.socket) -> None:
    """Say where the service is; uvicorn does so only for sockets that it opened itself."""
    scheme = "http" if settings.tls_certificate is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    logging.getLogger("uvicorn.error").info(
        "Serenade running on %s://%s:%d (Ctrl-C ends it)", scheme, host, listener.getsockname()[1]
    )


def _options(settings: Settings) -> dict[str, Any]:
    return {
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
