"""What a client accepts, from its Accept and Accept-Encoding headers (RFC 9110 12.5).

In: the text of a header, None if it is absent, and what the server could send. Out: which of that
the client wants. A part of a header that cannot be read is ignored.
"""

import re
from collections.abc import Sequence
from typing import Final

QUALITY: Final = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.I)


def best(accept: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that the client wants most; None if it accepts none of them.

    If two have the same quality, the one that the header names more exactly wins, then the one that
    it names first, then the one that is offered first. Without the header, all are accepted.
    """
    known = qualities(accept or "*/*")
    ranks = {media_type: _rank(known, media_type) for media_type in offered}
    wanted = max(offered, key=ranks.__getitem__)
    return wanted if ranks[wanted][0] > 0 else None


def _rank(known: dict[str, float], media_type: str) -> tuple[float, int, int]:
    """The rank of a media type: quality, exactness and (negated) position of the header's most
    exact range that covers it."""
    ranges = ["*/*", f"{media_type.partition('/')[0]}/*", media_type]
    for exactness in (2, 1, 0):
        if ranges[exactness] in known:
            place = list(known).index(ranges[exactness])
            return known[ranges[exactness]], exactness, -place
    return 0.0, 0, 0


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether the client accepts a body that is compressed with gzip."""
    known = qualities(accept_encoding)
    return known.get("gzip", known.get("x-gzip", known.get("*", 0.0))) > 0


def qualities(header: str | None) -> dict[str, float]:
    """The quality of each name in a header, in lower case. A name without a quality has 1; if a
    name occurs twice, the first counts."""
    found: dict[str, float] = {}
    for part in (header or "").lower().split(","):
        name, *parameters = part.split(";")
        given = [QUALITY.fullmatch(text) for text in parameters if text.strip().startswith("q")]
        if name.strip() and all(given):
            quality = float(given[0][1]) if given and given[0] else 1.0
            found.setdefault(name.strip(), quality)
    return found
