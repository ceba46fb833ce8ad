"""Listening: the sockets and TLS files of the service, tried before anything starts."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path
from typing import Any

from serenade.errors import UsageError

_BACKLOG = 2048
"""Connections that may wait to be accepted."""

_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What binding fails with where an address is not one of this machine."""


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host.

    Parameters
    ----------
    host : str
        Name or number.
    port : int
        Port; 0 takes a free one.

    Returns
    -------
    list of socket
        At least one; all have the same port.

    Raises
    ------
    UsageError
        If the host is not known, is not this machine, or the port is taken or not allowed.
    """
    sockets: list[socket.socket] = []
    refusal = errno.EADDRNOTAVAIL
    for family, address in _addresses_of(host, port):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            listener = socket.create_server(
                (address[0], chosen, *address[2:]),
                family=family,
                backlog=_BACKLOG,
                dualstack_ipv6=address[0] == "::" and socket.has_dualstack_ipv6(),
            )
            sockets.append(_as_tcp(listener))
        except OSError as error:
            refusal = error.errno or refusal
            if refusal not in _ABSENT:
                close_all(sockets)
                break
    if not sockets:
        raise UsageError(
            f"the service cannot listen on port {port} of {host!r} ({os.strerror(refusal)}); give"
            " another --port or --host, or end what listens there"
        )
    return sockets


def _as_tcp(listener: socket.socket) -> socket.socket:
    """Say of a socket that it is TCP: only then asyncio sends an answer without waiting 40 ms."""
    return socket.socket(
        listener.family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach()
    )


def close_all(sockets: list[socket.socket]) -> None:
    """Close sockets and forget them.

    Parameters
    ----------
    sockets : list of socket
        Is empty afterwards.
    """
    while sockets:
        sockets.pop().close()


def check_tls_files(certificate: str, key: str) -> None:
    """Refuse files that cannot make a service https.

    Parameters
    ----------
    certificate, key : str
        Files.

    Raises
    ------
    UsageError
        If one cannot be read, or they are no certificate and its private key in PEM, or the key
        needs a passphrase, for which nobody could be asked.
    """
    for path in (certificate, key):
        try:
            Path(path).open("rb").close()
        except OSError as error:
            raise UsageError(
                f"the TLS file {path!r} cannot be read ({error.strerror}); check the path"
            ) from None

    def refuse_passphrase() -> str:
        raise UsageError(
            f"the TLS key {key!r} needs a passphrase; give one without, as made by:"
            " openssl pkey -in KEY -out PLAIN_KEY"
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, password=refuse_passphrase
        )
    except ssl.SSLError as error:
        reason = error.reason or "not PEM"
        raise UsageError(
            f"the TLS files {certificate!r} and {key!r} cannot be used ({reason});"
            " give a certificate and its private key in PEM"
        ) from None


def _addresses_of(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    """Give each address once, with its family."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not the name of a host"
        raise UsageError(
            f"the host {host!r} cannot be found ({reason}); give an address of this machine, for"
            " example 127.0.0.1"
        ) from None
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))
