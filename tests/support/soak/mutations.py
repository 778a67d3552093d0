"""Odd requests: real ones, changed at random. Pure: the same seed makes the same requests.

In: `Request`s of `tests/support/request_rows.py`. Out: the bytes to send. A change writes a text of
its own, the canary, where it puts a value; no error may repeat it.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple, TypeAlias

from tests.support.request_rows import CSV, JSON, NDJSON, Request


class Odd(NamedTuple):
    """Bytes to send. `is_whole`: whether they are one request, which the server has to answer; if
    not, the caller sends no more after them."""

    data: bytes
    is_whole: bool
    canary: bytes


Change: TypeAlias = Callable[[Random, bytes, bytes], bytes]
"""A body, changed: random numbers, the body and the canary in, the new body out."""

TEXT: Final = rb'"(?:[^"\\]|\\.)*"'

KEY: Final = re.compile(rb"(" + TEXT + rb")\s*:")

NAMES: Final = rb'"columns"\s*:\s*\[[^]]*|"name"\s*:\s*' + TEXT + rb"|" + TEXT + rb"\s*:"

VALUE: Final = re.compile(NAMES + rb"|(" + TEXT + rb"|-?\d[\d.eE+-]*|true|false|null)")
"""Its group is a value of JSON. Names of columns and keys are none: errors may repeat them."""

CELL: Final = re.compile(rb"(?<=[,\n])([^,\n]*)")
"""Its group is a cell of CSV, though not the first one."""

FIRST_LINE: Final = re.compile(rb"\s*[^\n]*\n?")

VALUES: Final = (
    *(b'"%s"', b'"%s"', b'"%s"', b'["%s"]', b'{"a": "%s"}', b'[[["%s"]]]', b'"%s\\u0000"'),
    *(b'"\\ud800%s"', b'"%s\\', b"'%s'", b'"\n%s"', b'"%s\xff"', b'"\xed\xa0\x80%s"', b"%s"),
    *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"None", b"True", b"undefined", b"/*%s*/ 1"),
    *(b"1e999", b"-1e999", b"1e-999", b"1E400", b"9" * 400, b"1" * 5000, b"-0", b"-0.0", b"01"),
    *(b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"2147483648"),
    *(b"0x1F", b"1_000", b"1.", b".5", b"+1", b"1e", b"--1", b"0.1e+", b"5e-324", b"1.7", b"255"),
    *(b"true", b"false", b"null", b'"null"', b'"true"', b'"NaN"', b'""', b"[]", b"{}", b"[[]]"),
    *(b'"0001-01-01"', b'"9999-12-31T23:59:60Z"', b'"2024-02-30"', b'"20240101T000000+9999"'),
    *(b'"292278994-01-01"', b'"\\u0663"', b'"1\\u00a0"', b'"=1+1"', b'"\xf0\x9f\x8d\xb7"'),
    *(b"[" * 70 + b"]" * 70, b"[" * 5000, b'{"a":' * 3000, b'"' + b"x" * 20_000 + b'%s"'),
    *(b'{"__class__": "%s"}', b'{"$ref": "%s"}', b'"AP+A"', b'"AP+"', b"[1, [2, [3]]]"),
)
"""What is put in the place of a value; `%s` is the canary."""

KEYS: Final = (
    *(b'""', b'"a"', b'"A"', b'"b"', b'" a"', b'"a\\u0000"', b'"\\ud83c"', b'"inputs"', b"a", b"1"),
    *(b'"params"', b'"dataframe_split"', b'"instances"', b'"columns"', b'"data"', b'"index"'),
    *(b'"' + b"k" * 5000 + b'"', b'"__proto__"', b'"messages"', b'"\xc3\xa9"', b"null"),
)

CELLS: Final = (
    *(b"%s", b'"%s"', b'"%s', b'%s"', b'a""%s', b"%s\r", b"\n%s", b"%s,%s", b"\0%s", b"\xff%s"),
    *(b"", b" ", b"NA", b"nan", b"inf", b"-inf", b"1e999", b"TRUE", b"yes", b"1.5", b"0x1", b"1,5"),
    *(b"9" * 400, b"2024-02-30", b"31.12.2024", b"=1+1", b"[1]", b'{""a"": 1}', b"x" * 200_000),
)

ENDS: Final = ((b"", b""), (b"[", b"]"), (b'{"inputs": ', b"}"), (b'"', b'"'), (b"", b"{}"))
"""What is put around a body."""

MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0", b"PAR1", b"PK\x03\x04", b"\x1f")

CODECS: Final = ("utf-16", "utf-16-be", "utf-32", "latin-1", "utf-7", "cp037")


def one_value(random: Random, body: bytes, canary: bytes) -> bytes:
    """Another value of JSON."""
    return _replaced(random, VALUE, body, random.choice(VALUES).replace(b"%s", canary))


def one_key(random: Random, body: bytes, canary: bytes) -> bytes:
    """Another key of JSON, maybe one that is there already."""
    return _replaced(random, KEY, body, random.choice(KEYS))


def key_twice(random: Random, body: bytes, canary: bytes) -> bytes:
    """A key of JSON that comes twice."""
    found = list(KEY.finditer(body))
    if not found:
        return body
    match = random.choice(found)
    return body[: match.start()] + match[0] + b' "' + canary + b'", ' + body[match.start() :]


def one_cell(random: Random, body: bytes, canary: bytes) -> bytes:
    """Another cell of CSV. The first line has names, which errors may repeat."""
    start = FIRST_LINE.match(body).end()  # type: ignore[union-attr]
    new = random.choice(CELLS).replace(b"%s", canary)
    return body[:start] + _replaced(random, CELL, b"," + body[start:], new)[1:]


def one_byte(random: Random, body: bytes, canary: bytes) -> bytes:
    """A byte replaced, inserted or removed."""
    place = random.randrange(len(body) + 1)
    new = random.choice((b"", bytes([random.randrange(256)])))
    return body[:place] + new + body[place + random.randrange(2) :]


def some_bytes(random: Random, body: bytes, canary: bytes) -> bytes:
    """A part of the body removed, or written elsewhere once more."""
    start, end, place = sorted(random.randrange(len(body) + 1) for _ in range(3))
    return random.choice((body[:start] + body[end:], body[:place] + body[start:end] + body[place:]))


def cut_off(random: Random, body: bytes, canary: bytes) -> bytes:
    """Without its end."""
    return body[: random.randrange(len(body) + 1)]


def repeated(random: Random, body: bytes, canary: bytes) -> bytes:
    """The body several times."""
    return body * random.choice((2, 3, 50))


def wrapped(random: Random, body: bytes, canary: bytes) -> bytes:
    """In an array, an object, a text; or very deep."""
    before, after = random.choice(ENDS)
    times = random.choice((1, 1, 1, 60, 70, 3000))
    return before * times + body + after * times


def marked(random: Random, body: bytes, canary: bytes) -> bytes:
    """Behind the first bytes of something else."""
    return random.choice(MARKS) + body


def recoded(random: Random, body: bytes, canary: bytes) -> bytes:
    """In another encoding of texts."""
    return body.decode("utf-8", "replace").encode(random.choice(CODECS), "replace")


WHOLE: Final[Sequence[Change]] = (cut_off, repeated, wrapped, marked, recoded)
"""Changes that leave values where they are."""

TORN: Final[Sequence[Change]] = (*[one_byte] * 6, *[some_bytes] * 3, *WHOLE)

FILLED: Final[Mapping[str | None, Sequence[Change]]] = {
    JSON: (*[one_value] * 6, one_key, key_twice),
    NDJSON: (*[one_value] * 6, one_key, key_twice),
    CSV: (one_cell,),
}
"""Changes that write values, by the media type."""


def changed(random: Random, seed: Request, canary: bytes) -> bytes:
    """The body of a real request, changed: it has other values, or other bytes."""
    body, filled = seed.body, FILLED.get(seed.content_type)
    if not body:
        return body
    if filled is None or random.random() < 0.3:
        for _ in range(random.choice((0, 1, 1, 2))):
            body = random.choice(TORN)(random, body, canary)
        return body
    body = random.choice(filled)(random, body, canary)
    return random.choice(WHOLE)(random, body, canary) if random.random() < 0.2 else body


def _replaced(random: Random, pattern: re.Pattern[bytes], body: bytes, new: bytes) -> bytes:
    """The body with another text in the place of a group of the pattern."""
    spans = [match.span(1) for match in pattern.finditer(body) if match[1] is not None]
    if not spans:
        return body
    start, end = random.choice(spans)
    return body[:start] + new + body[end:]


def _compressed(random: Random, body: bytes) -> tuple[bytes, bytes]:
    """The body with a Content-Encoding, which may be broken or wrong."""
    name, packed = random.choice(
        (
            *((b"gzip", gzip.compress(body, 1)), (b"deflate", zlib.compress(body, 1))),
            *((b"gzip", body), (b"deflate", gzip.compress(body, 1)), (b"br", body)),
            *((b"gzip, deflate", zlib.compress(gzip.compress(body, 1))), (b"\xff,;", body)),
        )
    )
    changes: Sequence[Change] = (one_byte, cut_off, repeated, some_bytes)
    return name, random.choice(changes)(random, packed, b"") if random.random() < 0.7 else packed


TYPES: Final = (
    *(b"", b"text/plain", b"application/x-www-form-urlencoded", b"TEXT/CSV", b"application/JSON ;"),
    *(b"application/json; charset=%s", b"text/%s", b"%s", b"application/json; charset*0*=a''%s"),
    *(b'application/json; x="%s', b"application/json, text/csv", b";", b"\xff%s", b"/", b"a" * 300),
    *(b"multipart/form-data; boundary=%s", b"application/vnd.apache.parquet", b"text/csv"),
)

HEADERS: Final = (
    *(b"Accept: text/csv", b"Accept: application/x-ndjson", b"Accept: application/jsonl, */*;q=0"),
    *(b"Accept: application/vnd.apache.arrow.stream", b"Accept: application/vnd.apache.parquet"),
    *(b"Accept: %s", b"Accept: text/html;q=%s", b"Accept: */*;q=9, ,;", b"Accept-Encoding: %s"),
    *(b"X-Request-ID: \xff", b"X-Request-ID: " + b"1" * 200, b"X-Request-ID:", b"Cookie: %s=%s"),
    *(b"Authorization: Key %s", b"Authorization: %s", b"Range: bytes=0-%s", b"If-None-Match: %s"),
    *(b"If-None-Match: *", b"If-Modified-Since: %s", b"Expect: 100-continue", b"Expect: %s"),
    *(b"Forwarded: for=%s", b"X-Forwarded-Prefix: /%s", b"X-Forwarded-Host: %s", b"Origin: %s"),
    *(b"X-HTTP-Method-Override: DELETE", b"Connection: close", b"Connection: %s", b"TE: trailers"),
    *(b"X-%s: 1", b"X: " + b"a" * 60_000, b"Rstudio-Connect-Credentials: {%s", b"X: \xc3\xa9%s"),
    *(b"Connection: Upgrade\r\nUpgrade: h2c", b"Connection: Upgrade\r\nUpgrade: websocket"),
)

QUERIES: Final = (
    *(b"format=csv", b"format=ndjson", b"format=arrow", b"format=parquet", b"format=JSON"),
    *(b"include=inputs", b"include=a", b"include=a,,%22b%0A", b"include=inputs&format=csv"),
    *(b"method=predict_proba", b"method=transform&include=inputs", b"method=__class__"),
    *(b"format=no", b"format=", b"format", b"=", b"&&", b"%ff=%fe", b"format=csv&format=csv"),
    *(b"include=" + b"a," * 2000, b"method=" + b"m" * 5000, b"Format=csv", b"format=c%73v"),
)
"""Query strings of /invocations."""

FRAMES: Final = (
    *(b"Host: %s", b"Host:", b"X%s", b": %s", b"X \t: %s", b" folded: %s", b"X: \0%s", b"\r"),
    *(b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: %s", b"Content-Length: 1e3"),
    *(b"Content-Length: 99999999999999999999", b"Content-Length: 0, 5", b"X: a\nY:b"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: %s", b"X: " + b"a" * 70_000),
    b"Transfer-Encoding: chunked, gzip",
)
"""Lines after which the server cannot know where the request ends, or may refuse it."""

METHODS: Final = (b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"QUERY")

PATHS: Final = (
    *(b"/", b"/ping", b"/ping/", b"/health", b"/version", b"/metadata", b"/openapi.json", b"/docs"),
    *(b"/openapi.yaml", b"/redoc", b"/assets/", b"/assets/../main.py", b"/%2e%2e/%2e%2e/etc"),
    *(b"/invocations/", b"/invocations//", b"//invocations", b"/invocations;%s", b"/Invocations"),
    *(b"/%s", b"/%00%s", b"/%ff%fe", b"/%", b"/%zz", b"/invocations/%s", b"/" + b"a/" * 5000),
    *(b"/ping?%s", b"/invocations?no", b"/docs?url=%s", b"/?%ff=%00", b"/ping#%s", b"/?a=1&a=%s"),
    *(b"http://%s/ping", b"http://a/invocations", b"/assets/%s.js", b"/assets/%2f..%2f%s"),
    *(b"/v2", b"/v2/health/live", b"/v2/health/ready/", b"/v2/models/a", b"/v2/models/a/infer"),
    *(b"/v2/models/a/versions/%00", b"/v2/models/%2f/ready", b"/v2/models//infer"),
    *(b"/predict", b"/predict/", b"/prototype", b"/prototype?format=csv", b"/ping?format=csv"),
    *(b"/ping/%2e", b"/..;/ping", b"/\\..\\ping", b"/invocations%20", b"/invocations%0d%0aX:%s"),
)

LINES: Final = (
    *(b"GET /%s", b"GET  / HTTP/1.1", b"GET / HTTP/9.9", b"BREW / HTTP/1.1", b"GET / HTTP/1.1 "),
    *(b"GET /\xff%s HTTP/1.1", b"GET * HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"get / HTTP/1.1"),
    *(b"PRI * HTTP/2.0", b"\x16\x03\x01%s", b"GET /\0 HTTP/1.1", b"POST / HTTP/1.0", b""),
    b"GET a HTTP/1.1",
)
"""First lines that are none, or that no server has to read."""


class Mutator:
    """Makes odd requests of real ones."""

    def __init__(self, seeds: Sequence[Request], seed: int) -> None:
        self._seeds = seeds
        self._random = Random(seed)
        self._made = 0

    def next(self) -> Odd:
        """The next odd request."""
        self._made += 1
        canary = b"canary%dq" % self._made
        seed = self._random.choice(self._seeds)
        body = changed(self._random, seed, canary)
        encoding, media_type = (seed.encoding or "").encode(), (seed.content_type or "").encode()
        if self._often(0.1):
            encoding, body = _compressed(self._random, body)
        if self._often(0.1):
            media_type = self._random.choice(TYPES)
        path = self._path(seed)
        lines = [seed.method.encode() + b" " + path + b" HTTP/1.1", b"Host: a"]
        if media_type:
            lines.append(b"Content-Type: " + media_type)
        if encoding:
            lines.append(b"Content-Encoding: " + encoding)
        return self._framed(lines, body, canary)

    def _path(self, seed: Request) -> bytes:
        if self._often(0.05):
            return b"/predict"
        query = b"?" + self._random.choice(QUERIES) if self._often(0.2) else b""
        return seed.path.encode() + query

    def _framed(self, lines: list[bytes], body: bytes, canary: bytes) -> Odd:
        """The request with these lines and this body; some end too soon."""
        is_whole = self._leaves_whole(lines)
        if self._often(0.05):
            lines.append(b"Transfer-Encoding: chunked")
            body = _chunked(self._random, body)
        else:
            lines.append(b"Content-Length: %d" % len(body))
        data = b"\r\n".join([*lines, b"", b""]).replace(b"%s", canary) + body
        if self._often(0.03):
            return Odd(data[: self._random.randrange(len(data))], False, canary)
        return Odd(data, is_whole, canary)

    def _leaves_whole(self, lines: list[bytes]) -> bool:
        """Changes some of the lines; whether they still say where the request ends."""
        choice = self._random.choice
        if self._often(0.1):
            lines.append(choice(HEADERS))
        if self._often(0.1):
            lines[0] = choice((b"POST", *METHODS)) + b" " + choice(PATHS) + b" HTTP/1.1"
        has_odd_frame, has_odd_line = self._often(0.03), self._often(0.01)
        if has_odd_frame:
            lines.append(choice(FRAMES))
        if has_odd_line:
            lines[0] = choice(LINES)
        return not (has_odd_frame or has_odd_line)

    def _often(self, share: float) -> bool:
        return self._random.random() < share


def _chunked(random: Random, body: bytes) -> bytes:
    middle = random.randrange(len(body) + 1)
    parts = [part for part in (body[:middle], body[middle:]) if part]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
