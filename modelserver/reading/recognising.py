"""What a body seems to be, by its beginning. Pure.

For bodies of requests that name no format, and of those that were refused: then the error says
which format was meant. No function here decodes a whole body.
"""

import csv
import re
from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Collection
from itertools import chain
from typing import Final, NamedTuple

import orjson

from modelserver.reading.csv.dialect import SEPARATORS
from modelserver.types.names import folded

BLANKS: Final = BOM_UTF8 + b" \t\r\n"
"""The bytes of a byte order mark and of white space, which may precede a text."""

BEGINNING: Final = 64 * 1024
"""The most bytes that are looked at to recognise JSON or CSV, or the first line of NDJSON."""

JSON_BEGINS: Final = re.compile(rb"""[\[{][\s\[{]*(["'\]}]|-?\d|[tfn][a-z]+|N(one|aN))""")
"""Brackets and then a value, a key or their end: also as Python writes these."""

OF_A_FORM: Final = re.compile(
    rb"""\{\s*(["'])(dataframe_split|dataframe_records|inputs|instances|messages|params)\1\s*:"""
)
"""An object that begins with a key which no record of a table has, unless a column has that name.
"""

LETTER: Final = re.compile(rb"\S")


def is_json(body: bytes) -> bool:
    """Whether the body begins as JSON does, and is not a JSON value per line."""
    text = body.lstrip(BLANKS)
    return JSON_BEGINS.match(text, 0, BEGINNING) is not None and not _has_lines(text)


def may_be_ndjson(body: bytes, known: Collection[str]) -> bool:
    """Whether the first line begins as an object does which is complete, or the only one, or has
    another one below; and no key of it names an input form. `known`: the names of the model's
    columns."""
    text = body.lstrip(BLANKS)
    line = _first_line(text)
    form = OF_A_FORM.match(text)
    if not JSON_BEGINS.match(text, 0, BEGINNING) or (form and form[2].decode() not in known):
        return False
    return line.first == b"{" and (line.last == b"}" or line.below in b"{")


def is_ndjson(body: bytes) -> bool:
    """Whether the first line is a JSON object, and the next one begins as an object does: no JSON
    value is written so. A longer line than `BEGINNING` is not searched for its end, so that other
    bodies lose no time."""
    text = body.lstrip(BLANKS)
    end = text.find(b"\n", 0, BEGINNING)
    return end > 0 and _has_lines(text) and _is_object(text[:end])


def is_csv(body: bytes, known: Collection[str]) -> bool:
    """Whether the first two lines, of which one may state the separator, have the name of a column
    that the model takes (`known`) among their cells; if there are no such names, whether they are a
    header above a row with numbers."""
    try:
        text = getincrementaldecoder("utf-8")().decode(body[:BEGINNING].lstrip(BLANKS))
    except UnicodeDecodeError:
        return False
    if "\0" in text or is_json(body):
        return False
    lines = text.splitlines()[:2]
    rows = [list(csv.reader(lines, delimiter=separator)) for separator in SEPARATORS]
    if known:
        letters = {folded(name) for name in known}
        return any(letters & {folded(cell) for cell in chain(*read)} for read in rows)
    return any(_has_header(*read) for read in rows if len(read) == 2)


def _has_header(header: list[str], row: list[str]) -> bool:
    """Whether there is a number in a row, and none in the header, which has as many cells."""
    is_even = 1 < len(header) == len(row)
    return is_even and any(map(_is_number, row)) and not any(map(_is_number, header))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _has_lines(text: bytes) -> bool:
    """Whether an object or array ends with the first line, and the next line begins another one."""
    return _first_line(text) in (Line(b"{", b"}", b"{"), Line(b"[", b"]", b"["))


class Line(NamedTuple):
    """The first and the last letter of a line, and the first one of those below; empty if there is
    none."""

    first: bytes
    last: bytes
    below: bytes


def _first_line(text: bytes) -> Line:
    """The first line of a text. It is not copied, since it may be the whole body."""
    end = text.find(b"\n")
    if end < 0:
        return Line(text[:1], text[-1:], b"")
    below = LETTER.search(text, end)
    return Line(text[:1], text[max(0, end - 8) : end].rstrip()[-1:], below[0] if below else b"")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
