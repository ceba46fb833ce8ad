"""How every typer application of the command line is set up."""

from __future__ import annotations

import typer
from typer.core import TyperGroup


def new_app(group: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """Make an application without rich, which would double the start-up time.

    Parameters
    ----------
    group : type
        Class of the group of commands.

    Returns
    -------
    typer.Typer
        Without commands.
    """
    return typer.Typer(
        cls=group,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
