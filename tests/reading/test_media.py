"""Media types, charsets and content encodings, as headers spell them."""

import gzip
import time
import zlib

import pytest

from modelserver.errors import ApiError, BadRequest, PayloadTooLarge, UnsupportedMediaType
from modelserver.reading.csv.encoding import HOW
from modelserver.reading.formats import ARROW, CSV, FORMATS, JSON, NDJSON, PARQUET
from modelserver.reading.media import NO_HEADER, decompress, format_of


def gzipped(plain: bytes, level: int = 9) -> bytes:
    """Without the time of day, which would give each process other test ids."""
    return gzip.compress(plain, level, mtime=0)


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("application/json", b"", JSON),
        ("Application/JSON; Charset=UTF-8", b"", JSON),
        ('application/json;charset="utf-8"; format=pandas-split', b"", JSON),
        (" text/csv ;header=present", b"", CSV),
        ("text/csv; charset=us-ascii", b"", CSV),
        ("application/x-ndjson; header=absent", b"", NDJSON),
        ("application/jsonl; charset=utf-8", b"", NDJSON),
        ("Application/JSON-Lines", b"", NDJSON),
        ("application/ndjson", b"", NDJSON),
        ("application/jsonlines", b"", NDJSON),
        ("application/x-jsonlines", b"", NDJSON),
        ("application/vnd.apache.parquet; charset=binary", b"", PARQUET),
        ("application/vnd.apache.arrow.stream", b"", ARROW),
        ("application/vnd.apache.arrow.file", b"", ARROW),
        (None, b"", JSON),
        (";;;", b"", JSON),
        (None, b" \r\n{}", JSON),
        ("", b"[1]", JSON),
        ("text/plain", b"\xef\xbb\xbf[1]", JSON),
        ("application/x-www-form-urlencoded", b"a\n1", CSV),
        ("application/x-www-form-urlencoded", b"PAR1...", PARQUET),
        (None, b"\xff\xff\xff\xff...", ARROW),
        (None, b"ARROW1...", ARROW),
        ("text/csv; a=" + "x" * 244, b"", CSV),
    ],
)
def test_media_types(content_type: str | None, body: bytes, kind: str) -> None:
    assert format_of(content_type, body).media_type == kind


NO_UTF8 = "the charset must be UTF-8; save the body as UTF-8"
LISTED = ", ".join(FORMATS)


@pytest.mark.parametrize(
    ("content_type", "message", "headers"),
    [
        ("application/xml", f"the content type must be one of {LISTED}", {"Accept-Post": LISTED}),
        ("application/jsonp", f"the content type must be one of {LISTED}", {"Accept-Post": LISTED}),
        ("é/ü", f"the content type must be one of {LISTED}", {"Accept-Post": LISTED}),
        ("text/plain; charset=latin-1", NO_UTF8, {}),
        ("text/csv; charset=windows-1252", f"{NO_UTF8}{HOW}", {}),
        ('application/json; charset="utf-16"', NO_UTF8, {}),
        ("application/json; charset*=utf-8''utf-8", NO_UTF8, {}),
        ("text/csv; a=" + "x" * 245, "the content type is too long", {}),
        ("text/csv; header=absent", NO_HEADER, {}),
        ('Text/CSV; charset=utf-8; HEADER="Absent"', NO_HEADER, {}),
    ],
)
def test_refused_media_types(content_type: str, message: str, headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMediaType) as refusal:
        format_of(content_type, b"")
    assert (refusal.value.message, refusal.value.headers) == (message, headers)


@pytest.mark.parametrize(
    ("encoding", "body", "plain"),
    [
        (None, b"abc", b"abc"),
        ("", b"abc", b"abc"),
        ("identity", b"abc", b"abc"),
        ("gzip", gzipped(b"abc"), b"abc"),
        ("GZIP", gzipped(b"abc"), b"abc"),
        ("x-gzip", gzipped(b"abc"), b"abc"),
        ("deflate", zlib.compress(b"abc"), b"abc"),
        ("deflate, gzip", gzipped(zlib.compress(b"abc")), b"abc"),
        ("gzip", gzipped(b"abc") + gzipped(b"def"), b"abcdef"),
        ("gzip", gzipped(b"") * 20_000, b""),
        ("gzip", gzipped(b"abc") + bytes(100_000) + gzipped(b"d") + bytes(9), b"abcd"),
        ("gzip", gzipped(b"x" * 100), b"x" * 100),
        ("gzip", b"", b""),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_content_encodings(encoding: str | None, body: bytes, plain: bytes) -> None:
    assert decompress(body, encoding, 100) == plain


@pytest.mark.parametrize("behind", [b"x", b"\0", zlib.compress(b"def")])
def test_nothing_stands_behind_deflate(behind: bytes) -> None:
    with pytest.raises(BadRequest, match="the body is not valid deflate data"):
        decompress(zlib.compress(b"abc") + behind, "deflate", 100)


LARGE = "the body is larger than 100 bytes (MAX_REQUEST_BYTES)"


@pytest.mark.parametrize(
    ("encoding", "body", "error", "message"),
    [
        ("br", b"abc", UnsupportedMediaType, "the content encoding must be gzip or deflate"),
        ("gzip", b"abc", BadRequest, "the body is not valid gzip data"),
        (
            "deflate",
            zlib.compress(b"abc")[:-5],
            BadRequest,
            "the deflate data of the body is cut off",
        ),
        ("deflate", b"abc", BadRequest, "the body is not valid deflate data"),
        ("gzip", gzipped(b"abc") + b"abc", BadRequest, "the body is not valid gzip data"),
        ("gzip", gzipped(b"abc")[:-1], BadRequest, "the gzip data of the body is cut off"),
        (
            "deflate",
            zlib.compress(b"abc")[:-1],
            BadRequest,
            "the deflate data of the body is cut off",
        ),
        ("gzip", gzipped(b"x" * 101), PayloadTooLarge, LARGE),
        ("gzip", gzipped(b"x" * 51) * 2, PayloadTooLarge, LARGE),
        ("gzip", gzipped(bytes(100_000_000), 1), PayloadTooLarge, LARGE),
        ("gzip,gzip", gzipped(gzipped(bytes(200))), PayloadTooLarge, LARGE),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_refused_content_encodings(
    encoding: str, body: bytes, error: type[ApiError], message: str
) -> None:
    with pytest.raises(error) as refusal:
        decompress(body, encoding, 100)
    assert refusal.value.message == message


def test_many_gzip_members_take_time_in_proportion() -> None:
    def seconds(members: int) -> float:
        body = gzipped(b"") * members
        start = time.thread_time()
        assert decompress(body, "gzip", 100) == b""
        return time.thread_time() - start

    assert seconds(200_000) < 40 * seconds(20_000)  # a quadratic loop takes 100 times as long
