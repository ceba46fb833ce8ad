"""Object stores and web servers, through fsspec."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from serenade.distributed.retry import is_passing, origin_of, status_of, with_retries
from serenade.distributed.urls import protocol_of, public_name
from serenade.errors import DownloadError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK_BYTES = 1 << 20
_CONNECT_SECONDS = 30.0
_READ_SECONDS = 60.0
_EXTRAS = {"s3": "s3", "gs": "gs"}


def open_store(url: str) -> Any:  # noqa: ANN401 - fsspec has no types
    """Open the file system of a URL.

    Parameters
    ----------
    url : str
        Already checked.

    Returns
    -------
    fsspec.AbstractFileSystem
        Credentials come from the environment.

    Raises
    ------
    MissingExtraError
        If what the protocol needs is not installed.
    """
    protocol = protocol_of(url) or "file"
    try:
        import fsspec

        if protocol in ("http", "https"):
            import aiohttp

            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS
            )
            return fsspec.filesystem(protocol, client_kwargs={"timeout": timeout})
        if protocol == "s3":
            # the job counts the attempts; botocore would make five of each
            return fsspec.filesystem(protocol, config_kwargs={"retries": {"total_max_attempts": 1}})
        return fsspec.filesystem(protocol)
    except ImportError:
        extra = _EXTRAS.get(protocol, "batch")
        raise MissingExtraError(extra, f"Reading from {protocol}://") from None


def fetch(url: str, *, max_bytes: int, attempts: int) -> bytes:
    """Read a whole object; faults that pass are waited for.

    Parameters
    ----------
    url : str
        Already checked.
    max_bytes : int
        Largest object [bytes], counted while it comes in.
    attempts : int
        How often to try, 1 or more.

    Returns
    -------
    bytes
        The object.

    Raises
    ------
    DownloadError
        If it cannot be read or is too large; the message shows no query and no credentials.
    MissingExtraError
        If what the protocol needs is not installed.
    """
    store = open_store(url)
    # a web server is read as it sends, without asking it for ranges
    options = {"block_size": 0} if protocol_of(url) in ("http", "https") else {}

    def read() -> bytes:
        content = bytearray()
        with store.open(url, "rb", **options) as file:
            while chunk := file.read(_CHUNK_BYTES):
                content += chunk
                if len(content) > max_bytes:
                    raise DownloadError(
                        f"{public_name(url)!r} is larger than {max_bytes:,} bytes; raise"
                        " max_megabytes or leave it out"
                    )
        return bytes(content)

    content: bytes = attempt_call(
        read, f"{public_name(url)!r} cannot be fetched", attempts=attempts
    )
    return content


def attempt_call(call: Callable[[], Any], trouble: str, *, attempts: int) -> Any:  # noqa: ANN401
    """Call something that talks to a store, and give one sentence where it fails for good.

    Parameters
    ----------
    call : callable
        Raises whatever the libraries behind fsspec raise.
    trouble : str
        Begins the sentence.
    attempts : int
        How often to try, 1 or more.

    Returns
    -------
    object
        What `call` returned.

    Raises
    ------
    DownloadError
        If it failed.
    """
    try:
        return with_retries(call, attempts=attempts)
    except DownloadError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - each store raises what it likes
        advice = f"tried {attempts} times; try again later" if is_passing(error) else "check it"
        raise DownloadError(f"{trouble} ({_reason(error)}); {advice}") from None


def _reason(outermost: Exception) -> str:
    """Say what went wrong without the text of the error, which may hold a signed address."""
    error = origin_of(outermost)
    status = status_of(error)
    if status is not None:
        return f"HTTP status {status}"
    if isinstance(error, FileNotFoundError):
        return "there is no such object"
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return type(error).__name__
