"""What the command line says to people on standard error."""

from __future__ import annotations

import sys


def print_message(text: str) -> None:
    """Print one line on standard error.

    Parameters
    ----------
    text : str
        What to say; line breaks become spaces.
    """
    print(f"serenade: {' '.join(text.splitlines())}", file=sys.stderr)
