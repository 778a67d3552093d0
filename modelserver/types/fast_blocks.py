"""Columns of one type together: read from rows, and put into a DataFrame.

Three fast ways, of which `python -m tests.support.bench.without` measures what each brings:

- `plain_columns` reads rows of JSON values. It returns the columns in which every cell already has
  the column's type, and leaves the others to the plain way, `Kind.convert`. It reads the values row
  by row, in the order in which they lie in memory, and converts all columns of a type at once.
- `block_of` makes one array of rows that hold only numbers. The plain way converts each column.
- `frame_of` makes a DataFrame of typed columns, with one block for each dtype, as pandas itself
  keeps them; `frame_of_block` of one array. The plain way is `pandas.DataFrame`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, starmap
from math import nan
from operator import itemgetter
from struct import Struct, error as StructError, pack_into
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.types.cell_parsers import texts
from modelserver.types.kind import Array, Code, Kind

try:
    from pandas.api.internals import create_dataframe_from_blocks  # type: ignore[import-not-found]
except ImportError:  # pragma: no cover (before pandas 3)
    create_dataframe_from_blocks = None

Rows: TypeAlias = Sequence[Sequence[Any]]

ArrayReader: TypeAlias = Callable[[Rows], NDArray[Any] | None]

Reader: TypeAlias = Callable[[Rows], Iterable[Array] | None]


def group_by_type(kinds: Sequence[Kind]) -> dict[Code, list[int]]:
    """The positions of the columns with each code of `FAST_READERS`. A code with a single column is
    left out, since there is nothing to read together."""
    codes = [kind.plain for kind in kinds]
    return {
        code: [place for place, found in enumerate(codes) if found == code]
        for code in FAST_READERS
        if codes.count(code) > 1
    }


def plain_columns(
    rows: Rows, groups: Mapping[Code, Sequence[int]], order: Sequence[int | None]
) -> dict[int, Array]:
    """The columns of each group whose cells all have the group's type, by position in the
    signature; other groups are left out.

    `groups` holds positions in the signature; `order` the position in a row for each of these, None
    for an absent column.
    """
    found: dict[int, Array] = {}
    for code, places in groups.items():
        sent = [place for place in places if order[place] is not None]
        if len(sent) > 1:
            cells = list(map(itemgetter(*(order[place] for place in sent)), rows))
            columns = FAST_READERS[code](cells)
            found |= zip(sent, columns, strict=True) if columns is not None else {}
    return found


def _doubles(rows: Rows | NDArray[Any], count: int) -> NDArray[np.float64]:
    """All cells in one flat array. Unlike NumPy, `struct` refuses texts that spell numbers."""
    if isinstance(rows, np.ndarray):
        return rows.ravel()
    cells = np.empty(count)
    pack_into(f"{count}d", cells.data, 0, *chain.from_iterable(rows))
    return cells


def block_of(rows: Rows | NDArray[Any], order: Sequence[int | None]) -> NDArray[np.float64] | None:
    """Rows of numbers as one array of shape (rows, columns). It is column by column in memory, as
    pandas keeps a DataFrame: sums of products have other last digits otherwise. None if a column is
    absent, or if a cell is no number; then the caller converts column by column."""
    try:
        cells = _doubles(rows, len(rows) * len(order))
    except (StructError, OverflowError):
        return None
    if None in order:
        return None
    block = cells.reshape(len(rows), len(order))
    if list(order) != list(range(len(order))):
        block = block[:, order]  # type: ignore[index]
    return np.asfortranarray(block)


FEW: Final = 16
"""The labels of so many rows are made once. To make them takes a fiftieth of a small request."""


def labels_of(index: "list[Any] | pd.Index[Any] | None", length: int) -> "pd.Index[Any]":
    """The labels of so many rows: those of `index`, or their numbers."""
    labels: pd.Index[Any]
    if index is not None:
        labels = pd.Index(index)
    elif length > FEW:
        labels = pd.RangeIndex(length)
    else:
        labels = _numbers(length).view()  # a model may set its name
    return labels


@cache
def _numbers(length: int) -> pd.RangeIndex:
    return pd.RangeIndex(length)


@cache
def _places(count: int) -> NDArray[np.int64]:
    return np.arange(count)


def frame_of_block(
    block: NDArray[np.float64], names: "pd.Index[Any]", labels: "pd.Index[Any]"
) -> pd.DataFrame:
    """The DataFrame of the columns of this array of shape (rows, columns)."""
    if create_dataframe_from_blocks is None:  # pragma: no cover (before pandas 3)
        return pd.DataFrame(block, index=labels, columns=names, copy=False)
    blocks = [(block.T, _places(len(names)))]
    frame: pd.DataFrame = create_dataframe_from_blocks(blocks, index=labels, columns=names)
    return frame


def frame_of(
    columns: Mapping[int, Array], names: "pd.Index[Any]", labels: "pd.Index[Any]"
) -> pd.DataFrame:
    """The DataFrame of these columns; `names` has their names in the same order."""
    if create_dataframe_from_blocks is None or not all(map(_has_block, columns.values())):
        objects = pd.DataFrame(dict(enumerate(columns.values())), index=labels, copy=True)
        return objects.set_axis(names, axis=1)
    blocks: list[tuple[Array, NDArray[np.int64]]] = []
    alike: dict[np.dtype[Any], dict[int, NDArray[Any]]] = {}
    for place, column in enumerate(columns.values()):
        if isinstance(column, np.ndarray):
            alike.setdefault(column.dtype, {})[place] = column
        else:
            blocks.append((column, np.array([place])))
    blocks += [(np.stack([*group.values()]), np.array([*group])) for group in alike.values()]
    frame: pd.DataFrame = create_dataframe_from_blocks(blocks, index=labels, columns=names)
    return frame


def _has_block(column: Array) -> bool:
    """Whether pandas would keep the array's dtype; it infers another one for arrays of objects."""
    if isinstance(column, np.ndarray):
        return column.dtype.kind in "biufM"
    return isinstance(column, pd.arrays.ArrowStringArray)


