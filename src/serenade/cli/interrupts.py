"""What Ctrl-C and the signals that end a process must not cut in two."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from serenade.cli.messages import print_message

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDINGS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
"""What ends a process from outside: a service manager, and a terminal that is closed."""


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C, and the signals that end a process, wait until the end of a block.

    Only in the main thread.

    Yields
    ------
    None
        With the signals held back; then those that came take effect.

    Raises
    ------
    KeyboardInterrupt
        At the end, if Ctrl-C was pressed meanwhile.
    """
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda which, _: came.append(which))
        for number in (signal.SIGINT, *_ENDINGS)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def endings_as_interrupts() -> Iterator[None]:
    """Let the signals that end a process do what Ctrl-C does.

    Only in the main thread. A signal that is ignored, as by ``nohup``, stays ignored.

    Yields
    ------
    None
        With signals that raise KeyboardInterrupt.
    """
    numbers = [number for number in _ENDINGS if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


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
