"""Parquet: the bytes of a file to a `Table` or a DataFrame, when pyarrow is installed.

The columns keep the types that the file gives them; integers with gaps stay integers.
"""

import importlib.util
import io
from typing import Any, Final

import pandas as pd

from modelserver.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType, listed
from modelserver.kinds import Cells
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
        if _decoded_size(body, file, limit) > limit:
            raise too_large(limit)
        table = file.read(use_threads=False)
        table.validate(full=True)  # texts that are no UTF-8, among others
        frame: pd.DataFrame = table.to_pandas(use_threads=False, **options)
    except PayloadTooLarge:
        raise
    except Exception as error:  # metadata of other writers can break pyarrow in many ways
        raise BadRequest("the body is not a Parquet file that can be read") from error
    if frame.empty:
        raise BadRequest("the table is empty: it has no rows")
    return frame


def _decoded_size(body: bytes, file: Any, limit: int) -> int:
    """At least how many bytes the file's cells take, found without making them.

    A few bytes can stand for any number of equal cells. Texts are therefore read as dictionaries,
    in which equal ones are held once.
    """
    import pyarrow.parquet

    _open_row_groups(file)
    groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
    columns = [group.column(place) for group in groups for place in range(group.num_columns)]
    size: int = max(file.metadata.num_rows, sum(column.num_values for column in columns))
    for place in range(len(file.schema)):  # the length is that of fixed-size bytes
        size += max(file.schema.column(place).length, 0) * file.metadata.num_rows
    texts = {column.path_in_schema for column in columns if column.physical_type == "BYTE_ARRAY"}
    if size > limit or not texts:
        return size
    folded = pyarrow.parquet.ParquetFile(io.BytesIO(body), read_dictionary=sorted(texts))
    table = folded.read(columns=sorted(texts), use_threads=False)
    return size + sum(_text_size(chunk) for column in table.columns for chunk in column.chunks)


def _open_row_groups(file: Any) -> None:
    """Has the reader look at the metadata of flat columns first: it raises for corrupt ones, where
    asking the metadata itself would end the process."""
    schema = file.schema
    flat = [
        schema.column(place).path
        for place in range(len(schema))
        if schema.column(place).max_repetition_level == 0
    ]
    for group in range(file.metadata.num_row_groups if flat else 0):
        next(file.iter_batches(1, row_groups=[group], columns=flat, use_threads=False), None)


def _text_size(array: Any) -> int:
    """Bytes of the texts in an Arrow array whose texts are dictionaries, at any depth."""
    import pyarrow.compute

    types = pyarrow.types
    if types.is_dictionary(array.type):
        lengths = pyarrow.compute.binary_length(array.dictionary).take(array.indices)
        return pyarrow.compute.sum(lengths).as_py() or 0
    if types.is_struct(array.type):
        return sum(map(_text_size, array.flatten()))
    if types.is_map(array.type):
        return _text_size(array.keys) + _text_size(array.items)
    return _text_size(array.flatten()) if types.is_list(array.type) else 0


def _cells(column: "pd.Series[Any]") -> Cells:
    if isinstance(column.dtype, (pd.StringDtype, pd.DatetimeTZDtype)):
        return column.array
    if pd.api.types.is_extension_array_dtype(column.dtype):
        return column.astype(object).to_numpy()
    return column.to_numpy()
