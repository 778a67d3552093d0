"""Parquet: the bytes of a file to a `Table` or a DataFrame, when pyarrow is installed.

The columns keep the types that the file gives them; integers with gaps stay integers.
"""

import importlib.util
import io
from typing import Any, Final

import pandas as pd

from modelserver.columns import Cells
from modelserver.errors import BadRequest, UnsupportedMediaType, listed
from modelserver.media import too_large
from modelserver.tables import Table, twice

AVAILABLE: Final = importlib.util.find_spec("pyarrow") is not None


def read_parquet(body: bytes, limit: int) -> Table:
    """The table in a Parquet file of at most `limit` cells."""
    frame = _frame(body, limit, integer_object_nulls=True, maps_as_pydicts="strict")
    if repeated := twice(frame.columns):
        raise BadRequest(f"columns given twice: {listed(repeated)}")
    index = None if isinstance(frame.index, pd.RangeIndex) else frame.index
    columns = [_cells(frame[name]) for name in frame.columns]
    return Table(list(frame.columns), len(frame), columns=columns, index=index)


def read_untyped_parquet(body: bytes, limit: int) -> pd.DataFrame:
    """The file as pandas reads it by default, for a model without a signature."""
    return _frame(body, limit)


def _frame(body: bytes, limit: int, **options: Any) -> pd.DataFrame:
    if not AVAILABLE:
        raise UnsupportedMediaType("this server cannot read Parquet: pyarrow is not installed")
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(body))
        # A few bytes can stand for any number of equal cells, and each takes a byte or more.
        if file.metadata.num_rows * file.metadata.num_columns > limit:
            raise too_large(limit)
        frame: pd.DataFrame = file.read(use_threads=False).to_pandas(use_threads=False, **options)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadRequest("the body is not a Parquet file that can be read") from error
    if frame.empty:
        raise BadRequest("the table is empty: it has no rows")
    return frame


def _cells(column: "pd.Series[Any]") -> Cells:
    if isinstance(column.dtype, (pd.StringDtype, pd.DatetimeTZDtype)):
        return column.array
    if pd.api.types.is_extension_array_dtype(column.dtype):
        return column.astype(object).to_numpy()
    return column.to_numpy()