def _packed(code: Code, rows: Rows) -> NDArray[Any] | None:
    """Numbers. `struct` refuses texts and null, and for integers also floats."""
    pack = Struct(f"{len(rows[0])}{code}").pack
    try:
        return np.frombuffer(b"".join(starmap(pack, rows)), code)
    except StructError:
        return None


def _doubles_and_gaps(rows: Rows) -> NDArray[Any] | None:
    """Doubles, with NaN for null."""
    cells = _packed("d", rows)
    if cells is None:
        cells = _packed("d", [[nan if c is None else c for c in chain.from_iterable(rows)]])
    return None if cells is None else _columns(cells, rows)


def _longs(rows: Rows) -> NDArray[Any] | None:
    cells = _packed("q", rows)
    return None if cells is None else _columns(cells, rows)


def _booleans(rows: Rows) -> NDArray[Any] | None:
    """Booleans, also sent as 1 and 0."""
    try:
        cells = np.frombuffer(bytes(chain.from_iterable(rows)), np.uint8)
    except (TypeError, ValueError):  # no integer, or one beyond 255
        return None
    return None if (cells > 1).any() else _columns(cells.view(np.bool_), rows)


def _columns(cells: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """Cells in the order of the rows as an array of shape (columns, rows) with memory of its
    own."""
    return cells.reshape(len(rows), -1).T.copy()


def _texts(rows: Rows) -> Iterable[Array] | None:
    """Reads texts. One conversion of all columns costs about as much as that of one column."""
    cells = list(chain.from_iterable(zip(*rows, strict=True)))
    try:
        column = texts(cells)
    except ValueError:
        return None
    return [column[start : start + len(rows)] for start in range(0, len(cells), len(rows))]


ARRAY_READERS: Final[Mapping[Code, ArrayReader]] = {
    "d": _doubles_and_gaps,
    "q": _longs,
    "?": _booleans,
}
"""The readers whose columns are the rows of one array."""

FAST_READERS: Final[Mapping[Code, Reader]] = {**ARRAY_READERS, "U": _texts}
"""The readers that read all columns of one type at once. In: for each row its cells of that type,
in an array or a tuple. Out: the columns, or None if a cell does not plainly have the type."""
