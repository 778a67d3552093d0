"""NDJSON as a format of requests: JSON Lines, an object per line, to model input, and back.

In: a body. Out: a `Payload`. The lines are read as the records of `dataframe_records` are; blank
ones are left out, but counted. Faults name the line, from 1 on.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import orjson

from modelserver.errors import BadRequest, InvalidInput, not_utf8
from modelserver.reading.json_reader import lacks_digits
from modelserver.reading.json_text import (
    BareConstants,
    as_utf8,
    decode_constants,
    decode_exactly,
    decode_json,
    may_lack_digits,
    may_repeat_keys,
    most_parts,
)
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import what_is
from modelserver.types.tables import Table, read_records

Record: TypeAlias = dict[str, Any]


def ndjson_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in lines of JSON. Raises `BadRequest` or `InvalidInput`."""
    body = as_utf8(body)
    _refuse_too_many_lines(body)
    records = _records(body, signature.exact_integers)
    try:
        return signature.read_table(_table(body, records, signature))
    except InvalidInput as error:
        if not lacks_digits(error, body):
            _name_line(error, body, records)
            raise
    exact = [decode_exactly(line) for _, line in _numbered(body)]
    return signature.read_table(_table(body, exact, signature)).with_plain_numbers()


def ndjson_text(names: Sequence[object], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of JSON values as an object per line."""
    records = (dict(zip(map(str, names), row, strict=True)) for row in rows)
    return "".join(f"{json.dumps(record)}\n" for record in records)


def _refuse_too_many_lines(body: bytes) -> None:
    """Raises `BadRequest`. Blank lines count, since it takes time to skip them."""
    most = most_parts(body)
    if len(body) > most and body.count(b"\n") > most:
        raise BadRequest(f"the body has more than {most} lines; send it in several requests")


def _table(body: bytes, records: list[Record], signature: Signature) -> Table:
    if not records:
        raise BadRequest("the body is empty; send a JSON object per line")
    table = read_records(records, "NDJSON", gap=signature.gap)
    return replace(table, lines=_line_numbers(body, len(records)))


def _name_line(fault: InvalidInput, body: bytes, records: Sequence[Record]) -> None:
    """Puts the line before the message of a fault that begins with a column which the model does
    not take: the first line that has it."""
    first = fault.details[0] if fault.details else {}
    if "column" not in first or "expected" in first:
        return
    row = next((row for row, record in enumerate(records) if first["column"] in record), None)
    if row is not None:  # the detail may have only the beginning of a long name
        line = _line_numbers(body, len(records))[row]
        fault.message = f"line {line}: {fault.message}"
        fault.args = (fault.message,)


def _line_numbers(body: bytes, length: int) -> Sequence[int]:
    """The number of each record's line."""
    if body.count(b"\n", 0, -1) + 1 == length:
        return range(1, length + 1)
    return [number for number, _ in _numbered(body)]


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, each with its number."""
    lines = enumerate(io.BytesIO(body), start=1)
    return ((number, line) for number, line in lines if not line.isspace())


def _records(body: bytes, exact_integers: bool) -> list[Record]:
    """The records of all lines. Each line is decoded by itself, so that none can hold two records
    or a part of one."""
    try:
        records = [orjson.loads(line) for line in io.BytesIO(body) if not line.isspace()]
    except orjson.JSONDecodeError:
        return _with_care(body, exact_integers)
    if exact_integers and may_lack_digits(body):
        return _with_care(body, exact_integers)
    if not set(map(type, records)) <= {dict} or may_repeat_keys(body, records):
        return _with_care(body, exact_integers)
    return records


def _with_care(body: bytes, exact_integers: bool) -> list[Record]:
    """The records as the plain reader of JSON decodes them. Raises `BadRequest`, which names the
    line."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        raise not_utf8(wrong) from None
    return [_record(number, line, exact_integers) for number, line in _numbered(body)]


def _record(number: int, line: bytes, exact_integers: bool) -> Record:
    try:
        value = _decoded(line.rstrip(), exact_integers)
    except BadRequest as fault:  # which takes the line for the whole body
        said = fault.message.replace("the body", "it").replace("line 1, ", "")
        raise BadRequest(f"line {number}: {said}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"line {number} is {what_is(value)}, not an object")
    return value


def _decoded(line: bytes, exact_integers: bool) -> Any:
    try:
        return decode_json(line, exact_integers)
    except BareConstants:
        return decode_constants(line)
