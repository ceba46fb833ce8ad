"""The command ``serenade``, also run as ``python -m serenade``.

Worker processes import this module before they do anything, so it imports nothing of the package.
"""

from __future__ import annotations

import gc

ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000
"""Imports make many objects and no rubbish: Python's 700 costs a prediction a fortieth of its time.
"""


def main() -> None:
    """Run the command."""
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)
    from serenade.cli.main import run

    try:
        run()
    finally:
        gc.freeze()  # the interpreter looks at what is not frozen once more before it ends


if __name__ == "__main__":
    main()
