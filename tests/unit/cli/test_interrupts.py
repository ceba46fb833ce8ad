"""Signals that wait until what they must not cut in two is whole."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from serenade.cli.interrupts import endings_as_interrupts, interrupts_held

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDINGS = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Begin as a process does that nohup did not start, and leave no handler behind."""
    numbers = [signal.SIGINT, *ENDINGS]
    before = [signal.getsignal(number) for number in numbers]
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDINGS])
def test_signal_takes_effect_when_the_block_is_done(number: signal.Signals) -> None:
    came: list[str] = []
    signal.signal(number, lambda *_: came.append("signal"))
    with interrupts_held():
        signal.raise_signal(number)
        signal.raise_signal(number)
        came.append("block")
    assert came == ["block", "signal"]


@pytest.mark.parametrize("number", ENDINGS)
def test_endings_do_what_ctrl_c_does(number: signal.Signals) -> None:
    with endings_as_interrupts(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_ending_within_a_held_block_interrupts_after_it() -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGTERM)
            done.append("work")

    with endings_as_interrupts(), pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["work"]


def test_what_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with endings_as_interrupts():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
