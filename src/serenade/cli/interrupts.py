"""Short stretches that Ctrl-C must not cut in two."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
