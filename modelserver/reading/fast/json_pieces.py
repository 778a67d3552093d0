"""A fast way: a large table of JSON, decoded and typed piece by piece.

In: a body that begins with the form of a table, and the signature of a model that takes columns.
Out: the payload; None if the rows are not alike, or if the body is anything else.

To decode a body makes an object of each cell, and those of a large body fill more memory than the
CPU's caches hold. Here some rows are decoded, their numbers and booleans become arrays, and the
objects are freed before the next rows are decoded. That takes less time than to decode the whole.

A piece ends before a comma that seems to stand between two rows, or between two columns. No piece
needs to be looked at more closely. If each is valid JSON between brackets of its own (as many as
are open around it in the body, so that it may have as many levels), and the body is valid JSON with
`TOKEN` in place of them, then the whole is valid JSON and has the rows of the pieces, since a JSON
text can be read in only one way. If a comma was part of a text or of a nested value, what stands
before it is no valid JSON.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson

from modelserver.reading.fast.parts import grouped, read_column
from modelserver.reading.json_text import decode_json, may_lack_digits, may_repeat_keys
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import Cells, Kind
from modelserver.types.tables import Table, check_names, read_split

PIECE: Final = 32 * 1024
"""About how many bytes are decoded at a time. Their objects take ten times as much."""

MOST_PARAMS: Final = 4096
"""How many bytes of params may follow the rows."""

TOKEN: Final = secrets.token_hex(16)
"""A text that no client can know, so that no body has it."""


class Shape(NamedTuple):
    """How the rows or columns of a table are written: the brackets that are open before them, the
    end of one with the comma after it, and what takes the place of all of them."""

    opening: bytes
    closing: bytes
    comma: re.Pattern[bytes]
    stand_in: Any


# JSON's white space; that of regular expressions has more.
SPACE: Final = rb"[ \t\r\n]*"


def _pattern(text: bytes) -> re.Pattern[bytes]:
    """The pattern, with white space in place of its spaces."""
    return re.compile(text.replace(b" ", SPACE))


ARRAYS: Final = Shape(b"[[[", b"]]]", _pattern(rb"\] , (?=\[)"), [TOKEN])
OBJECTS: Final = Shape(b"[[", b"]]", _pattern(rb"\} , (?=\{)"), [TOKEN])
COLUMNS: Final = Shape(b"[{", b"}]", _pattern(rb'\] , (?=")'), {TOKEN: None})

SPLIT: Final = "dataframe_split"

BEGINNINGS: Final = (
    (_pattern(rb' \{ "(dataframe_split)" : \{'), ARRAYS),
    (_pattern(rb' \{ "(dataframe_records|instances|inputs)" : \[ (?=\{)'), OBJECTS),
    (_pattern(rb' \{ "(instances|inputs)" : \{ (?=")'), COLUMNS),
)
"""The beginnings of bodies, up to the first row or column, or to what is before `DATA`."""

DATA: Final = _pattern(rb'"data" : \[ (?=\[)')


class Unlike(ValueError):
    """The rows or columns are not all alike."""


def may_have_pieces(body: bytes, signature: Signature) -> bool:
    """Whether the model takes columns, and no integer is needed that orjson makes a float of."""
    exact = signature.exact_integers and may_lack_digits(body)
    return signature.kinds_of is not None and not exact


def read_pieces(body: bytes, signature: Signature, size: int = PIECE) -> Payload | None:
    """The payload. `size`: the least bytes of a piece. Raises `BadRequest` if something does not
    fit."""
    if (begin := _beginning(body)) is None:
        return None
    form, shape, start = begin
    if (end := _end(body, shape)) < start:
        return None
    envelope = decode_json(b"".join((body[:start], orjson.dumps(shape.stand_in)[1:-1], body[end:])))
    sent = envelope.get(form)
    inside = sent.get("data") if form == SPLIT else sent
    if inside != shape.stand_in or not envelope.keys() <= {form, "params"}:
        return None
    pieces = _decoded(body, start, end, shape, size)
    try:
        if shape is COLUMNS:
            table = _from_columns(pieces, signature)
        elif shape is OBJECTS:
            table = _from_rows(pieces, None, signature)
        else:
            table = _from_rows(pieces, check_names(sent.get("columns") or ()), signature)
            row = [None] * len(table.names)
            header = read_split({**sent, "data": [row] * table.length})
            table = replace(header, rows=None, columns=table.columns)
    except (orjson.JSONDecodeError, KeyError, Unlike):
        return None
    return signature.read_table(table, envelope.get("params"))


def _beginning(body: bytes) -> tuple[str, Shape, int] | None:
    """The form of the body, how its rows are written, and where they begin."""
    for pattern, shape in BEGINNINGS:
        begin = pattern.match(body)
        if begin is not None:
            rows = DATA.search(body, begin.end()) if shape is ARRAYS else begin
            return None if rows is None else (begin[1].decode(), shape, rows.end())
    return None


def _end(body: bytes, shape: Shape) -> int:
    """Where the rows or columns end, if nothing but a few params follows them."""
    params = body.rfind(b'"params"', -MOST_PARAMS)
    return body.rfind(shape.closing[:1], 0, body.rfind(b"}") if params < 0 else params)


def _decoded(body: bytes, start: int, end: int, shape: Shape, size: int) -> Iterator[Any]:
    """The rows or columns of each piece. Raises `Unlike` if an object has a key twice."""
    while start < end:
        comma = shape.comma.search(body, start + size, end)
        piece = body[start : comma.start() + 1 if comma else end]
        yield _loads(b"".join((shape.opening, piece, shape.closing)), len(shape.opening) - 1)
        start = comma.end() if comma else end


def _loads(piece: bytes, levels: int) -> Any:
    """The rows or columns in a piece, which stand in so many arrays more."""
    found = orjson.loads(piece)
    for _ in range(levels):
        if len(found) != 1:
            raise Unlike
        (found,) = found
    if may_repeat_keys(piece, found):
        raise Unlike
    return found


def _from_rows(
    pieces: Iterator[list[Any]], names: Sequence[Any] | None, signature: Signature
) -> Table:
    """The table of all rows. `names`: those of the columns if the rows are arrays; None if they are
    objects, which then have the keys of the first one."""
    first = next(pieces)
    of_type, keys = (dict, list(first[0])) if names is None else (list, range(len(names)))
    groups = grouped(_kinds_of(signature, keys if names is None else names), keys)
    length = 0
    for rows in chain([first], pieces):
        if set(map(type, rows)) != {of_type} or set(map(len, rows)) != {len(keys)}:
            raise Unlike
        for group in groups:
            group.add(rows)
        length += len(rows)
        del rows[:]  # the objects are freed before the next ones are made
    columns = dict(chain.from_iterable(group.columns() for group in groups))
    return Table(names or keys, length, columns=[columns[place] for place in range(len(keys))])


def _from_columns(pieces: Iterator[dict[str, Any]], signature: Signature) -> Table:
    """The table of all columns. Raises `Unlike` also if the model takes the object as one row."""
    columns: dict[str, Cells] = {}
    if signature.columns is None or signature.columns.one_row:
        raise Unlike
    for piece in pieces:
        kinds = _kinds_of(signature, list(piece))
        if piece.keys() & columns.keys() or set(map(type, piece.values())) != {list}:
            raise Unlike
        for (name, cells), kind in zip(piece.items(), kinds, strict=True):
            columns[name] = read_column(cells, kind)
    lengths = set(map(len, columns.values()))
    if len(lengths) != 1:
        raise Unlike
    return Table(list(columns), lengths.pop(), columns=list(columns.values()))


def _kinds_of(signature: Signature, names: Sequence[Any]) -> Sequence[Kind | None]:
    """The kinds of the columns with these names. Raises `Unlike` if there are more or fewer."""
    assert signature.kinds_of is not None
    kinds = signature.kinds_of(names)
    if len(kinds) != len(names):
        raise Unlike
    return kinds
