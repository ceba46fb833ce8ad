"""URLs: which are allowed, and how they are named where others may read."""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import urlsplit

from serenade.errors import JobError

READABLE = ("file", "s3", "gs", "http", "https", "memory")
"""Protocols that recordings, lists and manifests may be read from."""

WRITABLE = ("file", "s3", "gs", "memory")
"""Protocols that results may be written to."""

_URL = re.compile(r"([^/]*?)://")


def protocol_of(location: str) -> str | None:
    """Give the protocol of a URL.

    Parameters
    ----------
    location : str
        URL or path.

    Returns
    -------
    str or None
        In small letters; ``None`` for a path.
    """
    match = _URL.match(location)
    return None if match is None else match[1].lower()


def local_path(location: str) -> str | None:
    """Give the path of what lies on this machine.

    Parameters
    ----------
    location : str
        URL or path.

    Returns
    -------
    str or None
        ``None`` for what must be fetched.
    """
    protocol = protocol_of(location)
    if protocol == "file":
        return location[len("file://") :]
    return location if protocol is None else None


def check_location(location: str, allowed: tuple[str, ...]) -> None:
    """Refuse a URL that may not be used.

    Parameters
    ----------
    location : str
        URL or path.
    allowed : tuple of str
        :data:`READABLE` or :data:`WRITABLE`.

    Raises
    ------
    JobError
        If the protocol is another one, or the URL holds a user name or password; the message does
        not show it.
    """
    protocol = protocol_of(location)
    if protocol is None:
        return
    if protocol not in allowed:
        raise JobError(
            f"URLs that begin with {protocol + '://':.40} are not allowed; use"
            f" {', '.join(f'{name}://' for name in allowed)} or a path"
        )
    authority = location.partition("://")[2].partition("/")[0]
    if "@" in authority:
        raise JobError(
            f"a URL of {authority.rpartition('@')[2]!r} holds a user name or password; give"
            " credentials in the environment instead"
        )


def public_name(location: str) -> str:
    """Name a URL or path where others may read it.

    The query of a web address may be a signature, so a hash takes its place.

    Parameters
    ----------
    location : str
        URL or path.

    Returns
    -------
    str
        The same for the same location, and another for another one.
    """
    if protocol_of(location) not in ("http", "https"):
        return location
    parts = urlsplit(location)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if not parts.query:
        return bare
    return f"{bare}?sha256={sha256(parts.query.encode()).hexdigest()[:12]}"
