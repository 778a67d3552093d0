"""A fast way: a table of several types to one array per column, read as CSV by Arrow.

In: a document without an escape in its texts, and the signature of a model that takes columns. Out:
the table, or None for all that is not full of plain cells. The rows become CSV by writing line
feeds over the brackets around them; that Arrow then reads what JSON says follows in five steps.

1. simdjson has read the body, so it is JSON, its one key is `dataframe_split`, and that has the two
   keys `columns` and `data`.
2. No text holds an escape, so quotes only start and end texts: a letter is outside of texts where
   an even number of quotes precede it.
3. The brackets and commas outside of texts are those of `length` rows of `width` cells. So no cell
   is an array, and each object among them has one key at most.
4. The first letter of each cell is a quote or the n of null in columns of text, and no quote in the
   others. So Arrow takes no number for a text and no text for a number, and an object, which starts
   with a brace, is a text to neither.
5. In a row, then, is what Arrow reads as JSON means it: words and numbers of JSON are spelled so in
   CSV, and Arrow fails on others. Two are not: -0 is an integer to JSON and a float to Arrow, so it
   is looked for; and a number too large for a double is infinite, so `cells_by_arrow` refuses it.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelserver.reading.fast.cells_by_arrow import read_cells
from modelserver.reading.fast.document import Document
from modelserver.reading.signatures.signature import Signature
from modelserver.types.kind import Kind
from modelserver.types.tables import Table

Letters: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.intp]

QUOTE, NULL, SPACE, NEWLINE, MINUS, ZERO = b'"n \n-0'

BEHIND_CELLS: Final = np.frombuffer(b",]", np.uint8)


def has_plain_texts(body: bytes, signature: Signature) -> bool:
    """Whether the model takes columns, and no text of the body holds an escape."""
    return signature.kinds_of is not None and b"\\" not in body


def read_table(document: Document, signature: Signature) -> Table | None:
    """The table, if all its cells are plain."""
    names, length = document.names, len(document.data)
    assert signature.kinds_of is not None
    if names is None or not _may_hold(document, length * len(names)):
        return None
    kinds = [kind for kind in signature.kinds_of(names) if kind is not None]
    if len(kinds) != len(names):
        return None
    letters = _without_spaces(np.frombuffer(document.body, np.uint8))
    places = _outside_texts(letters, b"[],")
    if letters[places].tobytes() != document.skeleton([length, len(names)]):
        return None
    before = len(names) + 3 if document.names_first else 1  # [,] and ,[ or [
    rows = places[before:][: length * (len(names) + 2)].reshape(length, -1)
    if _has_integer_minus_zero(letters) or not _start_well(letters, rows, kinds):
        return None
    columns = read_cells(_lines(letters, rows), kinds)
    if columns is None or len(columns[0]) != length:  # a row without a cell is a blank line
        return None
    return Table(names, length, columns=columns)


def _may_hold(document: Document, cells: int) -> bool:
    """Whether there is room for so many cells: a body may name more than it holds."""
    return 0 < cells <= len(document.body)


def _outside_texts(letters: Letters, wanted: bytes) -> Places:
    """Where these letters stand outside of texts."""
    mask = letters == QUOTE
    for letter in wanted:
        mask |= letters == letter
    places = np.flatnonzero(mask)
    quotes = letters[places] == QUOTE
    inside: NDArray[np.bool_] = np.bitwise_xor.accumulate(quotes)
    outside: Places = places[~(inside | quotes)]
    return outside


def _without_spaces(letters: Letters) -> Letters:
    """The letters without white space outside of texts."""
    if not (letters <= SPACE).any():
        return letters
    kept = np.ones(len(letters), bool)
    kept[_outside_texts(letters, b" \t\r\n")] = False
    return letters[kept]


def _has_integer_minus_zero(letters: Letters) -> bool:
    """Whether -0 may be among the cells."""
    signs = np.flatnonzero(letters == MINUS)
    signs = signs[letters[signs + 1] == ZERO]
    return bool(np.isin(letters[signs + 2], BEHIND_CELLS).any())


def _start_well(letters: Letters, rows: Places, kinds: Sequence[Kind]) -> bool:
    """Whether each cell starts as its type does. `rows`: where the marks of each row stand, its
    bracket, its commas, its bracket and the comma or bracket behind it."""
    first = letters[rows[:, :-2] + 1]
    quoted = np.array([kind.json_type == "string" for kind in kinds])
    texts, others = first[:, quoted], first[:, ~quoted]
    return bool(((texts == QUOTE) | (texts == NULL)).all() and not (others == QUOTE).any())


def _lines(letters: Letters, rows: Places) -> Letters:
    """The rows as lines, with blank lines between."""
    start = rows[0, 0]
    lines = letters[start : rows[-1, -1] + 1].copy()
    lines[rows[:, [0, -2, -1]] - start] = NEWLINE
    return lines
