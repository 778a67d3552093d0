"""Secrets that are easy to find again: in any text, however it spells them."""

import base64
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

MARK = "hush4711"
"""What all of them contain, in letters that no spelling changes but base64."""

TOKEN = re.compile(r"[A-Za-z0-9+/_-]{8,}")


def canary(name: str) -> str:
    """A secret with the characters that URLs, JSON, Python and HTML spell in other ways."""
    return f"{MARK}/{name}+it's <&>=%7"


def leaks(text: str) -> list[str]:
    """The places of a text that have a part of a secret in them; empty if there are none."""
    spelt = [text, unquote(text), html.unescape(text), *_decoded(text)]
    return [
        found[0] for form in spelt for found in re.finditer(f"(?i).{{0,40}}{MARK}.{{0,40}}", form)
    ]


def _decoded(text: str) -> Iterator[str]:
    """What stands in a text in base64, wherever its groups of four begin."""
    for token in TOKEN.findall(text):
        for start in range(4):
            group = token[start : start + (len(token) - start) // 4 * 4]
            yield base64.b64decode(group, altchars=b"-_" if {*"-_"} & {*group} else None).decode(
                "latin-1"
            )
