"""A table as it was sent, before types are known: names, and cells by row or by column.

All readers of tables return a `Table`, and a signature turns it into a DataFrame. The readers in
this module take decoded JSON. They check the shape (every row as long as the header, no name twice)
but not the cells. A wrong shape raises `BadRequest`, which names the row or column.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import LIMIT, BadRequest
from modelserver.types.kind import Cells, what_is
from modelserver.types.names import listed, quoted

MOST_CELLS = 1_000_000
"""The most cells that a small body may stand for by giving a name or value once for many rows."""

NO_ROWS = "the table is empty: it has no rows"

SPLIT_KEYS = {"columns", "data", "index"}

ROW_NAMES = "_row"
"""The column in which R's jsonlite sends the row names of a data frame."""


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns, and the cells either as `rows` or as `columns`.

    `index` holds the row labels, if any. `named` is False if the names are only positions. `lines`
    are the numbers of the rows' lines, if each row is a line of the body.
    """

    names: Sequence[Hashable]
    length: int
    rows: Sequence[Sequence[Any]] | NDArray[Any] | None = None
    columns: Sequence[Cells] | None = None
    index: "list[Any] | pd.Index[Any] | None" = None
    named: bool = True
    lines: Sequence[int] | None = None

    def place(self, row: int) -> dict[str, int]:
        """Where a row is, for the detail of a fault."""
        return {"row": row} if self.lines is None else {"row": row, "line": self.lines[row]}

    def cells(self, positions: Iterable[int | None]) -> Mapping[int, Cells]:
        """The cells of the columns at these positions, by position. None is skipped."""
        wanted = [position for position in positions if position is not None]
        if isinstance(self.rows, list):
            return dict(zip(wanted, taken(self.rows, wanted), strict=True))
        columns = self.by_column() if wanted else ()
        return {position: columns[position] for position in wanted}

    def without_row_names(self, known: Iterable[object]) -> "Table":
        """The table without R's column of row names (`ROW_NAMES`), unless the model has a column of
        that name. `known`: the names of the model's columns."""
        if ROW_NAMES not in self.names or ROW_NAMES in known:
            return self
        return self.only([place for place, name in enumerate(self.names) if name != ROW_NAMES])

    def only(self, places: Sequence[int]) -> "Table":
        """The table with the columns at these positions."""
        names = [self.names[place] for place in places]
        if isinstance(self.rows, list) and len(places) > 1:
            return replace(self, names=names, rows=list(map(itemgetter(*places), self.rows)))
        columns = self.by_column()
        return replace(self, names=names, rows=None, columns=[columns[p] for p in places])

    def by_column(self) -> Sequence[Cells]:
        """The cells column by column."""
        if self.columns is not None:
            return self.columns
        if isinstance(self.rows, np.ndarray):
            return list(np.ascontiguousarray(self.rows.T))
        return list(zip(*(self.rows or ()), strict=True)) or [()] * len(self.names)


