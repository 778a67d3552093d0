"""From HTTP to plain bytes: media types, charsets, content encodings.

In: header texts and the raw body. Out: which of the readers' media types it is, and the body as it
was before compression. Media types are parsed as RFC 9110 says (8.3.1: case-insensitive, quoted
parameters); an absent or a form type, which curl, httr2 and vetiver send, is decided by the body.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from email.message import Message
from functools import lru_cache
from typing import Final

from modelserver.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType

JSON: Final = "application/json"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"

MEDIA_TYPES: Final = (JSON, CSV, PARQUET)

# What clients send for a body whose type they were not told: nothing, or a form's type.
UNDECIDED: Final = frozenset({"", "application/x-www-form-urlencoded", "text/plain"})

MULTIPART: Final = "multipart/form-data"
"""What curl -F and forms with a file send."""

PARQUET_START: Final = b"PAR1"

LONGEST_TYPE: Final = 256
"""Characters of a Content-Type; the parser's time grows with their square."""

UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def media_type(content_type: str | None, body: bytes) -> str:
    """One of `MEDIA_TYPES` for a Content-Type header and the (uncompressed) body.

    Raises `UnsupportedMediaType` for any other type, or for a charset that is not UTF-8.
    """
    if len(content_type or "") > LONGEST_TYPE:
        raise UnsupportedMediaType("the content type is too long")
    kind, charset = _parse(content_type or "")
    if kind in UNDECIDED:
        kind = _sniff(body)
    if kind not in MEDIA_TYPES:
        whole = "; send the file itself (curl: --data-binary @file)" if kind == MULTIPART else ""
        raise UnsupportedMediaType(
            f"the content type must be one of {', '.join(MEDIA_TYPES)}{whole}",
            headers={"Accept-Post": ", ".join(MEDIA_TYPES)},
        )
    if kind != PARQUET and charset not in UTF8:
        raise UnsupportedMediaType("the charset must be UTF-8")
    return kind


@lru_cache(maxsize=128)
def _parse(content_type: str) -> tuple[str, str]:
    """Type and charset, in lower case."""
    message = Message()
    message["Content-Type"] = content_type
    try:
        charset = str(message.get_param("charset", "utf-8")).strip().lower()
    except (LookupError, TypeError, ValueError):  # broken RFC 2231 parameters
        charset = "unreadable"
    return content_type.partition(";")[0].strip().lower(), charset


def _sniff(body: bytes) -> str:
    if body[:4] == PARQUET_START:
        return PARQUET
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return JSON if start in (b"{", b"[") or not start else CSV


def decompress(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without its Content-Encoding (RFC 9110 8.4), at most `limit` bytes of it.

    Raises `PayloadTooLarge` as soon as more comes out, `BadRequest` for broken data,
    `UnsupportedMediaType` for another encoding.
    """
    for name in reversed([part.strip().lower() for part in (encoding or "").split(",")]):
        if name in ("", "identity"):
            continue
        if name not in INFLATERS:
            raise UnsupportedMediaType(
                "the content encoding must be gzip or deflate", headers={"Accept-Encoding": "gzip"}
            )
        try:
            body = INFLATERS[name](body, limit + 1)
        except EOFError:
            raise BadRequest(f"the {name} data of the body is cut off") from None
        except (zlib.error, gzip.BadGzipFile):
            raise BadRequest(f"the body is not valid {name} data") from None
        if len(body) > limit:
            raise too_large(limit)
    return body


def _read_gzip(body: bytes, size: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        return file.read(size)


def _read_deflate(body: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(body, size)
    if len(data) < size and not inflater.eof:
        raise EOFError
    return data


def too_large(limit: int) -> PayloadTooLarge:
    """The error for a body beyond `limit` bytes."""
    return PayloadTooLarge(f"the body is larger than {limit} bytes (MAX_REQUEST_BYTES)")


# HTTP's "deflate" is zlib's format (RFC 9110 8.4.1.2).
INFLATERS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _read_gzip,
    "x-gzip": _read_gzip,
    "deflate": _read_deflate,
}
