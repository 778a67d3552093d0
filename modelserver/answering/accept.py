"""What a client accepts, from its Accept and Accept-Encoding headers (RFC 9110 12.5).

In: the text of a header, None where it is absent, and names that could be sent. Out: which of them
the client wants. A part of a header that cannot be read counts for nothing.
"""

import re
from collections.abc import Sequence
from typing import Final

QUALITY: Final = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.I)


def best(accept: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that the client wants most, None if it takes none of them.

    Of two that it wants alike, the one that it names more exactly, then the one that it names
    first, then the one that is offered first. Without the header it takes any.
    """
    known = qualities(accept or "*/*")
    ranks = {media_type: _rank(known, media_type) for media_type in offered}
    wanted = max(offered, key=ranks.__getitem__)
    return wanted if ranks[wanted][0] > 0 else None


def _rank(known: dict[str, float], media_type: str) -> tuple[float, int, int]:
    """Quality, exactness and earliness of the most exact range that covers the media type."""
    ranges = ["*/*", f"{media_type.partition('/')[0]}/*", media_type]
    for exactness in (2, 1, 0):
        if ranges[exactness] in known:
            place = list(known).index(ranges[exactness])
            return known[ranges[exactness]], exactness, -place
    return 0.0, 0, 0


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether a gzip-compressed body may be sent."""
    known = qualities(accept_encoding)
    return known.get("gzip", known.get("x-gzip", known.get("*", 0.0))) > 0


def qualities(header: str | None) -> dict[str, float]:
    """Quality by lower-case name; a name without one has 1, a name given twice its first."""
    found: dict[str, float] = {}
    for part in (header or "").lower().split(","):
        name, *parameters = part.split(";")
        given = [QUALITY.fullmatch(text) for text in parameters if text.strip().startswith("q")]
        if name.strip() and all(given):
            quality = float(given[0][1]) if given and given[0] else 1.0
            found.setdefault(name.strip(), quality)
    return found
