"""Which texts may not stand in the log: keys, and what of a URI is nobody's business.

In: keys and URIs as they were set. Out: texts to strike out, as they stand there and as programs
that decode them write them. Nothing is raised.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_plus

SHORTEST: Final = 8
"""Characters; shorter texts are no secrets, and would be found in every line."""

LOGIN: Final = re.compile(r"^https?://(?:[^/?#:@]*:)?(.*)@|^[\w+.-]+://[^/?#:@]*:(.*)@")
"""A password, or a token in its place, which may have any character."""

VALUE: Final = re.compile(r"[?&][^=&#]*=([^&#]+)")
"""A value of a query."""

MARKED: Final = re.compile(r"(?<=://)[^/?#:@]*:.*@|(?<=[?&])[^=&#]+=[^&#]+")
"""Login and query with their marks, by which they are found though they may be short."""


def redaction(keys: Sequence[str], uris: Sequence[str]) -> list[str]:
    """The texts, the longest first, since one may be a part of another."""
    texts, marked = set(keys), set()
    for uri in uris:
        found = [text for groups in LOGIN.findall(uri) for text in groups] + VALUE.findall(uri)
        texts |= {form for text in found for form in (text, unquote_plus(text))}
        marked |= set(MARKED.findall(uri))
    marked |= {text for text in texts if len(text) >= SHORTEST}
    return sorted(marked, key=len, reverse=True)