def taken(rows: Sequence[Any], keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The cells that the rows have under these keys, column by column."""
    if len(keys) < 2:
        return [tuple(map(itemgetter(key), rows)) for key in keys]
    return zip(*map(itemgetter(*keys), rows), strict=True)


def read_split(value: Any) -> Table:
    """Reads `dataframe_split`: `{"columns": [names], "data": [rows], "index": [labels]}`."""
    if not isinstance(value, dict):
        raise BadRequest(f"'dataframe_split' must be an object, not {what_is(value)}")
    if "data" not in value or not value.keys() <= SPLIT_KEYS:
        raise BadRequest(
            "'dataframe_split' takes 'data' and optionally 'columns' and 'index'; "
            f"it has {listed(value) or 'nothing'}"
        )
    data, names, index = value["data"], value.get("columns"), value.get("index")
    for key in ("data", "columns", "index"):
        part = value.get(key)
        if not isinstance(part, list) and (key == "data" or part is not None):
            raise BadRequest(f"'{key}' in 'dataframe_split' must be an array, not {what_is(part)}")
    if index is not None and len(index) != len(data):
        raise BadRequest(
            f"'index' in 'dataframe_split' has {len(index)} labels for {len(data)} rows"
        )
    return read_rows("dataframe_split", data, names, _labels(index) if index else index)


def _labels(index: list[Any]) -> list[Any]:
    """Row labels. A label that is an array has several levels: pandas writes a MultiIndex so."""
    levels = len(index[0]) if isinstance(index[0], list) else None
    for row, label in enumerate(index):
        parts = label if isinstance(label, list) else [label]
        if (len(parts) if parts is label else None) != levels or not _are_single(parts):
            raise BadRequest(
                f"label {row} of 'index' in 'dataframe_split' is {what_is(label)}: labels are "
                "single values, or arrays of as many single values each"
            )
    return index if levels is None else [tuple(label) for label in index]


def _are_single(parts: Sequence[Any]) -> bool:
    return len(parts) > 0 and not any(isinstance(part, (list, dict)) for part in parts)


def read_records(
    value: Any, form: str = "dataframe_records", same_keys: bool = False, gap: Any = None
) -> Table:
    """Reads `[{name: cell, …}, …]`. If a row lacks a name, its cell is `gap`; with `same_keys` that
    raises `BadRequest`."""
    if not isinstance(value, list):
        raise BadRequest(f"'{form}' must be an array of objects, not {what_is(value)}")
    if not value or not isinstance(value[0], dict):
        return read_rows(form, value, None)
    for row, record in enumerate(value):
        if not isinstance(record, dict):
            raise BadRequest(f"row {row} of '{form}' is {what_is(record)}, not an object")
    names = list(value[0])
    if (table := _alike(value, names)) is not None:
        return table
    if same_keys:
        row = next(i for i, record in enumerate(value) if record.keys() != value[0].keys())
        raise BadRequest(other_keys(row, form))
    names = list(dict.fromkeys(chain.from_iterable(value)))
    if len(names) * len(value) > MOST_CELLS + 10 * sum(map(len, value)):
        raise BadRequest(f"the rows of '{form}' have too many different keys")
    columns = [[record.get(name, gap) for record in value] for name in names]
    return Table(names, len(value), columns=columns)


def _alike(records: list[dict[str, Any]], names: list[str]) -> Table | None:
    """The table of records that all have these names; None if one has other names."""
    if set(map(len, records)) != {len(names)}:
        return None
    try:
        cells = list(map(itemgetter(*names), records)) if names else []
    except KeyError:
        return None
    if len(names) > 1:
        return Table(names, len(records), rows=cells)
    return Table(names, len(records), columns=[cells] if names else [])


def other_keys(row: int, form: str) -> str:
    """The message for a row that has other keys than the first."""
    return f"row {row} of '{form}' has other keys than row 0"


def read_rows(
    form: str, data: list[Any], names: Sequence[Any] | None, index: list[Any] | None = None
) -> Table:
    """Reads an array of rows: arrays as long as the header. An array of scalars is one column."""
    if data and not isinstance(data[0], list):
        row = next((i for i, item in enumerate(data) if isinstance(item, (list, dict))), None)
        if isinstance(data[0], dict) or row is not None:
            raise BadRequest(f"row {row or 0} of '{form}' is {what_is(data[row or 0])}")
        names = check_names(names if names is not None else [0])
        if len(names) != 1:
            raise BadRequest(f"row 0 of '{form}' is {what_is(data[0])}, not an array")
        return Table(names, len(data), columns=[data], index=index, named=names != [0])
    width = len(names) if names is not None else len(data[0]) if data else 0
    for row, cells in enumerate(data) if set(map(type, data)) > {list} else ():
        if not isinstance(cells, list):
            raise BadRequest(f"row {row} of '{form}' is {what_is(cells)}, not an array")
    if set(map(len, data)) - {width}:
        row = next(i for i, cells in enumerate(data) if len(cells) != width)
        raise BadRequest(f"row {row} of '{form}' has {len(data[row])} cells, expected {width}")
    given = check_names(names) if names is not None else range(width)
    return Table(given, len(data), rows=data, index=index, named=names is not None)


def read_columns(form: str, value: Mapping[str, Any]) -> Table:
    """Reads `{name: [cells], …}`: columns of one length. A single value is repeated in every
    row."""
    length = refuse_unequal(form, value)
    if length * sum(not isinstance(cells, list) for cells in value.values()) > MOST_CELLS:
        raise BadRequest(f"too many single values beside the columns of '{form}'")
    columns = [cells if isinstance(cells, list) else [cells] * length for cells in value.values()]
    return Table(list(value), length, columns=columns)


def refuse_unequal(form: str, columns: Mapping[str, Any]) -> int:
    """The length of the columns, 1 if none is an array. Raises `BadRequest` if lengths differ."""
    arrays = {name: cells for name, cells in columns.items() if isinstance(cells, list)}
    lengths = {len(cells) for cells in arrays.values()}
    if len(lengths) > 1:
        sizes = [f"{quoted(name)} {len(cells)}" for name, cells in list(arrays.items())[:LIMIT]]
        raise BadRequest(f"the columns of '{form}' have different lengths: {', '.join(sizes)}")
    return lengths.pop() if lengths else 1


def check_names(names: Sequence[Any]) -> Sequence[Hashable]:
    """The names. Raises `BadRequest` if one is no text or whole number, or is given twice."""
    for position, name in enumerate(names):
        if type(name) not in (str, int):
            raise BadRequest(f"the name of column {position} is {what_is(name)}, not text")
    refuse_repeated(names)
    return names


def refuse_repeated(names: Sequence[Hashable]) -> None:
    """Raises `BadRequest` if a name occurs more than once."""
    if len(set(names)) != len(names):
        repeated = [name for name, times in Counter(names).items() if times > 1]
        raise BadRequest(f"columns given twice: {listed(repeated)}")
