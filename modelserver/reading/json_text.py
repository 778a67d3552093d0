"""Bytes of JSON to Python values, strictly and once.

orjson reads the body. Raises `BadRequest` for invalid JSON, wrong UTF-8, lone surrogates, more than
1,024 levels, a key given twice and too many arrays and objects; messages name the position, never
the value. UTF-16, UTF-32 and a byte order mark are accepted, as by MLflow's server.

Python's json module, and so MLflow's client and the examples that MLflow logs, write NaN, Infinity
and -Infinity, which JSON does not have. `decode_json` refuses such a body with `BareConstants`, and
`decode_constants` reads it. So other bodies lose no time with it.
"""

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from modelserver.errors import BadRequest, not_utf8
from modelserver.types.cell_parsers import WholeFloat, whole_number_of
from modelserver.types.names import quoted

STAND_INS: Final = ((b"Infinity", b"1.000000"), (b"NaN", b"0.0"))
"""A JSON number as long as each constant. With these in place of the constants, orjson can check
the rest of a body, and error positions stay the same."""

LONG_INTEGER: Final = re.compile(rb"(?<![\d.])\d{19}")
"""19 digits that are not behind a point: only integers beyond 64 bits have more."""

LONG_DIGITS: Final = b"0" * 19
DIGITS_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)

NOT_JSON: Final = "the body is not valid JSON"

TOO_DEEP: Final = f"{NOT_JSON}: nested too deeply"

MOST_PARTS: Final = 15_000_000
"""The most arrays and objects of a body, or lines of NDJSON, unless there are fewer than one per
`BYTES_PER_PART`. While orjson builds so many, which takes 5 to 11 s and 2 GB, nothing else runs;
before Python 3.12, twice as many take three times as long. Of the shortest records of one column,
`{"a":1},`, 13 million have 100 MiB."""

BYTES_PER_PART: Final = 8

FEW_NANS: Final = 100_000

BYTES_PER_NAN: Final = 8
"""To put null in place of more NaN than one per so many bytes takes longer than the plain way."""

OF_PYTHON: Final = re.compile(r"'|(?:None|True|False|nan|inf|undefined)\b")
"""What stands where JSON is wrong if Python's str() wrote the body, or JavaScript."""

BY_PYTHON: Final = (
    ". JSON has double quotes, null, true and false: write the body with json.dumps, or let the "
    "client do it (Python's requests: json=)"
)

NAN: Final = re.compile(rb"NaN")


class BareConstants(BadRequest):
    """The body is not JSON, perhaps only because of the constants that Python's json module
    writes."""


