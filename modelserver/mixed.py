"""Large JSON tables of several types to one array per column, without a Python object per cell.

In: the body, and what kinds its columns are. Out: a `Table`, or None for all that is not one full
`dataframe_split` of plain cells; such bodies are left to `decoding.py`, which accepts what this
module does and says what is wrong. simdjson proves that the body is JSON. Where no text needs an
escape, what stands in brackets is then CSV, and read as such: 10,000 rows of 50 columns in 40 ms
instead of 85.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from modelserver.errors import BadRequest
from modelserver.kinds import Kind
from modelserver.numeric import AVAILABLE, skeleton
from modelserver.tables import Table, check_names
from modelserver.typed_csv import ARROW_TYPES, Dialect, read_typed_csv

Letters: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

JSON_CELLS: Final = Dialect(
    missing=["null"],
    true=["true"],
    false=["false"],
    texts_may_be_missing=True,
)

QUOTE, NULL, SPACE, NEWLINE = b'"n \n'

QUOTED: Final = frozenset(name for name, arrow in ARROW_TYPES.items() if arrow == "string")
"""Types whose cells are texts in JSON."""


def read_mixed(
    body: bytes, kinds_of: Callable[[Sequence[Any]], Sequence[Kind | None]]
) -> Table | None:
    """The table in a body whose one key is `dataframe_split`. `kinds_of`: from names to kinds."""
    if not AVAILABLE or b"\\" in body:
        return None
    found = _layout(body)
    if found is None:
        return None
    names, rows, names_first = found
    kinds = kinds_of(names)
    if None in kinds or len(kinds) != len(names):
        return None
    letters = _without_spaces(np.frombuffer(body, np.uint8))
    marks = _marks(letters, b"[],")
    shapes = [skeleton((len(names),)), skeleton((rows, len(names)))]
    if letters[marks].tobytes() != b",".join(shapes if names_first else shapes[::-1]):
        return None
    inner = marks[len(names) + 3 :] if names_first else marks[1 : 1 + rows * (len(names) + 2)]
    lines = _lines(letters, inner.reshape(rows, -1), kinds)
    columns = None if lines is None else read_typed_csv(lines, kinds, JSON_CELLS)
    return None if columns is None else Table(names, rows, columns=columns)


def _layout(body: bytes) -> tuple[Sequence[Any], int, bool] | None:
    """The names, the number of rows, and whether the names stand first; None for other bodies."""
    import simdjson

    try:
        value: Any = simdjson.Parser().parse(body)
    except (ValueError, RuntimeError):  # not JSON, a number too large, nested too deeply
        return None
    if not isinstance(value, simdjson.Object) or list(value) != ["dataframe_split"]:
        return None
    table: Any = value["dataframe_split"]
    keys = list(table) if isinstance(table, simdjson.Object) else []
    if sorted(keys) != ["columns", "data"]:
        return None
    names, data = table["columns"], table["data"]
    if not isinstance(names, simdjson.Array) or not isinstance(data, simdjson.Array):
        return None
    if not len(names) or not len(data):
        return None
    try:
        return check_names(names.as_list()), len(data), keys[0] == "columns"
    except BadRequest:
        return None


def _marks(letters: Letters, wanted: bytes) -> "np.ndarray[Any, Any]":
    """Where these letters stand outside of texts, which hold no quotes since there is no escape."""
    mask = letters == QUOTE
    for letter in wanted:
        mask |= letters == letter
    places = np.flatnonzero(mask)
    quotes = letters[places] == QUOTE
    inside: Any = np.bitwise_xor.accumulate(quotes)
    outside: np.ndarray[Any, Any] = places[~(inside | quotes)]
    return outside


def _without_spaces(letters: Letters) -> Letters:
    """The letters without white space outside of texts."""
    if not (letters <= SPACE).any():
        return letters
    kept = np.ones(len(letters), bool)
    kept[_marks(letters, b" \t\r\n")] = False
    return letters[kept]


def _lines(
    letters: Letters, marks: "np.ndarray[Any, Any]", kinds: Sequence[Kind | None]
) -> "Letters | None":
    """The rows as lines, with blank lines between; None if a cell's first letter is no good.

    `marks` (rows, columns + 2): for each row its opening bracket, the commas between its cells, its
    closing bracket and what follows it.
    """
    width = len(kinds)
    first = letters[marks[:, :width] + 1]
    quoted = np.array([kind is not None and kind.name in QUOTED for kind in kinds])
    texts, others = first[:, quoted], first[:, ~quoted]
    if not ((texts == QUOTE) | (texts == NULL)).all() or (others == QUOTE).any():
        return None
    start = marks[0, 0]
    lines = letters[start : marks[-1, -1] + 1].copy()
    lines[marks[:, [0, -2, -1]] - start] = NEWLINE
    return lines
