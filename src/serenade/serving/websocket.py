"""WebSocket: PCM goes in while it is spoken, events come back.

The client sends binary messages with samples and, as text, ``{"type": "ping"}`` or
``{"type": "end"}``. The service sends JSON objects whose ``event`` is ``ready``, one of those of
:func:`serenade.inference.timeline.event_to_json`, ``pong``, ``end`` or ``problem``.

It reads the next message when the last one is judged, so a sender that is too fast has to wait.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

from serenade.errors import SerenadeError
from serenade.inference.timeline import SegmentClosed, collect, event_to_json
from serenade.serving.access import unauthorized
from serenade.serving.pcm import ENCODINGS, PcmReader
from serenade.serving.problems import ProblemError, problem_of
from serenade.serving.service import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.inference.stream import Stream
    from serenade.inference.timeline import Event
    from serenade.serving.models import ServedModel
    from serenade.serving.service import Service

PROTOCOL = "serenade.v1"
"""Name of the subprotocol, which a client that shows its key as one has to offer as well."""

KEY_PREFIX = "serenade.key."
"""Browsers cannot send headers, so a key may be offered as a subprotocol, in base64url."""

_NORMAL = 1000
_UNSUPPORTED = 1003
_POLICY = 1008
_BUG = 1011

_MOST_TEXT = 1000

router = APIRouter()


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket) -> None:
    """Judge a stream from its first message to its last."""
    service = service_of(websocket)
    try:
        _check_origin(websocket, service)
        _check_key(websocket, service)
        served = service.models.find(websocket.query_params.get("model"))
        source = _parse_source(websocket)
        with service.streams.take():
            opened = served.recognizer.stream(source.sample_rate, adapt=source.adapt)
            protocols = websocket.scope["subprotocols"]
            await websocket.accept(PROTOCOL if PROTOCOL in protocols else None)
            await _Conversation(websocket, service, served, opened, source).hold()
    except ProblemError as problem:
        await _refuse(websocket, problem)
    except SerenadeError as error:
        await _refuse(websocket, problem_of(error))
    except WebSocketDisconnect:
        return


@dataclass(frozen=True, slots=True)
class _Source:
    """What the client sends."""

    sample_rate: int
    encoding: str
    adapt: bool


class _Conversation:
    """One open stream."""

    def __init__(
        self,
        websocket: WebSocket,
        service: Service,
        served: ServedModel,
        opened: Stream,
        source: _Source,
    ) -> None:
        self._websocket = websocket
        self._service = service
        self._served = served
        self._stream = opened
        self._sample_rate = source.sample_rate
        self._reader = PcmReader(source.encoding)
        self._closed: list[Event] = []
        self._n_samples = 0

    async def hold(self) -> None:
        """Talk until the client ends, is silent for too long or sends too much."""
        recognizer = self._served.recognizer
        await self._send(
            {
                "event": "ready",
                "model": recognizer.model_id,
                "labels": list(recognizer.labels),
                "max_seconds": self._service.settings.max_stream_seconds,
            }
        )
        last_data = monotonic()
        while True:
            message = await self._receive(last_data)
            if message.get("bytes") is not None:
                await self._take(message["bytes"])
                last_data = monotonic()
                continue
            if _parse_command(message.get("text") or "") == "end":
                await self._end()
                return
            await self._send({"event": "pong"})

    async def _receive(self, last_data: float) -> dict[str, Any]:
        """Give the next message; pings do not count as data."""
        idle = self._service.settings.max_idle_seconds
        try:
            async with asyncio.timeout(max(0.0, last_data + idle - monotonic())):
                message = dict(await self._websocket.receive())
        except TimeoutError:
            raise ProblemError(
                HTTPStatus.REQUEST_TIMEOUT,
                "idle",
                f"no audio came for {idle:g} s; open a new stream when there is some",
            ) from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", _NORMAL))
        return message

    async def _take(self, piece: bytes) -> None:
        samples = self._reader.read(piece)
        self._n_samples += samples.size
        most = self._service.settings.max_stream_seconds
        if self._n_samples > most * self._sample_rate:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "stream-too-long",
                f"the stream is longer than {most:g} s; open a new one",
            )
        events = await self._service.crew.run(partial(self._stream.push, samples))
        self._service.metrics.audio_seconds.inc(samples.size / self._sample_rate)
        await self._tell(events)

    async def _end(self) -> None:
        await self._tell(await self._service.crew.run(self._stream.flush))
        recognizer = self._served.recognizer
        timeline = collect(self._closed, model=recognizer.model_id, labels=recognizer.labels)
        await self._send({"event": "end"} | timeline.summary_to_json("-"))
        await self._websocket.close(_NORMAL)

    async def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, SegmentClosed):
                self._closed.append(event)
            await self._send(event_to_json(event))

    async def _send(self, message: dict[str, Any]) -> None:
        await self._websocket.send_text(json.dumps(message, separators=(",", ":")))


def _parse_command(text: str) -> str:
    """Give what the client wants: ``ping`` or ``end``."""
    try:
        command = json.loads(text[:_MOST_TEXT])["type"]
    except (ValueError, TypeError, KeyError, RecursionError):
        command = None
    if command in ("ping", "end"):
        return str(command)
    raise ProblemError(
        HTTPStatus.BAD_REQUEST,
        "unknown-message",
        f'the message {text!r:.80} means nothing; send samples, {{"type": "ping"}} or'
        ' {"type": "end"}',
    )


def _parse_source(websocket: WebSocket) -> _Source:
    text = websocket.query_params.get("sample_rate", "16000")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise _wrong_parameter("sample_rate", text, "a whole number from 8000 to 192000")
    encoding = websocket.query_params.get("encoding", "s16le")
    if encoding not in ENCODINGS:
        raise _wrong_parameter("encoding", encoding, f"one of {', '.join(ENCODINGS)}")
    adapt = websocket.query_params.get("adapt", "false")
    if adapt not in ("false", "true"):
        raise _wrong_parameter("adapt", adapt, "true or false")
    return _Source(sample_rate=int(text), encoding=encoding, adapt=adapt == "true")


def _wrong_parameter(name: str, text: str, allowed: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-parameter",
        f"{name} is {text!r:.80}; it must be {allowed}",
    )


def _check_origin(websocket: WebSocket, service: Service) -> None:
    """Refuse pages of other origins, which browsers do not keep from opening a WebSocket."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in service.settings.cors_origins:
        return
    if not _is_at(origin, websocket.headers.get("host", "")):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "other-origin",
            f"pages of {origin!r:.80} may not open a stream; allow it with --cors-origin",
        )


