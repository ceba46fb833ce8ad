"""How the service is set up: one frozen value, filled from flags and environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, get_type_hints

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PREFIX = "SERENADE_"
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about the service that can be chosen.

    Every limit is per process: with several workers, each has its own.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int
        Port to listen on, in [0, 65535]; 0 takes a free one.
    workers : int
        Processes that share the port, 1 or more.
    models : tuple of str
        Names or folders of the models, the first of which is used where a request names none;
        empty for the default model and the small one.
    concurrency : int
        Recordings that are judged at the same time, 1 or more.
    queue : int
        Requests that may wait for that; further ones are turned away.
    max_body_bytes : int
        Largest request body [bytes].
    max_audio_seconds : float
        Longest recording after decoding [s].
    max_request_seconds : float
        Longest that a request may take, its upload included [s].
    max_streams : int
        WebSocket streams that may be open at the same time.
    max_stream_seconds : float
        Most audio that one stream may send [s].
    max_idle_seconds : float
        Longest silence of a stream's sender before it is closed [s].
    api_keys_file : str or None
        File with the SHA-256 of one key per line.
    api_key_hashes : tuple of str
        SHA-256 of further keys, in hexadecimal.
    no_auth : bool
        Listen beyond loopback without any key.
    cors_origins : tuple of str
        Origins of other web pages that may call the service.
    tls_certificate, tls_key : str or None
        PEM files; both or none.
    page : bool
        Whether to serve the web page.
    shutdown_seconds : int
        Longest wait for accepted requests when the service is told to stop [s].

    Raises
    ------
    UsageError
        If a value is out of range or values do not fit together.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    models: tuple[str, ...] = ()
    concurrency: int = 2
    queue: int = 16
    max_body_bytes: int = 32 * 1024**2
    max_audio_seconds: float = 3600.0
    max_request_seconds: float = 300.0
    max_streams: int = 16
    max_stream_seconds: float = 3600.0
    max_idle_seconds: float = 30.0
    api_keys_file: str | None = None
    api_key_hashes: tuple[str, ...] = ()
    no_auth: bool = False
    cors_origins: tuple[str, ...] = ()
    tls_certificate: str | None = None
    tls_key: str | None = None
    page: bool = True
    shutdown_seconds: int = 30

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not value >= least:
                raise UsageError(f"{name} is {value}; it must be {least} or more")
        if self.port > 65535:
            raise UsageError(f"port is {self.port}; it must be 65535 or less")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise UsageError("TLS needs both files; give tls_certificate and tls_key, or neither")
        for origin in self.cors_origins:
            if not origin.startswith(("http://", "https://")):
                raise UsageError(
                    f"the origin {origin!r} is not one; give for example https://example.org"
                )


_LEAST: Mapping[str, float] = {
    "port": 0,
    "workers": 1,
    "concurrency": 1,
    "queue": 0,
    "max_body_bytes": 1,
    "max_audio_seconds": 0.1,
    "max_request_seconds": 0.1,
    "max_streams": 0,
    "max_stream_seconds": 0.1,
    "max_idle_seconds": 0.1,
    "shutdown_seconds": 0,
}


def variable_of(name: str) -> str:
    """Give the environment variable of a setting.

    Parameters
    ----------
    name : str
        Name of a field of :class:`Settings`.

    Returns
    -------
    str
        ``SERENADE_`` and the name in capitals.
    """
    return _PREFIX + name.upper()


def from_environment(environ: Mapping[str, str], chosen: Mapping[str, Any]) -> Settings:
    """Take the settings from flags, else from environment variables, else the defaults.

    Parameters
    ----------
    environ : mapping of str to str
        The environment; other variables are ignored. Lists are separated by commas, or by the
        separator of paths (``:`` on Unix) for `models`.
    chosen : mapping of str to value
        What was given as flags; ``None`` counts as not given.

    Returns
    -------
    Settings
        Checked.

    Raises
    ------
    UsageError
        If a variable does not hold a value of its kind, or as :class:`Settings`.
    """
    values: dict[str, Any] = {}
    types = get_type_hints(Settings)
    for field in fields(Settings):
        if chosen.get(field.name) is not None:
            values[field.name] = chosen[field.name]
        elif text := environ.get(variable_of(field.name), ""):
            values[field.name] = _parse(field.name, types[field.name], text)
    return Settings(**values)


def to_environment(settings: Settings) -> dict[str, str]:
    """Give settings as environment variables, for worker processes.

    Parameters
    ----------
    settings : Settings
        What to hand on.

    Returns
    -------
    dict of str to str
        :func:`from_environment` gives equal settings back.
    """
    variables = {}
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if isinstance(value, tuple):
            value = _separator(field.name).join(value)
        variables[variable_of(field.name)] = "" if value is None else str(value)
    return variables


def _separator(name: str) -> str:
    return os.pathsep if name == "models" else ","


def _parse(name: str, kind: Any, text: str) -> object:  # noqa: ANN401 - a type or a union of types
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(_separator(name)) if part.strip())
    if kind is bool:
        return _parse_flag(name, text)
    if kind is int:
        return _parse_number(name, text, int, "a whole number")
    if kind is float:
        return _parse_number(name, text, float, "a number")
    return text


def _parse_flag(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise UsageError(f"{variable_of(name)} is {text!r}; it must be one of 1, 0, true, false")


def _parse_number(name: str, text: str, convert: Callable[[str], float], description: str) -> float:
    try:
        return convert(text)
    except ValueError:
        raise UsageError(f"{variable_of(name)} is {text!r}; it must be {description}") from None
