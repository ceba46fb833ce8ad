"""Run ``python -m serenade`` as the command ``serenade``."""

from __future__ import annotations

from serenade.cli.main import run

if __name__ == "__main__":
    run()