def _is_at(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host != ""
    except ValueError:  # such as http://[
        return False


def _check_key(websocket: WebSocket, service: Service) -> None:
    scheme, _, key = websocket.headers.get("authorization", "").partition(" ")
    shown = key if scheme.lower() == "bearer" else _key_of(websocket.scope["subprotocols"])
    if not service.keys.admits(shown):
        raise unauthorized()


def _key_of(protocols: Iterable[str]) -> str | None:
    for protocol in protocols:
        if protocol.startswith(KEY_PREFIX):
            text = protocol.removeprefix(KEY_PREFIX)
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
            except (binascii.Error, ValueError):
                return None
    return None


async def _refuse(websocket: WebSocket, problem: ProblemError) -> None:
    """Say what is wrong: as an HTTP answer before the stream is open, else as its last event."""
    if websocket.application_state is WebSocketState.CONNECTING:
        await websocket.send_denial_response(problem.to_response())
        return
    with suppress(WebSocketDisconnect):  # the client need not be there any more
        await websocket.send_text(json.dumps({"event": "problem"} | problem.to_json()))
        await websocket.close(_close_code(problem))


def _close_code(problem: ProblemError) -> int:
    match problem.status:
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return _BUG
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY:
            return _UNSUPPORTED
        case _:
            return _POLICY
