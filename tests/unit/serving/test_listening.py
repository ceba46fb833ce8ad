"""The sockets of the service."""

from __future__ import annotations

import asyncio
import socket

import pytest

from serenade.errors import UsageError
from serenade.serving.listening import close_all, open_sockets


async def _delays_of_an_answer(listener: socket.socket) -> list[int]:
    """Accept a connection as uvicorn does, and give its TCP_NODELAY."""
    found: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        found.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    server = await asyncio.start_server(answer, sock=listener)
    reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
    await reader.read()
    writer.close()
    server.close()
    return found


def test_an_answer_is_sent_at_once() -> None:
    """Where TCP collects small pieces first, every answer comes 40 ms late."""
    sockets = open_sockets("127.0.0.1", 0)
    assert asyncio.run(_delays_of_an_answer(sockets[0])) == [1]
    close_all(sockets)


def test_a_taken_port_is_one_sentence() -> None:
    sockets = open_sockets("127.0.0.1", 0)
    with pytest.raises(UsageError, match="cannot listen on port"):
        open_sockets("127.0.0.1", sockets[0].getsockname()[1])
    close_all(sockets)
    assert sockets == []
