"""What Ctrl-C must not cut in two."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from serenade.cli.messages import print_message

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until the end of a block.

    Only in the main thread.

    Yields
    ------
    None
        With the signal held back.

    Raises
    ------
    KeyboardInterrupt
        At the end, if Ctrl-C was pressed meanwhile.
    """
    n_pressed = 0

    def note(*_: object) -> None:
        nonlocal n_pressed
        n_pressed += 1

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if n_pressed:
        raise KeyboardInterrupt


@contextmanager
def stopping(message: str) -> Iterator[Event]:
    """Let Ctrl-C, and the signal that ends a container, ask for a stop.

    Only in the main thread.

    Parameters
    ----------
    message : str
        Is told when it is asked for.

    Yields
    ------
    Event
        Set by the first signal.

    Raises
    ------
    KeyboardInterrupt
        At the second signal.
    """
    stop = Event()

    def ask(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        print_message(message)

    before = [(number, signal.signal(number, ask)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)
