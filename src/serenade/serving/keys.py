"""API keys: who may use the service.

Only hashes are kept. Keys are random (see :func:`make_key`), so a plain SHA-256 cannot be reversed
by guessing.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.serving.settings import Settings

_HASH = re.compile(r"[0-9a-f]{64}")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that the service knows.

    Parameters
    ----------
    hashes : tuple of str
        SHA-256 of each key, in lower-case hexadecimal; empty lets everybody in.
    """

    hashes: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether no key is needed."""
        return not self.hashes

    def admits(self, key: str | None) -> bool:
        """Tell whether a key opens the service.

        The time does not depend on which key matches or how much of it.

        Parameters
        ----------
        key : str or None
            What the client gave.

        Returns
        -------
        bool
            True for a known key, and for anything where no key is needed.
        """
        if self.is_open:
            return True
        given = hash_key(key or "")
        found = [hmac.compare_digest(given, known) for known in self.hashes]
        return key is not None and any(found)


def make_key() -> str:
    """Make a new random key.

    Returns
    -------
    str
        256 random bits, safe in headers.
    """
    return secrets.token_urlsafe(_KEY_BYTES)


def hash_key(key: str) -> str:
    """Give what is stored of a key.

    Parameters
    ----------
    key : str
        The key.

    Returns
    -------
    str
        SHA-256 in lower-case hexadecimal.
    """
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def open_key_ring(settings: Settings) -> KeyRing:
    """Read the keys and refuse to be open to the network by accident.

    Parameters
    ----------
    settings : Settings
        Where the keys are and where the service listens.

    Returns
    -------
    KeyRing
        All keys of the file and of the settings.

    Raises
    ------
    UsageError
        If the file cannot be read or holds something else than hashes, or if the service would
        listen beyond loopback without a key and without `no_auth`.
    """
    hashes = [_check_hash(text, "api_key_hashes") for text in settings.api_key_hashes]
    if settings.api_keys_file is not None:
        hashes += _read_hashes(settings.api_keys_file)
    if not hashes and not settings.no_auth and not is_loopback(settings.host):
        raise UsageError(
            f"{settings.host} can be reached from other machines; give --api-keys FILE, or"
            " --no-auth if everybody may use the service"
        )
    return KeyRing(tuple(hashes))


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address.

    Parameters
    ----------
    host : str
        Name or number.

    Returns
    -------
    bool
        False for every name but ``localhost``.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_hashes(path: str) -> Iterable[str]:
    """Read a file with one hash per line; what follows a hash is a remark."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"the API keys in {path!r} cannot be read ({error})") from None
    hashes = [
        _check_hash(line.split()[0], f"line {number} of {path}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not hashes:
        raise UsageError(
            f"{path!r} holds no API keys; make one with: serenade serve --make-api-key"
        )
    return hashes


def _check_hash(text: str, place: str) -> str:
    if not _HASH.fullmatch(text.lower()):
        # the text is not shown, as it may be a key that was put there instead of its hash
        raise UsageError(
            f"{place} holds something else than a SHA-256 in hexadecimal (64 digits); make a key"
            " and its hash with: serenade serve --make-api-key"
        )
    return text.lower()
