"""``serenade serve``: the recogniser over HTTP and WebSocket, and its web page."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from serenade.errors import MissingExtraError
from serenade.serving.settings import Settings, from_environment, variable_of

_DEFAULTS = Settings()
_PACKAGES = ("fastapi", "prometheus_client", "python_multipart", "uvicorn", "websockets")


def _option(field: str, text: str, *flags: str, shown: str | None = None) -> Any:  # noqa: ANN401 - typer types its options as Any
    """Describe the flag of a setting, whose default and variable are known elsewhere."""
    default = str(getattr(_DEFAULTS, field)) if shown is None else shown
    return typer.Option(
        *flags, help=f"{text} [env: {variable_of(field)}]", show_default=default or False
    )


def serve(
    host: Annotated[str | None, _option("host", "Address to listen on.")] = None,
    port: Annotated[int | None, _option("port", "Port to listen on.")] = None,
    workers: Annotated[int | None, _option("workers", "Processes that share the port.")] = None,
    models: Annotated[
        list[str] | None,
        _option(
            "models",
            "Name or folder of a model; may be repeated.",
            "--model",
            shown="default and compact",
        ),
    ] = None,
    concurrency: Annotated[
        int | None, _option("concurrency", "Recordings judged at the same time.")
    ] = None,
    queue: Annotated[int | None, _option("queue", "Requests that may wait; then 503.")] = None,
    max_body_bytes: Annotated[
        int | None, _option("max_body_bytes", "Largest request body.")
    ] = None,
    max_audio_seconds: Annotated[
        float | None, _option("max_audio_seconds", "Longest recording after decoding.")
    ] = None,
    max_request_seconds: Annotated[
        float | None, _option("max_request_seconds", "Longest time for a request.")
    ] = None,
    max_streams: Annotated[
        int | None, _option("max_streams", "WebSocket streams open at the same time.")
    ] = None,
    max_stream_seconds: Annotated[
        float | None, _option("max_stream_seconds", "Most audio in one stream.")
    ] = None,
    max_idle_seconds: Annotated[
        float | None, _option("max_idle_seconds", "Longest pause in the data of a stream.")
    ] = None,
    api_keys_file: Annotated[
        str | None,
        _option(
            "api_keys_file", "File with the SHA-256 of one key per line.", "--api-keys", shown=""
        ),
    ] = None,
    no_auth: Annotated[
        bool | None,
        _option("no_auth", "Let everybody on the network in.", "--no-auth", shown=""),
    ] = None,
    cors_origins: Annotated[
        list[str] | None,
        _option(
            "cors_origins",
            "Other web origin that may call; may be repeated.",
            "--cors-origin",
            shown="none",
        ),
    ] = None,
    tls_certificate: Annotated[
        str | None, _option("tls_certificate", "Certificate for https (PEM).", shown="")
    ] = None,
    tls_key: Annotated[str | None, _option("tls_key", "Its private key (PEM).", shown="")] = None,
    page: Annotated[
        bool | None, _option("page", "Serve the web page.", "--page/--no-page", shown="page")
    ] = None,
    shutdown_seconds: Annotated[
        int | None, _option("shutdown_seconds", "Longest wait for accepted requests at the end.")
    ] = None,
    make_api_key: Annotated[
        bool, typer.Option("--make-api-key", help="Print a new key and its hash, and stop.")
    ] = False,
) -> None:
    """Serve predictions over HTTP and WebSocket, with a web page.

    Flags win over environment variables. Beyond loopback, API keys are needed.
    """
    if make_api_key:
        _print_new_key()
        return
    settings = from_environment(
        os.environ,
        {
            "host": host,
            "port": port,
            "workers": workers,
            "models": tuple(models) if models else None,
            "concurrency": concurrency,
            "queue": queue,
            "max_body_bytes": max_body_bytes,
            "max_audio_seconds": max_audio_seconds,
            "max_request_seconds": max_request_seconds,
            "max_streams": max_streams,
            "max_stream_seconds": max_stream_seconds,
            "max_idle_seconds": max_idle_seconds,
            "api_keys_file": api_keys_file,
            "no_auth": no_auth,
            "cors_origins": tuple(cors_origins) if cors_origins else None,
            "tls_certificate": tls_certificate,
            "tls_key": tls_key,
            "page": page,
            "shutdown_seconds": shutdown_seconds,
        },
    )
    if any(find_spec(package) is None for package in _PACKAGES):
        raise MissingExtraError("serve", "The service")
    from serenade.serving.server import serve as run

    run(settings)


def _print_new_key() -> None:
    from serenade.serving.keys import hash_key, make_key

    key = make_key()
    print(f"key (give it to the client): {key}")
    print(f"line for the file of --api-keys: {hash_key(key)}")
