"""Columns of a table that comes in parts: numbers, booleans and texts to arrays, part by part.

In: the kinds of the columns, and then the rows of each part, or whole columns. Out: the cells of
each column: an array if all its cells plainly have the type of an array, else a list of the cells
as they were sent.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.types.cell_parsers import fast_arrow_texts
from modelserver.types.fast_blocks import ARRAY_READERS, Rows
from modelserver.types.kind import TEXT, Cells, Code, Kind


class Reader(NamedTuple):
    """How columns of one type are read. `read` makes a block of the rows of a part, or None if a
    cell does not plainly have the type. `join` makes the columns of all blocks, `rows_of` the rows
    of one again."""

    read: Callable[[Rows], Any]
    join: Callable[[Sequence[Any]], Iterable[Cells]]
    rows_of: Callable[[Any], Iterable[Sequence[Any]]]


class Group:
    """Columns that are read by one reader. `keys`: the key or position of each in a row."""

    def __init__(self, places: Sequence[int], keys: Sequence[Any], reader: Reader) -> None:
        self.places = places
        self.take = _taker(keys)
        self.reader = reader
        self.parts: list[Any] = []

    def add(self, rows: Sequence[Any]) -> None:
        """Reads the rows of a part. Raises `KeyError` if one lacks a key."""
        cells = list(map(self.take, rows))
        block = self.reader.read(cells)
        self.parts.append(cells if block is None else block)

    def columns(self) -> Iterable[tuple[int, Cells]]:
        """The columns of all parts, each with its place in the table."""
        if not any(isinstance(part, list) for part in self.parts):
            return zip(self.places, self.reader.join(self.parts), strict=False)
        rows = (p if isinstance(p, list) else self.reader.rows_of(p) for p in self.parts)
        return zip(self.places, zip(*chain.from_iterable(rows), strict=True), strict=False)


def _taker(keys: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    """The function that takes the cells with these keys or ascending positions from a row."""
    if isinstance(keys[0], int) and keys[-1] - keys[0] == len(keys) - 1:
        return itemgetter(slice(keys[0], keys[-1] + 1))
    return itemgetter(*keys, keys[-1])  # which would take a bare cell if there was only one key


def _no_block(rows: Rows) -> None:
    """The reader of cells that stay as they are."""


def _texts(rows: Rows) -> tuple[Any, ...] | None:
    """The texts, column by column. One conversion of all costs about as much as that of one."""
    together = fast_arrow_texts(list(chain.from_iterable(zip(*rows, strict=True))))
    if together is None:
        return None
    return tuple(together.slice(start, len(rows)) for start in range(0, len(together), len(rows)))


def _joined_texts(parts: Sequence[Sequence[Any]]) -> Iterable[Cells]:
    import pyarrow as pa

    return (pd.array(pa.concat_arrays(pieces), dtype=TEXT) for pieces in zip(*parts, strict=True))


def _joined(parts: Sequence[Any]) -> Iterable[Cells]:
    return np.concatenate(parts, axis=1)


def _rows(block: NDArray[Any]) -> list[list[Any]]:
    rows: list[list[Any]] = block.T.tolist()
    return rows


def _rows_of_texts(block: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return zip(*(column.to_pylist() for column in block), strict=True)


UNREAD: Final = Reader(_no_block, _joined, iter)

READERS: Final[Mapping[Code, Reader]] = {
    **{code: Reader(read, _joined, _rows) for code, read in ARRAY_READERS.items()},
    "U": Reader(_texts, _joined_texts, _rows_of_texts),
}


def grouped(kinds: Sequence[Kind | None], keys: Sequence[Any]) -> list[Group]:
    """The columns by type. Those of types without a reader are one group, and so is a single column
    of texts, of which nothing is saved by reading it in parts."""
    codes = [kind.plain if kind and kind.plain in READERS else None for kind in kinds]
    places: dict[Code | None, list[int]] = {}
    for place, code in enumerate(codes):
        is_single = code == "U" and codes.count(code) == 1
        places.setdefault(None if is_single else code, []).append(place)
    return [
        Group(found, [keys[place] for place in found], READERS[code] if code else UNREAD)
        for code, found in places.items()
    ]


def read_column(cells: list[Any], kind: Kind | None) -> Cells:
    """A whole column."""
    read = ARRAY_READERS.get(kind.plain) if kind and kind.plain and cells else None
    column = None if read is None else read([cells])  # as if the column was a single row
    return cells if column is None else column.ravel()
