"""Arrow and Parquet as formats of answers: a table with the types of its columns. Needs pyarrow.

NaN and other missing values are null. What Arrow has no type for, such as a UUID or a period,
becomes what it is in JSON. A column with values of several types, or with an integer beyond 64
bits, raises `NoTable`.
"""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.scoring.answering.encoding import cells_of, encode_json
from modelserver.scoring.answering.tables import Columns, NoTable


def write_parquet(columns: Columns) -> bytes:
    """The table as a Parquet file."""
    import pyarrow.parquet

    table, file = arrow_table(columns), io.BytesIO()
    with for_parquet():
        pyarrow.parquet.write_table(table, file)
    return file.getvalue()


@contextmanager
def for_parquet() -> Iterator[None]:
    """Raises `NoTable` for a type that Arrow has and Parquet lacks."""
    try:
        yield
    except NotImplementedError:
        raise NoTable("a column has objects without properties") from None


def write_arrow(columns: Columns) -> bytes:
    """The table as a stream of Arrow IPC."""
    import pyarrow.ipc

    table, file = arrow_table(columns), io.BytesIO()
    with pyarrow.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    return file.getvalue()


def arrow_table(columns: Columns) -> Any:
    """The table as Arrow has it. Raises `NoTable`."""
    import pyarrow

    return pyarrow.table({name: _array(name, column) for name, column in columns.items()})


def _array(name: str, column: Any) -> Any:
    """The column as an array of Arrow. Raises `NoTable`, and `RecursionError` for a cell that is
    nested too deeply, on which pyarrow would crash."""
    import pyarrow

    if isinstance(column, (list, tuple)) or column.dtype.kind == "O":
        _visit(column)
    with suppress(*FAULTS):
        array = pyarrow.array(_of_arrow_type(column), from_pandas=True)
        if not isinstance(array.type, pyarrow.BaseExtensionType):  # as pandas makes of periods
            return array
    try:
        return pyarrow.array([json.loads(encode_json(cell)) for cell in cells_of(column)])
    except OverflowError:
        raise NoTable(f"column {name!r} has an integer beyond 64 bits") from None
    except FAULTS:
        raise NoTable(f"column {name!r} has values of several types") from None


def _visit(cells: Iterable[Any]) -> None:
    """Visits all arrays and objects in the cells. Raises `RecursionError` if it cannot."""
    for cell in cells:
        if isinstance(cell, (list, tuple)):
            _visit(cell)
        elif isinstance(cell, dict):
            _visit(cell.values())


def _of_arrow_type(column: Any) -> Any:
    """The column without those types of arrays that Arrow or Parquet lacks."""
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.SparseDtype):
        return np.asarray(column)
    return column.astype(np.float32) if dtype == np.float16 else column


FAULTS: Final = (TypeError, ValueError, OverflowError, NotImplementedError)
"""What pyarrow raises for values that it does not know or that have several types; its own
exceptions are among these."""
