"""Columns of one type together: out of rows, and into a DataFrame.

`plain_columns`: rows of JSON values to the columns in which every cell is plainly of its type;
others are for `Kind.convert` to look at. Row by row the values lie in memory as they were decoded,
column by column each is a cache miss; and all columns at once cost little more than one.

`frame_of`: typed columns to a DataFrame with one block for each dtype, as pandas itself keeps them.
`python -m tests.bench.without` says what both bring.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.types.cell_parsers import texts
from modelserver.types.kind import Array, Kind, Plain

try:
    from pandas.api.internals import create_dataframe_from_blocks  # type: ignore[import-not-found]
except ImportError:  # pragma: no cover (before pandas 3)
    create_dataframe_from_blocks = None

Rows = Sequence[Sequence[Any]]


def group_by_type(kinds: Sequence[Kind]) -> dict[Plain, list[int]]:
    """The places of the columns of each type that is read as a whole."""
    codes = [kind.plain for kind in kinds]
    return {
        code: [place for place, found in enumerate(codes) if found == code]
        for code in READERS
        if codes.count(code) > 1
    }


def plain_columns(
    rows: Rows, groups: Mapping[Plain, Sequence[int]], order: Sequence[int | None]
) -> dict[int, Array]:
    """The columns of each group, by place, if all cells of that type are plain.

    `groups` are those of the signature's columns, `order` says where each stands in a row.
    """
    found: dict[int, Array] = {}
    for code, places in groups.items():
        sent = [place for place in places if order[place] is not None]
        if len(sent) > 1:
            cells = map(itemgetter(*(order[place] for place in sent)), rows)
            columns = READERS[code](cells, len(rows))
            found |= zip(sent, columns, strict=True) if columns is not None else {}
    return found


def frame_of(
    columns: Mapping[int, Array], names: "pd.Index[Any]", labels: "pd.Index[Any]"
) -> pd.DataFrame:
    """The DataFrame of these columns, which stand in the order of `names`."""
    if create_dataframe_from_blocks is None or not all(map(_has_block, columns.values())):
        objects = pd.DataFrame(dict(enumerate(columns.values())), index=labels, copy=True)
        return objects.set_axis(names, axis=1)
    blocks: list[tuple[Any, Any]] = []
    alike: dict[Any, list[int]] = {}
    arrays = list(columns.values())
    for place, column in enumerate(arrays):
        if isinstance(column, np.ndarray):
            alike.setdefault(column.dtype, []).append(place)
        else:
            blocks.append((column, np.array([place])))
    for places in alike.values():
        blocks.append((np.stack([arrays[place] for place in places]), np.array(places)))
    frame: pd.DataFrame = create_dataframe_from_blocks(blocks, index=labels, columns=names)
    return frame


def _has_block(column: Array) -> bool:
    """Whether pandas would take the array as it is. It looks into those of objects."""
    if isinstance(column, np.ndarray):
        return column.dtype.kind in "biufM"
    return isinstance(column, pd.arrays.ArrowStringArray)


def _numbers(code: str) -> Callable[[Iterable[Any], int], Iterable[Array] | None]:
    """Reads numbers by a code of the `array` module, which refuses texts."""

    def read(rows: Iterable[Any], length: int) -> Iterable[Array] | None:
        try:
            cells = array(code, chain.from_iterable(rows))
        except (TypeError, OverflowError):
            return None
        numbers = np.frombuffer(cells, np.dtype(code))
        if code == "d" and np.isinf(numbers).any():  # perhaps a number too large for a double
            return None
        return np.ascontiguousarray(numbers.reshape(length, -1).T)

    return read


def _booleans(rows: Iterable[Any], length: int) -> Iterable[Array] | None:
    cells = list(chain.from_iterable(rows))
    if set(map(type, cells)) != {bool}:
        return None
    return np.array(cells).reshape(length, -1).T


def _texts(rows: Iterable[Any], length: int) -> Iterable[Array] | None:
    """All columns are converted at once, which costs about as much as one."""
    cells = list(chain.from_iterable(zip(*rows, strict=True)))
    try:
        column = texts(cells)
    except ValueError:
        return None
    return [column[start : start + length] for start in range(0, len(cells), length)]


READERS: Final[Mapping[Plain, Callable[[Iterable[Any], int], Iterable[Array] | None]]] = {
    "d": _numbers("d"),
    "q": _numbers("q"),
    "?": _booleans,
    "U": _texts,
}
"""How the columns of a type are read, all at once. In: for each row its cells of that type,
and the number of rows. Out: the columns, or None if a cell needs a closer look."""
