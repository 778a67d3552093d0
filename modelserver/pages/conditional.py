"""Conditional answers (RFC 9110 13): a body with its entity tag, or 304 if the client has it.

In: a request and a body that is made once and served often. Out: a response. A proxy that
compresses makes a tag weak, so a client may send it as a weak one; If-None-Match takes both as
equal.
"""

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from modelserver.scoring.answering.tags import Tagged

ENTITY_TAG: Final = re.compile(r'"[^"]*"')


def conditional(
    request: Request,
    tagged: Tagged,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body; or 304 without a body, if the client's copy has the same tag."""
    all_headers = {**(headers or {}), "ETag": tagged.tag}
    if _has(request, tagged.tag):
        return Response(status_code=304, headers=all_headers)
    return Response(tagged.body, headers=all_headers, media_type=media_type)


def _has(request: Request, etag: str) -> bool:
    known = ",".join(request.headers.getlist("if-none-match"))
    return known.strip() == "*" or etag in ENTITY_TAG.findall(known)
