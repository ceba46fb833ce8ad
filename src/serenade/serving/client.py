"""Client: the service from Python, with the standard library alone (but for streams).

Examples
--------
>>> client = Client("http://127.0.0.1:8000")  # doctest: +SKIP
>>> client.predict("voice.wav")["emotion"]  # doctest: +SKIP
'anger'
"""

from __future__ import annotations

import json
import os
import secrets
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from serenade.errors import AudioError, MissingExtraError, SerenadeError, UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Sequence

    Recording = str | os.PathLike[str] | bytes


_RAW = "application/octet-stream"


class ServiceError(SerenadeError):
    """The service cannot be reached or did not give a result.

    Parameters
    ----------
    message : str
        One sentence.
    status : int or None
        HTTP status of the answer; ``None`` without one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Asks a service.

    Parameters
    ----------
    url : str
        Address of the service, for example ``"http://127.0.0.1:8000"``.
    api_key : str or None
        Key, where the service needs one.
    timeout_seconds : float
        Longest wait for an answer [s].
    tls : ssl.SSLContext or None
        Which certificates to trust; ``None`` for those of the system.

    Raises
    ------
    UsageError
        If the address is not one.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = 300.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no address; give for example http://127.0.0.1:8000")
        self._address = parts
        self._prefix = parts.path.rstrip("/")
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds
        self._tls = tls

    def predict(
        self,
        recording: Recording,
        *,
        model: str | None = None,
        denoise: bool = False,
        speaker_reference: Sequence[Recording] = (),
    ) -> dict[str, Any]:
        """Tell which emotion is in a recording.

        Parameters
        ----------
        recording : path or bytes
            An audio file or its content.
        model : str or None
            Name of a model; ``None`` for the default one.
        denoise : bool
            Reduce noise before the model listens.
        speaker_reference : sequence of path or bytes
            Recordings of the speaker alone, which the model adapts to; at most 20.

        Returns
        -------
        dict
            As ``docs/prediction.schema.json`` describes it.

        Raises
        ------
        AudioError
            If the file cannot be read here.
        ServiceError
            If the service cannot be reached or refuses.
        """
        query = {"denoise": "true"} if denoise else {}
        return self._send("/v1/predict", recording, speaker_reference, model, query)

    def timeline(
        self,
        recording: Recording,
        *,
        model: str | None = None,
        hop_seconds: float = 0.5,
        split_channels: bool = False,
        speaker_reference: Sequence[Recording] = (),
        adapt: bool = False,
    ) -> dict[str, Any]:
        """Tell which emotion is when in a recording.

        Parameters
        ----------
        recording : path or bytes
            An audio file or its content.
        model : str or None
            Name of a model; ``None`` for the default one.
        hop_seconds : float
            Distance between predictions [s].
        split_channels : bool
            Judge each channel by itself.
        speaker_reference : sequence of path or bytes
            Recordings of the one speaker, which the model adapts to; at most 20.
        adapt : bool
            Get to know the one speaker of each channel on the way.

        Returns
        -------
        dict
            The timeline, or ``{"channels": [...]}`` with one of each channel.

        Raises
        ------
        AudioError
            If the file cannot be read here.
        ServiceError
            If the service cannot be reached or refuses.
        """
        channels = "split" if split_channels else "mix"
        query = {"hop_seconds": str(hop_seconds), "channels": channels}
        query |= {"adapt": "true"} if adapt else {}
        return self._send("/v1/timeline", recording, speaker_reference, model, query)

    def models(self) -> list[dict[str, Any]]:
        """List the models of the service; the first is the default.

        Returns
        -------
        list of dict
            Name, labels, licence and more of each.

        Raises
        ------
        ServiceError
            If the service cannot be reached or refuses.
        """
        models: list[dict[str, Any]] = self._ask("GET", "/v1/models")["models"]
        return models

    def stream(
        self,
        pieces: Iterable[bytes],
        *,
        sample_rate: int,
        model: str | None = None,
        adapt: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Send PCM while it is recorded and get events back.

        Parameters
        ----------
        pieces : iterable of bytes
            Mono PCM with 16 bits, little endian, cut anywhere; taken as they are needed.
        sample_rate : int
            Samples per second [Hz].
        model : str or None
            Name of a model; ``None`` for the default one.
        adapt : bool
            Get to know the one speaker of the stream while they talk.

        Yields
        ------
        dict
            Events in the order in which they come; the last one is ``end``.

        Raises
        ------
        MissingExtraError
            If the package ``websockets`` is not installed.
        ServiceError
            If the service cannot be reached or refuses, or ends the stream.
        """
        try:
            from websockets.exceptions import InvalidStatus, WebSocketException
            from websockets.sync.client import connect
        except ModuleNotFoundError as error:
            raise MissingExtraError("serve", "A stream to the service") from error
        query = {"sample_rate": str(sample_rate)} | ({} if model is None else {"model": model})
        query |= {"adapt": "true"} if adapt else {}
        scheme = "wss" if self._address.scheme == "https" else "ws"
        address = f"{scheme}://{self._address.netloc}{self._prefix}/v1/stream?{urlencode(query)}"
        try:
            with connect(
                address,
                additional_headers=self._headers(),
                open_timeout=self._timeout_seconds,
                ssl=self._tls,
            ) as socket:
                for piece in pieces:
                    socket.send(piece)
                    yield from _arrived(socket)
                socket.send('{"type": "end"}')
                for message in socket:
                    yield _checked(message)
        except InvalidStatus as error:
            raise _service_error(error.response.status_code, error.response.body or b"") from None
        except (OSError, WebSocketException) as error:
            raise ServiceError(f"the stream to {self._address.netloc} broke ({error})") from None

    def _send(
        self,
        path: str,
        recording: Recording,
        speaker_reference: Sequence[Recording],
        model: str | None,
        query: dict[str, str],
    ) -> dict[str, Any]:
        if isinstance(speaker_reference, str | bytes | os.PathLike):
            raise UsageError("speaker_reference must be a list of recordings")
        body, media_type = _content_of(recording), _RAW
        if speaker_reference:
            references = [_content_of(reference) for reference in speaker_reference]
            body, media_type = _form(body, references)
        chosen = query if model is None else query | {"model": model}
        target = f"{path}?{urlencode(chosen, quote_via=quote)}"
        result = self._ask("POST", target, body, media_type)
        if isinstance(recording, bytes) or "path" not in result:
            return result
        return result | {"path": os.fspath(recording)}

    def _ask(
        self, method: str, path: str, body: bytes | None = None, media_type: str | None = None
    ) -> dict[str, Any]:
        headers = self._headers() | ({} if media_type is None else {"Content-Type": media_type})
        connection = self._connect()
        try:
            connection.request(method, self._prefix + path, body, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise ServiceError(
                f"the service at {self._address.netloc} cannot be reached ({error})"
            ) from None
        finally:
            connection.close()
        if status != 200:
            raise _service_error(status, content)
        return _parse(content)

    def _connect(self) -> HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout_seconds, context=self._tls)
        return HTTPConnection(host, port, timeout=self._timeout_seconds)

    def _headers(self) -> dict[str, str]:
        return {} if self._api_key is None else {"Authorization": f"Bearer {self._api_key}"}


