"""From HTTP to plain bytes: media types, charsets, content encodings.

In: the texts of headers, and the raw body. Out: the row of the format table, and the body as it was
before compression. Media types are parsed by RFC 9110 (8.3.1: case-insensitive, quoted parameters).
curl, httr2 and vetiver send no media type or that of a form; then the body's beginning decides.
"""

import zlib
from collections.abc import Iterator, Mapping
from email.message import Message
from functools import lru_cache
from typing import Final

from modelserver.errors import BadRequest, UnsupportedMediaType, no_text, too_large
from modelserver.reading.csv.encoding import HOW
from modelserver.reading.formats import CSV, FORMATS, JSON, NDJSON, SAME, Format, recognised
from modelserver.reading.recognising import BLANKS, is_ndjson

# The types that clients send if the user named none: no type, a form's type or plain text.
UNDECIDED: Final = frozenset({"", "application/x-www-form-urlencoded", "text/plain"})

NOT_NAMED: Final = UNDECIDED | {"application/octet-stream"}
"""The types that clients send by default where the body can only be JSON."""

MULTIPART: Final = "multipart/form-data"
"""The type that curl -F and HTML forms with a file send."""

WHOLE: Final = (
    "; send the file itself (curl: --data-binary @file, Python's requests: data= in place of "
    "files=)"
)

LONGEST_TYPE: Final = 256
"""The most characters of a Content-Type; the parser's time grows with the square of the length."""

UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

NO_HEADER: Final = (
    "header=absent is not supported: CSV needs a header with the names of the columns"
)


def check_origin(origin: str | None, content_type: str | None) -> None:
    """Raises `UnsupportedMediaType` if a web page sent the request and named no format.

    Browsers send such a request for a page of any site, with the user's login. If a format is
    named, they ask the server first (CORS). `origin` is the Origin header, which only browsers
    send.
    """
    if origin is not None and not names_format(content_type):
        raise _unsupported(f"a web page must name the content type: one of {', '.join(FORMATS)}")


def names_format(content_type: str | None) -> bool:
    """Whether a Content-Type header says which format a body has, or tries to; otherwise the
    body's beginning decides."""
    return _parse((content_type or "")[:LONGEST_TYPE])[0] not in UNDECIDED


def format_of(content_type: str | None, body: bytes) -> Format:
    """The format of a request, by its Content-Type header and the (uncompressed) body.

    Raises `UnsupportedMediaType` for any other type, for a charset that is not UTF-8, and for CSV
    that says it has no header (RFC 4180).
    """
    if len(content_type or "") > LONGEST_TYPE:
        raise UnsupportedMediaType("the content type is too long")
    media_type, charset, header = _parse(content_type or "")
    row = _sniff(body) if media_type in UNDECIDED else FORMATS.get(media_type)
    if row is None:
        advice = WHOLE if media_type == MULTIPART else _as_what(body)
        raise _unsupported(f"the content type must be one of {', '.join(FORMATS)}{advice}")
    if not row.binary and charset not in UTF8:
        how = HOW if row.media_type == CSV else ""
        raise UnsupportedMediaType(f"the charset must be UTF-8; save the body as UTF-8{how}")
    if row.media_type == CSV and header == "absent":
        raise UnsupportedMediaType(NO_HEADER)
    return row


def _as_what(body: bytes) -> str:
    """What the body looks like, as the end of a message; empty if it looks like nothing known."""
    if (fault := no_text(body)) is not None:
        return f"; {fault.message}"
    row = recognised(body)
    return "" if row is None else f"; the body looks like {row.name}, which is {row.media_type}"


def check_json(content_type: str | None) -> None:
    """Raises `UnsupportedMediaType` if a request whose body can only be JSON names another format.
    The types that clients send by default name none."""
    media_type = _parse((content_type or "")[:LONGEST_TYPE])[0]
    if media_type not in NOT_NAMED and media_type != JSON:
        raise UnsupportedMediaType(
            f"the content type must be {JSON}", headers={"Accept-Post": JSON}
        )


def _unsupported(message: str) -> UnsupportedMediaType:
    """The error, with the header that says which media types are read."""
    return UnsupportedMediaType(message, headers={"Accept-Post": ", ".join(FORMATS)})


