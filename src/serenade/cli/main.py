"""The command ``serenade``: its sub-commands, and what becomes of errors."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from serenade import __version__
from serenade.cli.app import new_app
from serenade.cli.messages import print_message
from serenade.errors import SerenadeError


class _Command(NamedTuple):
    """Where a command is (``module:name`` of a function or a ``typer.Typer``) and what it does."""

    home: str
    summary: str


COMMANDS = {
    "predict": _Command("serenade.cli.predict:predict", "Tell which emotion is in recordings."),
    "batch": _Command("serenade.cli.batch:batch", "Predict over any number of recordings."),
    "serve": _Command("serenade.cli.serve:serve", "Predict over HTTP, with a web page."),
    "corpora": _Command("serenade.cli.corpora:app", "Find, fetch, prepare and check corpora."),
    "explore": _Command("serenade.cli.explore:explore", "Show what a manifest holds."),
    "train": _Command("serenade.cli.train:train", "Train a model from a recipe."),
    "tune": _Command("serenade.cli.tune:tune", "Search better settings of a recipe."),
    "evaluate": _Command("serenade.cli.evaluate:evaluate", "Measure a model on a manifest."),
    "compare": _Command("serenade.cli.compare:compare", "Compare two models on a manifest."),
    "benchmark": _Command("serenade.cli.benchmark:benchmark", "Train and judge over folds."),
    "export": _Command("serenade.cli.export:export", "Make a bundle of a training run."),
    "ensemble": _Command("serenade.cli.ensemble:ensemble", "Join several models into one."),
    "listen": _Command("serenade.cli.listen:listen", "Tell which emotion is in a live voice."),
    "models": _Command("serenade.cli.models:app", "List, describe and verify models."),
    "doctor": _Command("serenade.cli.doctor:doctor", "Check that the installation works."),
}
"""The sub-commands in the order of ``--help``; a module is imported when its command runs."""

USAGE_EXIT_CODE = 2
READER_GONE_EXIT_CODE = 1
BUG_EXIT_CODE = 70

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _LazyGroup(TyperGroup):
    """Holds a stand-in per command, which is all that help and suggestions need.

    What runs is the real command.
    """

    # typer names the types of contexts and commands only in private modules
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in if name is None else _load(name), rest


def _load(name: str) -> Any:  # noqa: ANN401 - as above
    module, _, attribute = COMMANDS[name].home.partition(":")
    command = getattr(import_module(module), attribute)
    if not isinstance(command, typer.Typer):
        function, command = command, new_app()
        command.command(name)(function)
    return get_command(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"serenade {__version__}")
        raise typer.Exit


def _stand_in() -> None:
    """Take the place of a command until it runs."""


def make_app() -> typer.Typer:
    """Put the command together.

    Returns
    -------
    typer.Typer
        With a stand-in for each of :data:`COMMANDS`.
    """
    app = new_app(_LazyGroup)
    for name, command in COMMANDS.items():
        app.command(name, help=command.summary)(_stand_in)

    @app.callback()
    def describe(
        version: Annotated[
            bool,
            typer.Option(
                "--version", callback=_print_version, is_eager=True, help="Print the version."
            ),
        ] = False,
    ) -> None:
        """Tell which emotion is in a voice."""

    return app


def run() -> None:
    """Run the command line and leave the process with its exit code.

    Every `SerenadeError`, and a disk that is full, is one line on standard error and exit code 2. A
    bug is one line and exit code 70; ``SERENADE_DEBUG=1`` shows its traceback.
    """
    if sys.stderr is None:  # print would turn to standard output
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - as long as the process
    try:
        _run_and_flush()
    except SerenadeError as error:
        print_message(f"error: {error}")
        sys.exit(USAGE_EXIT_CODE)
    except BrokenPipeError:
        _drop_unwritten()
        sys.exit(READER_GONE_EXIT_CODE)
    except Exception as error:  # the last resort: users must not see a traceback
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            print_message(
                f"error: the output cannot be written ({error.strerror}); make room or write it"
                " elsewhere"
            )
            _drop_unwritten()
            sys.exit(USAGE_EXIT_CODE)
        if os.environ.get("SERENADE_DEBUG") == "1":
            raise
        print_message(
            f"bug: {type(error).__name__}: {error}; please report it with the traceback that"
            " SERENADE_DEBUG=1 shows"
        )
        sys.exit(BUG_EXIT_CODE)


def _run_and_flush() -> None:
    """Run, and see what is printed on its way; later only the interpreter could complain."""
    try:
        make_app()(prog_name="serenade")
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _drop_unwritten() -> None:
    """Let go what standard output did not take; the interpreter would try it once more."""
    if sys.stdout is None:
        return
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - Path is not loaded for help
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
