"""Bytes of JSON to Python values, strictly and once.

orjson reads the body. Refused with `BadRequest`, by position and never by value: what is not JSON
(NaN and Infinity among it), wrong UTF-8, lone surrogates, more than 1,024 levels, a key given
twice. UTF-16, UTF-32 and a byte order mark are understood, as by MLflow's server.
"""

import gc
import json
import re
from collections import Counter
from typing import Any, Final

import numpy as np
import orjson

from modelserver.errors import BadRequest, quoted

BARE_TOKEN: Final = re.compile(r"NaN|-?Infinity")

LARGE: Final = 1_000_000
"""Bytes from which on the collector would walk the half-built value again and again."""

LONG_NUMBER: Final = re.compile(rb"\d{19}")

TOO_DEEP: Final = BadRequest("the body is not valid JSON: nested too deeply")


def decode_json(body: bytes, exact_integers: bool = False) -> Any:
    """The JSON value in `body`.

    `exact_integers` keeps integers beyond 64 bits whole, for models that get values unchecked;
    orjson makes floats of them, which a typed column refuses anyway.
    """
    if not body.strip():
        raise BadRequest("the body is empty; send a table or an array of inputs")
    body = _as_utf8(body)
    large = len(body) > LARGE
    if large:
        gc.disable()
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not valid JSON: {_reason(body, error)}") from None
    finally:
        if large:
            gc.enable()
    if _may_repeat_keys(body, value):
        _refuse_repeated_keys(body)
    if exact_integers and LONG_NUMBER.search(body):
        return _decode_with_long_integers(body)
    return value


def _as_utf8(body: bytes) -> bytes:
    if body[:3] == b"\xef\xbb\xbf":
        return body[3:]
    encoding = json.detect_encoding(body[:4])
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        raise BadRequest(f"the body is not valid {encoding.upper()} text") from None


def _reason(body: bytes, error: orjson.JSONDecodeError) -> str:
    place = f"line {error.lineno}, column {error.colno}"
    text = body.decode("utf-8", "replace")
    if token := BARE_TOKEN.match(text, max(error.pos - 1, 0)) or BARE_TOKEN.match(text, error.pos):
        return f"{token[0]} at {place}; send null for a missing number"
    return f"{error.msg.partition(':')[0]} at {place}"


def _decode_with_long_integers(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise TOO_DEEP from None


def _may_repeat_keys(body: bytes, value: Any) -> bool:
    """False when it is certain that no object has a key twice.

    Each key as written has a colon after it, so as many colons as keys in the parsed value means
    that no key was lost. Texts may hold colons too, but seldom behind a quote; and there may be
    more keys in nested objects, which are counted last.
    """
    keys = _count_outer_keys(value)
    if body.count(b":") == keys or _count_key_colons(body) == keys:
        return False
    try:
        return _count_key_colons(body) != _count_keys(value)
    except RecursionError:
        raise TOO_DEEP from None


def _count_key_colons(body: bytes) -> int:
    """Colons that may end a key: behind a quote, or behind white space. At least all that do."""
    letters = np.frombuffer(body, np.uint8)
    before = letters[np.flatnonzero(letters == ord(":")) - 1]
    return int(np.count_nonzero((before == ord('"')) | (before <= ord(" "))))


def _count_outer_keys(value: Any) -> int:
    """Keys of objects that are reached without looking into rows or cells."""
    if isinstance(value, dict):
        return len(value) + sum(map(_count_outer_keys, value.values()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sum(len(item) for item in value if isinstance(item, dict))
    return 0


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
