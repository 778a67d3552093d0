"""Columns of a table that comes in parts: numbers and booleans to arrays, part by part.

In: the kinds of the columns, and then the rows of each part, or whole columns. Out: the cells of
each column: an array if all its cells plainly have the type of an array, else a list of the cells
as they were sent.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from modelserver.types.fast_blocks import ARRAY_READERS, ArrayReader, Rows
from modelserver.types.kind import Cells, Code, Kind


class Group:
    """Columns that are read by one reader. `keys`: the key or position of each in a row."""

    def __init__(self, places: Sequence[int], keys: Sequence[Any], read: ArrayReader) -> None:
        self.places = places
        self.take = _taker(keys)
        self.read = read
        self.parts: list[Any] = []

    def add(self, rows: Sequence[Any]) -> None:
        """Reads the rows of a part. Raises `KeyError` if one lacks a key."""
        cells = list(map(self.take, rows))
        block = self.read(cells)
        self.parts.append(cells if block is None else block)

    def columns(self) -> Iterable[tuple[int, Cells]]:
        """The columns of all parts, each with its place in the table."""
        if all(isinstance(part, np.ndarray) for part in self.parts):
            return zip(self.places, np.concatenate(self.parts, axis=1), strict=False)
        rows = (p.T.tolist() if isinstance(p, np.ndarray) else p for p in self.parts)
        return zip(self.places, zip(*chain.from_iterable(rows), strict=True), strict=False)


def _taker(keys: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    """The function that takes the cells with these keys or ascending positions from a row."""
    if isinstance(keys[0], int) and keys[-1] - keys[0] == len(keys) - 1:
        return itemgetter(slice(keys[0], keys[-1] + 1))
    return itemgetter(*keys, keys[-1])  # which would take a bare cell if there was only one key


def grouped(kinds: Sequence[Kind | None], keys: Sequence[Any]) -> list[Group]:
    """The columns by type. Those of other types than numbers and booleans are one group."""
    places: dict[Code | None, list[int]] = {}
    for place, kind in enumerate(kinds):
        code = kind.plain if kind and kind.plain in ARRAY_READERS else None
        places.setdefault(code, []).append(place)
    return [
        Group(found, [keys[place] for place in found], ARRAY_READERS[code] if code else _no_array)
        for code, found in places.items()
    ]


def _no_array(rows: Rows) -> None:
    """The reader of cells that stay as they are."""


def read_column(cells: list[Any], kind: Kind | None) -> Cells:
    """A whole column."""
    read = ARRAY_READERS.get(kind.plain) if kind and kind.plain and cells else None
    column = None if read is None else read([cells])  # as if the column was a single row
    return cells if column is None else column.ravel()
