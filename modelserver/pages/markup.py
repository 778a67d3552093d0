"""HTML from templates: whatever is filled in is escaped, unless it is markup already.

Templates are `string.Template` texts, the larger ones files in the folder `assets`.
"""

import html
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

FOLDER: Final = Path(__file__).parent / "assets"


class Html(str):
    """Text that is markup, and safe as it is."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """The value as text in markup, also within a quoted attribute."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def filled(template: str, **values: object) -> Html:
    """The template with a value for each of its names."""
    texts = {name: escaped(value) for name, value in values.items()}
    return Html(Template(template).substitute(texts))


def joined(parts: Iterable[object], between: str = "") -> Html:
    """One markup of many, escaped where they are not."""
    return Html(between.join(map(escaped, parts)))


@cache
def template(name: str) -> str:
    """The text of a template file."""
    return (FOLDER / name).read_text("utf-8")