def _content_of(recording: Recording) -> bytes:
    if isinstance(recording, bytes):
        return recording
    try:
        return Path(recording).read_bytes()
    except OSError as error:
        name = repr(os.fspath(recording))
        raise AudioError(f"{name} cannot be read ({error.strerror})") from None


def _form(recording: bytes, references: list[bytes]) -> tuple[bytes, str]:
    """Give a form with all recordings and its media type."""
    boundary = secrets.token_hex(16)
    body = b""
    for name, content in [("file", recording), *(("speaker_reference", r) for r in references)]:
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="-"'
        body += f"--{boundary}\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _arrived(socket: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - its type is an extra's
    """Give the events that are already there."""
    while True:
        try:
            message = socket.recv(timeout=0)
        except TimeoutError:
            return
        yield _checked(message)


def _checked(message: str | bytes) -> dict[str, Any]:
    event = _parse(message)
    if event.get("event") == "problem":
        raise ServiceError(str(event["detail"]), int(event["status"]))
    return event


def _service_error(status: int, content: bytes | bytearray) -> ServiceError:
    try:
        detail = str(_parse(content)["detail"])
    except (ServiceError, KeyError):
        detail = f"the service answered with status {status}"
    return ServiceError(detail, status)


def _parse(content: str | bytes | bytearray) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ServiceError("the service gave something else than a JSON object; check its address")
    return value
