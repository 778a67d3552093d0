"""What a client accepts, from its Accept and Accept-Encoding headers (RFC 9110 12.5).

In: header texts, None where absent. Out: yes or no. A part that cannot be read counts for nothing.
"""

import re
from collections.abc import Mapping
from typing import Final

HTML: Final = "text/html"
JSON: Final = "application/json"

QUALITY: Final = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.I)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether a gzip-compressed body may be sent."""
    known = _qualities(accept_encoding)
    return known.get("gzip", known.get("x-gzip", known.get("*", 0.0))) > 0


def names_html(accept: str | None) -> bool:
    """Whether the client asks for HTML by name, as browsers do."""
    return _qualities(accept).get(HTML, 0.0) > 0


def prefers_json(accept: str | None) -> bool:
    """Whether JSON is wanted before HTML; of two that are wanted alike, the one that is named
    more exactly, then the one that is named first."""
    known = _qualities(accept)
    json, html = _rank(known, JSON), _rank(known, HTML)
    return json[0] > 0 and json > html


def _rank(known: Mapping[str, float], media_type: str) -> tuple[float, int, int]:
    """Quality, exactness and earliness of the most exact range that covers the type."""
    ranges = ["*/*", f"{media_type.partition('/')[0]}/*", media_type]
    for exactness in (2, 1, 0):
        if ranges[exactness] in known:
            place = list(known).index(ranges[exactness])
            return known[ranges[exactness]], exactness, -place
    return 0.0, 0, 0


def _qualities(header: str | None) -> dict[str, float]:
    """Quality by lower-case name; a name without one has 1, a name given twice its first."""
    qualities: dict[str, float] = {}
    for part in (header or "").lower().split(","):
        name, *parameters = part.split(";")
        found = [QUALITY.fullmatch(text) for text in parameters if text.strip().startswith("q")]
        if name.strip() and all(found):
            quality = float(found[0][1]) if found and found[0] else 1.0
            qualities.setdefault(name.strip(), quality)
    return qualities
