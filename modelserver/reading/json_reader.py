"""JSON: the bytes of a body to what the model's `predict` takes, model input and params.

In: the uncompressed bytes. Out: a `Payload`. The fast readers are tried first; `json_text` decodes
every other body, and `input_forms` reads the value. Pure: no HTTP, no environment.
"""

import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading.fast import read_fast
from modelserver.reading.input_forms import read_value
from modelserver.reading.json_text import (
    BareConstants,
    as_utf8,
    decode_constants,
    decode_exactly,
    decode_json,
    fast_nulls,
    may_lack_digits,
)
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.cell_parsers import INEXACT
from modelserver.types.type_table import KINDS

MAYBE_PARAMS: Final = re.compile(rb"params|\\u")
"""Matches every body with a key `params`, and some without. In params, NaN is not null."""


def json_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in a JSON text. Raises `BadRequest` or `InvalidInput`."""
    try:
        return read_fast(body, signature) or _read_plainly(body, signature)
    except InvalidInput as error:
        if not lacks_digits(error, body):
            raise
    return read_value(decode_exactly(body), signature).with_plain_numbers()


def _read_plainly(body: bytes, signature: Signature) -> Payload:
    try:
        value = decode_json(body, signature.exact_integers)
    except BareConstants:
        return _read_constants(body, signature)
    return read_value(value, signature)


def _read_constants(body: bytes, signature: Signature) -> Payload:
    """Reads a body of Python's json module that contains NaN or infinities."""
    body = as_utf8(body)
    alike = signature.nan_is_null and not (signature.params.declared and MAYBE_PARAMS.search(body))
    if alike and (nulls := fast_nulls(body)) is not None:
        with contextlib.suppress(BadRequest):  # faults are reported for the body that was sent
            fast = read_fast(nulls, signature)
            return fast or read_value(decode_json(nulls, signature.exact_integers), signature)
    return read_value(decode_constants(body), signature)


def lacks_digits(error: InvalidInput, body: bytes) -> bool:
    """Whether an integer may have been refused because orjson made it a float: a float lacks some
    of its digits, and a text column takes integers but no floats."""
    return any(_lacks_digits(detail, body) for detail in error.details)


def _lacks_digits(detail: Mapping[str, Any], body: bytes) -> bool:
    found = str(detail.get("found"))
    is_text = detail.get("expected") == KINDS["string"].expects and found == "a number"
    return INEXACT in found or (is_text and may_lack_digits(body))
