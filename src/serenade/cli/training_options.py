"""Options that the commands which train have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MOST_THREADS = 1024
"""More than any machine has cores; torch crashes where the system gives it no more threads."""

ThreadsOption = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="Threads of torch.")]

EncoderOption = Annotated[
    Path | None,
    typer.Option(help="Folder of the encoder that the recipe names.", metavar="DIR"),
]
