"""How far a batch is: the rate, and the time that is left."""

from __future__ import annotations

import pytest

from serenade.cli.progress import Progress


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def test_a_log_gets_a_line_every_half_minute_with_rate_and_time_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(1000, shown=True)
    for _ in range(70):
        clock.seconds += 1.0
        progress.advance(2)
    assert capsys.readouterr().err.splitlines() == [
        "60/1000 recordings, 2.0/s, 0:07:50 left",
        "120/1000 recordings, 2.0/s, 0:07:20 left",
    ]


def test_what_an_earlier_run_did_does_not_count_as_speed(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(100_000, shown=True, done=90_000)
    clock.seconds += 40.0
    progress.advance(40)
    assert capsys.readouterr().err == "90040/100000 recordings, 1.0/s, 2:46:00 left\n"


def test_a_terminal_has_one_line_that_is_drawn_over_and_taken_away(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress(4, shown=True)
    for _ in range(2):
        clock.seconds += 1.0
        progress.advance()
    progress.clear()
    lines = capsys.readouterr().err.split("\r\x1b[2K")
    assert lines == [
        "",
        "1/4 recordings, 1.0/s, 0:00:03 left",
        "2/4 recordings, 1.0/s, 0:00:02 left",
        "",
    ]


def test_nothing_is_said_where_nothing_is_wanted(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(4, shown=False)
    clock.seconds += 60.0
    progress.advance()
    progress.clear()
    assert capsys.readouterr().err == ""
