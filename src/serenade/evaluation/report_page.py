"""The page that the sections of a report stand on: its style, its head and its navigation."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import serenade

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEMPLATE = Path(__file__).with_name("report_template.html")


def render_page(
    sections: Sequence[tuple[str, str, str]], *, title: str, lead: str, banner: str, remark: str
) -> str:
    """Put sections onto a page that needs nothing beside itself.

    Parameters
    ----------
    sections : sequence of tuple of (anchor, title, content)
        The content is HTML; sections without any are left out.
    title, lead, remark : str
        Head, first sentence and last sentence; plain text.
    banner : str
        HTML above the sections; may be empty.

    Returns
    -------
    str
        HTML document.
    """
    shown = [(anchor, heading, content) for anchor, heading, content in sections if content]
    body = "\n".join(
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">'
        f'<h2 id="{anchor}-title">{heading}</h2>{content}</section>'
        for anchor, heading, content in shown
    )
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        lead=escape(lead),
        navigation="".join(f'<a href="#{anchor}">{heading}</a>' for anchor, heading, _ in shown),
        content=f"{banner}\n{body}",
        footer=f"Made by Serenade {serenade.__version__}. {escape(remark)}",
    )
