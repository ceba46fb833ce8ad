"""What the version of a model may look like."""

from __future__ import annotations

import re

VERSION_FORM = "1 to 40 letters, digits and . _ + -, for example 1.0.0"
"""For people."""

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,39}")


def is_version(text: str) -> bool:
    """Tell whether a text can be the version of a model.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    bool
        Whether it has 1 to 40 letters, digits and ``. _ + -``, the first a letter or a digit.
    """
    return _VERSION.fullmatch(text) is not None
