"""What a command that judges recordings tells the shell."""

from __future__ import annotations

SOME_FAILED = 1
ALL_FAILED = 2


def exit_code(n_failed: int, n_recordings: int) -> int:
    """Give the exit code of a run.

    Parameters
    ----------
    n_failed : int
        How many recordings could not be used.
    n_recordings : int
        How many there were.

    Returns
    -------
    int
        0 all good, 1 some recordings failed, 2 none could be used.
    """
    if not n_failed:
        return 0
    return ALL_FAILED if n_failed == n_recordings else SOME_FAILED
