"""Service: what the handlers of one process share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from serenade.serving.keys import KeyRing, open_key_ring
from serenade.serving.limits import Crew, Places
from serenade.serving.metrics import Metrics
from serenade.serving.models import ServedModels, load_models

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from serenade.serving.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What the handlers of one process share.

    Parameters
    ----------
    settings : Settings
        As chosen.
    models : ServedModels
        Loaded.
    keys : KeyRing
        Who may use the service.
    metrics : Metrics
        What is counted.
    requests : Places
        Recordings that are read, wait or are worked on.
    streams : Places
        Open WebSocket streams.
    crew : Crew
        Does all work that needs the processor.
    """

    settings: Settings
    models: ServedModels
    keys: KeyRing
    metrics: Metrics
    requests: Places
    streams: Places
    crew: Crew


def open_service(settings: Settings) -> Service:
    """Read the keys and load the models.

    Parameters
    ----------
    settings : Settings
        As chosen.

    Returns
    -------
    Service
        Ready.

    Raises
    ------
    ModelError
        If a model is missing or damaged.
    UsageError
        If the keys cannot be read or are missing where they are needed, or models clash.
    """
    keys = open_key_ring(settings)
    metrics = Metrics()
    return Service(
        settings=settings,
        models=load_models(settings.models),
        keys=keys,
        metrics=metrics,
        requests=Places(settings.concurrency + settings.queue, "requests", metrics.admitted),
        streams=Places(settings.max_streams, "streams", metrics.streams),
        crew=Crew(settings.concurrency),
    )


def service_of(connection: HTTPConnection) -> Service:
    """Give what the handlers share.

    Parameters
    ----------
    connection : HTTPConnection
        A request or a WebSocket.

    Returns
    -------
    Service
        That of the application that got it.
    """
    return cast("Service", connection.app.state.service)