def decode_json(body: bytes, exact_integers: bool = False) -> Any:
    """The JSON value in `body`. Raises `BareConstants` if `decode_constants` may read it, and
    `BadRequest` for other faults.

    `exact_integers`: whether to keep integers beyond 64 bits whole. orjson turns such integers into
    floats, which a typed column refuses; pass True for a model that would get them.
    """
    if not body.strip():
        raise BadRequest("the body is empty; send a table or an array of inputs")
    body = as_utf8(body)
    _refuse_too_many_brackets(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(body, error) from None
    if may_repeat_keys(body, value):
        _refuse_repeated_keys(body)
    if exact_integers and may_lack_digits(body):
        return _loads_slowly(body)
    return value


def decode_constants(body: bytes) -> Any:
    """The value in a body that Python's json module wrote; NaN and infinities become floats. Raises
    `BadRequest`."""
    body = strict = as_utf8(body)
    for constant, stand_in in STAND_INS:
        strict = strict.replace(constant, stand_in)
    try:
        orjson.loads(strict)  # refuses what Python's json module reads beyond JSON
    except orjson.JSONDecodeError as error:
        raise _refusal(strict, error) from None
    value = _loads_slowly(body)
    if may_repeat_keys(body, value):
        _refuse_repeated_keys(body)
    return value


def decode_exactly(body: bytes) -> Any:
    """The value in a body that could be read before, now with all digits of its numbers: integers
    of any size, and a `WholeFloat` for each float of 2**53 or more that is spelled as a whole
    number."""
    return _loads_slowly(as_utf8(body), _exact_float)


def most_parts(body: bytes) -> int:
    """How many arrays and objects, or lines, the body may have."""
    return max(MOST_PARTS, len(body) // BYTES_PER_PART)


def _refuse_too_many_brackets(body: bytes) -> None:
    """Raises `BadRequest`. Only if there are many brackets, those in texts are told apart."""
    most = most_parts(body)
    if len(body) < 2 * most or np.count_nonzero(_opening(body)) <= most:
        return
    plain = np.frombuffer(_without_escapes(body), np.uint8)
    inside = np.bitwise_xor.accumulate(plain == ord('"'))
    if np.count_nonzero(_opening(plain) & ~inside) > most:
        raise BadRequest(
            f"the body has more than {most} arrays and objects, which are too many for one JSON "
            "text; send its rows in several requests, or as CSV or Parquet"
        )


def _opening(text: "bytes | NDArray[np.uint8]") -> "NDArray[np.bool_]":
    """Where an array or an object begins: the codes of their brackets differ in one bit."""
    opening: NDArray[np.bool_] = (np.frombuffer(text, np.uint8) | 0x20) == ord("{")
    return opening


def _without_escapes(body: bytes) -> bytes:
    """The body with other letters in place of escaped quotes and backslashes: each quote that is
    left starts or ends a text."""
    return body.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in body else body


def may_lack_digits(body: bytes) -> bool:
    """Whether orjson may have made floats of integers in the body. Most bodies have no 19 digits in
    a row, which is found without the slower search for a pattern."""
    has_long_digits = LONG_DIGITS in body.translate(DIGITS_AS_ZEROS)
    return has_long_digits and LONG_INTEGER.search(body) is not None


def _exact_float(text: str) -> float:
    whole = whole_number_of(text)
    return float(text) if whole is None else WholeFloat.of(whole)


def fast_nulls(body: bytes) -> bytes | None:
    """A fast way to read a body with NaN: the body with null in place of each NaN outside of texts,
    for `decode_json`; None if there is no such NaN, or if there are so many that it takes longer.
    The plain way is `decode_constants`."""
    body = as_utf8(body)
    if body.count(b"NaN") > max(FEW_NANS, len(body) // BYTES_PER_NAN):
        return None
    plain = _without_escapes(body)
    parts, start, quotes, counted = [], 0, 0, 0
    for found in NAN.finditer(plain):
        quotes += plain.count(b'"', counted, found.start())
        counted = found.start()
        if quotes % 2 == 0:
            parts.append(body[start : found.start()])
            start = found.end()
    return b"null".join([*parts, body[start:]]) if parts else None


def _loads_slowly(body: bytes, parse_float: Callable[[str], Any] | None = None) -> Any:
    """The value as Python's json module reads it. Raises `BadRequest`."""
    try:
        return json.loads(body, parse_float=parse_float)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"{NOT_JSON}: {error.msg} at {place}") from None
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None


def as_utf8(body: bytes) -> bytes:
    """The body in UTF-8 without a byte order mark. Raises `BadRequest`."""
    if body.startswith(BOM_UTF8):
        return body.removeprefix(BOM_UTF8)
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        raise BadRequest(f"the body is not valid {encoding.upper()} text") from None


def _refusal(body: bytes, error: orjson.JSONDecodeError) -> BadRequest:
    """The error for a body that orjson refused. For wrong UTF-8 it finds the position, which orjson
    does not tell."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return not_utf8(wrong)
    fault = BareConstants if any(constant in body for constant, _ in STAND_INS) else BadRequest
    place = f"line {error.lineno}, column {error.colno}"
    advice = BY_PYTHON if OF_PYTHON.match(error.doc, error.pos) else ""
    return fault(f"{NOT_JSON}: {error.msg.partition(':')[0]} at {place}{advice}")


def may_repeat_keys(body: bytes, value: Any) -> bool:
    """False if no object in the body can have a key twice; True if the caller must look.

    Each key in the body has a colon after it. If there are as many colons as keys in the parsed
    value, no key was lost. Texts may also contain colons, but seldom after a quote. Keys of nested
    objects are counted last, since that takes longest.
    """
    if b"{" not in body:
        return False
    keys = _count_outer_keys(value)
    if body.count(b":") == keys or _count_key_colons(body) == keys:
        return False
    try:
        return _count_key_colons(body) != _count_keys(value)
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None


def _count_key_colons(body: bytes) -> int:
    """The number of colons after a quote or white space: all that end a key, and maybe others."""
    letters = np.frombuffer(body, np.uint8)
    before = letters[np.flatnonzero(letters == ord(":")) - 1]
    return int(np.count_nonzero((before == ord('"')) | (before <= ord(" "))))


def _count_outer_keys(value: Any) -> int:
    """The number of keys of objects that can be counted without looking into rows or cells."""
    if isinstance(value, dict):
        return len(value) + sum(map(_count_outer_keys, value.values()))
    has_objects = isinstance(value, list) and len(value) > 0 and isinstance(value[0], dict)
    return sum(map(len, value)) if has_objects and set(map(type, value)) == {dict} else 0


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_count_keys, value.values()))
    if isinstance(value, list):
        return sum(_count_keys(item) for item in value if isinstance(item, (dict, list)))
    return 0


def _refuse_repeated_keys(body: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> None:
        for key, times in Counter(key for key, _ in items).items():
            if times > 1:
                raise BadRequest(f"the key {quoted(key)} is given twice in one JSON object")

    json.loads(body, object_pairs_hook=pairs)
