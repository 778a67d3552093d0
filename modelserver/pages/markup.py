"""HTML from templates: every value that is filled in is escaped, unless it is markup already.

Templates are `string.Template` texts; the larger ones are files in the folder `assets`.
"""

import html
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

ASSETS: Final = Path(__file__).parent / "assets"


class Html(str):
    """Text that is markup already and must not be escaped."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """The value as escaped text, which may also stand in a quoted attribute."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def filled(template: str, **values: object) -> Html:
    """The template with its names replaced by these values, escaped. A name without a value raises
    `KeyError`."""
    texts = {name: escaped(value) for name, value in values.items()}
    return Html(Template(template).substitute(texts))


def joined(parts: Iterable[object], between: str = "") -> Html:
    """The parts, each escaped unless it is markup, as one piece of markup."""
    return Html(between.join(map(escaped, parts)))


@cache
def template(name: str) -> str:
    """The text of a template file."""
    return (ASSETS / name).read_text("utf-8")
