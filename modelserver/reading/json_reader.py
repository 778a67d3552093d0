"""JSON: the bytes of a body to what the model's `predict` takes, model input and params.

In: the uncompressed bytes. Out: a `Payload`. The plainness of the body picks the way: whatever is
not plain is decoded and goes through `input_forms`. Pure: no HTTP, no environment.
"""

import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading.fast.json_numbers import read_numbers
from modelserver.reading.fast.json_tables import read_mixed
from modelserver.reading.input_forms import read_value
from modelserver.reading.json_text import (
    BareConstants,
    as_utf8,
    constants_as_nulls,
    decode_constants,
    decode_exactly,
    decode_json,
    may_lack_digits,
)
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.cell_parsers import INEXACT
from modelserver.types.type_table import KINDS

MAYBE_PARAMS: Final = re.compile(rb"params|\\u")
"""Found in each body that has a key `params`, in which a null is not what NaN is."""

MANY_NUMBERS: Final = 2048
"""Bytes of JSON from which on it pays to look for nothing but numbers."""

MANY_CELLS: Final = 32 * 1024
"""Bytes of JSON from which on it pays to look for a table of plain cells."""


def json_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in a JSON text. Raises `BadRequest` or `InvalidInput`."""
    if (payload := _read_large(body, signature)) is not None:
        return payload
    try:
        return _read_plainly(body, signature)
    except InvalidInput as error:
        if not any(_lacks_digits(detail, body) for detail in error.details):
            raise
    return read_value(decode_exactly(body), signature)


def _read_large(body: bytes, signature: Signature) -> Payload | None:
    """A body that is large enough for the ways which make no Python objects of cells, and plain
    enough; None for all others."""
    payload = _read_numbers(body, signature) if len(body) >= MANY_NUMBERS else None
    if payload is None and len(body) >= MANY_CELLS:
        payload = _read_mixed(body, signature)
    return payload


def _read_plainly(body: bytes, signature: Signature) -> Payload:
    try:
        value = decode_json(body, signature.exact_integers)
    except BareConstants:
        return _read_constants(body, signature)
    return read_value(value, signature)


def _read_constants(body: bytes, signature: Signature) -> Payload:
    """A body of Python's json module, with NaN or infinities in it."""
    body = as_utf8(body)
    alike = signature.nan_is_null and not (signature.params.declared and MAYBE_PARAMS.search(body))
    if alike and (nulls := constants_as_nulls(body)) is not None:
        with contextlib.suppress(BadRequest):  # what is wrong, is said of the body as it was sent
            return _read_large(nulls, signature) or read_value(decode_json(nulls), signature)
    return read_value(decode_constants(body), signature)


def _lacks_digits(detail: Mapping[str, Any], body: bytes) -> bool:
    """Whether an integer may have been refused because a float stands for it: one that does not
    hold all of its digits, or that could be the text of a text column."""
    found = str(detail.get("found"))
    is_text = detail.get("expected") == KINDS["string"].expects and found == "a number"
    return INEXACT in found or (is_text and may_lack_digits(body))


def _read_numbers(body: bytes, signature: Signature) -> Payload | None:
    """A full table or tensor of numbers; None for all else, and where one does not fit."""
    found = read_numbers(body, signature.numbers) if signature.numbers else None
    try:
        return None if found is None else signature.read_numbers(found.array, found.names)
    except BadRequest:
        return None


def _read_mixed(body: bytes, signature: Signature) -> Payload | None:
    """A full table of plain cells; None for all else, and where one does not fit."""
    table = read_mixed(body, signature.kinds_of) if signature.kinds_of else None
    try:
        return None if table is None else signature.read_table(table)
    except BadRequest:
        return None
