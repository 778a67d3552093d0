"""A fast way: a table of several types to one array per column, read as CSV by Arrow.

In: a parsed body without an escape in its texts, and the signature of a model that takes columns.
Out: the table; None if a cell is not plain. The brackets around the rows are overwritten with line
feeds, which makes the rows CSV. Arrow then reads the same values as JSON has, for five reasons:

1. simdjson has read the body. So it is valid JSON, its only key is `dataframe_split`, and that has
   just the keys `columns` and `data`.
2. No text contains an escape, so each quote starts or ends a text. A letter is outside of texts if
   an even number of quotes precede it.
3. The brackets and commas outside of texts are those of `length` rows of `width` cells. So no cell
   is an array, and an object in a cell has at most one key.
4. In a text column, each cell starts with a quote or with the n of null; in other columns, no cell
   starts with a quote. So Arrow takes no number for a text and no text for a number. An object,
   which starts with a brace, is refused in a text column here, and by Arrow in every other column.
   A column that may hold anything has no such rule, so its cells are taken from simdjson instead.
5. All other cells mean the same in JSON and to Arrow, which fails on words that it does not know.
   There are two exceptions. -0 is an integer in JSON but a float to Arrow, so the reader looks
   for it; and a number too large for a double becomes infinite, so `cells_by_arrow` refuses it.

For example, with a ^ for each line feed:

    body         {"dataframe_split": {"columns": ["x", "s"], "data": [[1, "a,b"], [2, null]]}}
    its rows     [1,"a,b"],[2,null]]      from the first bracket on, without spaces
    overwritten  ^1,"a,b"^^^2,null^^      three letters of each row
    CSV          1,"a,b" and 2,null       two lines, since Arrow skips blank ones
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelserver.reading.fast.cells_by_arrow import parse_cells
from modelserver.reading.fast.parsed_body import ParsedBody
from modelserver.reading.signatures.signature import Signature
from modelserver.types.kind import Kind
from modelserver.types.tables import Table

Letters: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.intp]

QUOTE, NULL, SPACE, NEWLINE, MINUS, ZERO = b'"n \n-0'

BEHIND_CELLS: Final = np.frombuffer(b",]", np.uint8)


def has_plain_texts(body: bytes, signature: Signature) -> bool:
    """Whether the model takes columns, and no text in the body contains an escape."""
    return signature.kinds_of is not None and b"\\" not in body


def read_mixed_table(parsed: ParsedBody, signature: Signature) -> Table | None:
    """The table; None if a cell is not plain."""
    names, length = parsed.names, len(parsed.data)
    assert signature.kinds_of is not None
    if names is None or not _may_hold(parsed, length * len(names)):
        return None
    kinds = [kind for kind in signature.kinds_of(names) if kind is not None]
    if len(kinds) != len(names):
        return None
    letters = _without_spaces(np.frombuffer(parsed.body, np.uint8))
    places = _outside_texts(letters, b"[],")
    if letters[places].tobytes() != parsed.skeleton([length, len(names)]):
        return None
    before = len(names) + 3 if parsed.names_first else 1  # [,] and ,[ or [
    rows = places[before:][: length * (len(names) + 2)].reshape(length, -1)
    if _has_integer_minus_zero(letters) or not _start_well(letters, rows, kinds):
        return None
    columns = parse_cells(_lines(letters, rows), kinds)
    if columns is None or len(columns[0]) != length:  # Arrow skips an empty row as a blank line
        return None
    return parsed.as_sent(Table(names, length, columns=columns), kinds)


def _may_hold(parsed: ParsedBody, cells: int) -> bool:
    """Whether the body is long enough for so many cells; if not, its skeleton might be huge."""
    return 0 < cells <= len(parsed.body)


def _outside_texts(letters: Letters, wanted: bytes) -> Places:
    """The positions of the `wanted` letters outside of texts."""
    mask = letters == QUOTE
    for letter in wanted:
        mask |= letters == letter
    places = np.flatnonzero(mask)
    quotes = letters[places] == QUOTE
    inside: NDArray[np.bool_] = np.bitwise_xor.accumulate(quotes)
    outside: Places = places[~(inside | quotes)]
    return outside


def _without_spaces(letters: Letters) -> Letters:
    """The body without the white space outside of texts."""
    if not (letters <= SPACE).any():
        return letters
    kept = np.ones(len(letters), bool)
    kept[_outside_texts(letters, b" \t\r\n")] = False
    return letters[kept]


def _has_integer_minus_zero(letters: Letters) -> bool:
    """Whether a cell may be -0."""
    signs = np.flatnonzero(letters == MINUS)
    signs = signs[letters[signs + 1] == ZERO]
    return bool(np.isin(letters[signs + 2], BEHIND_CELLS).any())


def _start_well(letters: Letters, rows: Places, kinds: Sequence[Kind]) -> bool:
    """Whether each cell starts with a letter that fits its type. `rows`: for each row the positions
    of its opening bracket, its commas, its closing bracket, and the comma or bracket after it."""
    first = letters[rows[:, :-2] + 1]
    types = np.array([kind.json_type or "any" for kind in kinds])
    texts, others = first[:, types == "string"], first[:, (types != "string") & (types != "any")]
    return bool(((texts == QUOTE) | (texts == NULL)).all() and not (others == QUOTE).any())


def _lines(letters: Letters, rows: Places) -> Letters:
    """The rows as lines of CSV, with blank lines between them."""
    start = rows[0, 0]
    lines = letters[start : rows[-1, -1] + 1].copy()
    lines[rows[:, [0, -2, -1]] - start] = NEWLINE
    return lines
