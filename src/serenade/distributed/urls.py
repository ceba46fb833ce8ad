"""URLs: which are allowed, and how they are named where others may read."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from urllib.parse import urlsplit

from serenade.errors import JobError

READABLE = ("file", "s3", "gs", "http", "https", "memory")
"""Protocols that recordings, lists and manifests may be read from."""

WRITABLE = ("file", "s3", "gs", "memory")
"""Protocols that results may be written to."""

_WEB = ("http", "https")

_URL = re.compile(r"([^/]*?)://")
_WITH_HIDDEN_QUERY = re.compile(r"https?://[^?#]*\?sha256=[0-9a-f]{12}")


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
    """Refuse a URL that may not be used, and what can be no path.

    Parameters
    ----------
    location : str
        URL or path.
    allowed : tuple of str
        :data:`READABLE` or :data:`WRITABLE`.

    Raises
    ------
    JobError
        If the protocol is another one, the URL holds a user name or password (the message does not
        show it) or no host that can be one, or a character is such that no path can hold it.
    """
    protocol = protocol_of(location)
    if protocol is not None:
        _check_url(location, protocol, allowed)
    _check_characters(location)


def _check_url(location: str, protocol: str, allowed: tuple[str, ...]) -> None:
    if protocol not in allowed:
        raise JobError(
            f"URLs that begin with {protocol + '://':.40} are not allowed; use"
            f" {', '.join(f'{name}://' for name in allowed)} or a path"
        )
    authority = re.split(r"[/?#]", location.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise JobError(
            f"a URL of {authority.rpartition('@')[2]!r} holds a user name or password; give"
            " credentials in the environment instead"
        )
    if protocol in _WEB:
        try:
            urlsplit(location)
        except ValueError:
            raise JobError(
                f"a URL has {authority!r:.80} where the name of a host belongs; correct the URL"
            ) from None


def _check_characters(location: str) -> None:
    try:
        os.fsencode(location)
    except UnicodeEncodeError as error:
        wrong = location[error.start]
    else:
        if "\0" not in location:
            return
        wrong = "\0"
    raise JobError(
        f"{location.partition('?')[0]!r:.200} holds the character {wrong!r}, which no path or URL"
        " can hold; correct it"
    )


def public_name(location: str) -> str:
    """Name a URL or path where others may read it.

    The query of a web address may be a signature, so a hash takes its place. A public name is its
    own public name.

    Parameters
    ----------
    location : str
        URL or path.

    Returns
    -------
    str
        The same for the same location, and another for another one.
    """
    if protocol_of(location) not in _WEB:
        return location
    if hides_query(location):
        return location
    parts = urlsplit(location)
    bare = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if not parts.query:
        return bare
    return f"{bare}?sha256={sha256(os.fsencode(parts.query)).hexdigest()[:12]}"


def hides_query(name: str) -> bool:
    """Tell whether a public name does not lead to what it names.

    Parameters
    ----------
    name : str
        As :func:`public_name` gave it.

    Returns
    -------
    bool
        Whether a hash stands where the query of a web address was.
    """
    return _WITH_HIDDEN_QUERY.fullmatch(name) is not None