@lru_cache(maxsize=128)
def _parse(content_type: str) -> tuple[str, str, str]:
    """The media type, as lists of formats show it, the charset and whether CSV has a header: the
    parameters are "utf-8" and "present" if they are not there."""
    message = Message()
    message["Content-Type"] = content_type
    try:
        charset, header = (
            str(message.get_param(name, default)).strip().lower()
            for name, default in (("charset", "utf-8"), ("header", "present"))
        )
    except (LookupError, TypeError, ValueError):  # broken RFC 2231 parameters
        charset, header = "unreadable", "present"
    media_type = content_type.partition(";")[0].strip().lower()
    return SAME.get(media_type, media_type), charset, header


def _sniff(body: bytes) -> Format:
    """The format of a body without a media type, by its beginning. An empty body counts as JSON,
    and any other one as CSV."""
    text = body.lstrip(BLANKS)
    if text.startswith(b"{") and is_ndjson(text):
        return FORMATS[NDJSON]
    for row in FORMATS.values():
        if (body if row.binary else text).startswith(row.starts):
            return row
    return FORMATS[CSV if text else JSON]


def decompress(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without its Content-Encoding (RFC 9110 8.4).

    Raises `PayloadTooLarge` as soon as it has more than `limit` bytes, `BadRequest` for broken
    data, `UnsupportedMediaType` for any other encoding than gzip and deflate.
    """
    for name in reversed([part.strip().lower() for part in (encoding or "").split(",")]):
        if name in ("", "identity"):
            continue
        if name not in WINDOWS:
            raise UnsupportedMediaType(
                "the content encoding must be gzip or deflate", headers={"Accept-Encoding": "gzip"}
            )
        if body:
            body = _unpacked(body, name, limit)
    return body


def _unpacked(body: bytes, name: str, limit: int) -> bytes:
    pieces, size = [], 0
    for piece in Unpacker(name).pieces(body, last=True, size=limit + 1):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise too_large(limit)
    return b"".join(pieces)


class Unpacker:
    """Undoes the Content-Encoding of a body that comes part by part. Raises `UnsupportedMediaType`
    for any other encoding than gzip and deflate."""

    def __init__(self, encoding: str | None) -> None:
        self._name = (encoding or "").strip().lower()
        if self._name not in WINDOWS:
            raise UnsupportedMediaType(
                "the content encoding of a table in chunks must be gzip or deflate",
                headers={"Accept-Encoding": "gzip"},
            )
        self._inflater = zlib.decompressobj(WINDOWS[self._name])

    def pieces(self, part: bytes, last: bool, size: int) -> Iterator[bytes]:
        """What the next part of the body stands for, in pieces of at most `size` bytes. `last`:
        whether the body ends with it. Raises `BadRequest` for broken data."""
        try:
            yield from self._pieces(part, size)
        except zlib.error:
            raise BadRequest(f"the body is not valid {self._name} data") from None
        if last and not self._inflater.eof:
            raise BadRequest(f"the {self._name} data of the body is cut off")

    def _pieces(self, part: bytes, size: int) -> Iterator[bytes]:
        for start in range(0, len(part), AT_ONCE):
            window = part[start : start + AT_ONCE]
            while window := self._of_next_member(window):
                piece = self._inflater.decompress(window, size)
                while piece:
                    yield piece
                    piece = self._inflater.decompress(self._inflater.unconsumed_tail, size)
                window = self._inflater.unused_data

    def _of_next_member(self, data: bytes) -> bytes:
        """The data; gzip may consist of several members, with zeros behind the last one."""
        if self._inflater.eof and data:
            if WINDOWS[self._name] == ZLIB:
                raise zlib.error("data behind the end")
            data = data.lstrip(b"\0")
            if data:
                self._inflater = zlib.decompressobj(WINDOWS[self._name])
        return data


AT_ONCE: Final = 16 * 1024
"""How many bytes are unpacked at once: zlib copies what stands behind the end of each member."""

ZLIB: Final = 15

WINDOWS: Final[Mapping[str, int]] = {"gzip": 31, "x-gzip": 31, "deflate": ZLIB}
"""What zlib calls the formats. HTTP's "deflate" is zlib's (RFC 9110 8.4.1.2)."""
