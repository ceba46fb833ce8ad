"""The command ``serenade``, also run as ``python -m serenade``.

Worker processes import this module before they do anything, so it imports nothing itself.
"""

from __future__ import annotations


def main() -> None:
    """Run the command."""
    from serenade.cli.main import run

    run()


if __name__ == "__main__":
    main()
