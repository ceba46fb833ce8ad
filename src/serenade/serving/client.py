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
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from serenade.errors import AudioError, MissingExtraError, SerenadeError, UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Sequence

    Recording = str | os.PathLike[str] | bytes


_RAW = "application/octet-stream"
_LONGEST_WAIT_SECONDS = 1_000_000


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
        If the address is not one, or the key or the wait cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = 300.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise UsageError("the API key holds more than printable ASCII; give it in one line")
        if not 0 < timeout_seconds <= _LONGEST_WAIT_SECONDS:
            raise UsageError(
                f"timeout_seconds is {timeout_seconds}; it must be above 0 and at most"
                f" {_LONGEST_WAIT_SECONDS}"
            )
        self._address = _parse_address(url)
        self._prefix = self._address.path.rstrip("/")
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
            from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
            from websockets.sync.client import connect
        except ModuleNotFoundError as error:
            raise MissingExtraError("serve", "A stream to the service") from error
        query = {"sample_rate": str(sample_rate)} | ({} if model is None else {"model": model})
        query |= {"adapt": "true"} if adapt else {}
        scheme = "wss" if self._address.scheme == "https" else "ws"
        address = f"{scheme}://{self._address.netloc}{self._prefix}/v1/stream{_query(query)}"
        closed: ConnectionClosed | None = None
        try:
            with connect(
                address,
                additional_headers=self._headers(),
                open_timeout=self._timeout_seconds,
                ssl=self._tls,
            ) as socket:
                try:
                    for piece in pieces:
                        socket.send(piece)
                        yield from _arrived(socket)
                    socket.send('{"type": "end"}')
                except ConnectionClosed as error:
                    closed = error  # what the service said before it closed is still to be read
                for message in socket:
                    yield _checked(message)
                if closed is not None:
                    raise closed
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
        result = self._ask("POST", path + _query(chosen), body, media_type)
        return result if isinstance(recording, bytes) else _named(result, os.fspath(recording))

    def _ask(
        self, method: str, path: str, body: bytes | None = None, media_type: str | None = None
    ) -> dict[str, Any]:
        headers = self._headers() | ({} if media_type is None else {"Content-Type": media_type})
        connection = self._connect()
        try:
            connection.connect()
            # the service may refuse before it has read everything; its answer says why
            with suppress(BrokenPipeError, ConnectionResetError):
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


def _parse_address(url: str) -> SplitResult:
    """Give the parts of an address that can be asked."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        can_be_asked = parts.scheme in ("http", "https") and host != "" and parts.port != 0
    except ValueError:  # such as http://[ or a port of 99999
        can_be_asked = False
    if not can_be_asked or not (parts.path.isascii() and _is_one_word(host + parts.path)):
        raise UsageError(f"{url!r} is no address; give for example http://127.0.0.1:8000")
    return parts


def _is_one_word(text: str) -> bool:
    return text.isprintable() and " " not in text


def _query(chosen: dict[str, str]) -> str:
    return "?" + urlencode(chosen, quote_via=quote, errors="backslashreplace")


def _named(result: dict[str, Any], path: str) -> dict[str, Any]:
    """Name the recording as the caller does; the service does not know the path."""
    if "channels" in result:
        return {"channels": [timeline | {"path": path} for timeline in result["channels"]]}
    return result | {"path": path}


def _content_of(recording: Recording) -> bytes:
    if isinstance(recording, bytes):
        return recording
    try:
        return Path(recording).read_bytes()
    except (OSError, ValueError) as error:
        name = repr(os.fspath(recording))
        reason = error.strerror if isinstance(error, OSError) else error
        raise AudioError(f"{name} cannot be read ({reason})") from None


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
