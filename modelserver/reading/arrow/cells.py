"""Columns of Arrow to cells, at any depth and without loss.

In: a column as pyarrow reads it, and the logical types of its leaves (the columns without parts
that make it up), as Parquet names them. Out: an array; for columns of arrays, objects and maps a
list of Python values. A leaf is read in the same way at every depth. A value that Python cannot
hold raises `Unfit`, which says what was found. Needs pyarrow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from modelserver.reading.arrow.content import Column
from modelserver.types.kind import Cells, Unfit, objects
from modelserver.types.names import clipped

Leaves: TypeAlias = Iterator[str]
"""The Parquet logical types of the leaves in order; each reader takes the types of its own
leaves."""


def read_cells(column: Column, leaves: Sequence[str]) -> Cells:
    """The cells of a column. Raises `Unfit`."""
    try:
        if _is_flat(column.type):
            return _plain(_leaf(column, leaves[0]))
        return [cell for chunk in column.chunks for cell in _values(chunk, iter(leaves))]
    except Unfit:
        raise
    except Exception as error:  # a type that only another version of pyarrow can read
        raise Unfit(f"a value of the Arrow type {clipped(str(column.type))}") from error


def leaves_of(arrow_type: Any) -> int:
    """How many columns a Parquet file uses for a column of this Arrow type."""
    if isinstance(arrow_type, pa.BaseExtensionType):
        return leaves_of(arrow_type.storage_type)
    fields = (arrow_type.field(place) for place in range(arrow_type.num_fields))
    return sum(leaves_of(field.type) for field in fields) or 1


def logical_types(arrow_type: Any) -> list[str]:
    """The logical types of the leaves of this Arrow type, empty for those that Arrow names."""
    if isinstance(arrow_type, pa.BaseExtensionType):
        is_uuid = arrow_type.extension_name == "arrow.uuid"
        return ["UUID"] if is_uuid else logical_types(arrow_type.storage_type)
    fields = (arrow_type.field(place) for place in range(arrow_type.num_fields))
    within = [leaf for field in fields for leaf in logical_types(field.type)]
    return within or ["INTERVAL" if pa.types.is_interval(arrow_type) else ""]


def _is_flat(arrow_type: Any) -> bool:
    return not arrow_type.num_fields and not isinstance(arrow_type, pa.BaseExtensionType)


def _plain(column: Column) -> Cells:
    if isinstance(column.dtype, (pd.StringDtype, pd.DatetimeTZDtype)):
        return column.array
    return np.asarray(column)


def _values(array: Column, leaves: Leaves) -> list[Any]:
    """The cells as Python values, None for a missing one."""
    if array.null_count == len(array):
        list(islice(leaves, leaves_of(array.type)))
        return [None] * len(array)
    if isinstance(array, pa.ExtensionArray):
        return _extension_values(array, leaves)
    if _is_flat(array.type):
        values = list(_leaf(array, next(leaves)))
    elif pa.types.is_struct(array.type):
        values = _struct_values(array, leaves)
    elif pa.types.is_map(array.type):
        values = _map_values(array, leaves)
    else:
        values = _list_values(array, leaves)
    if not array.null_count:
        return values
    return [
        value if valid else None
        for value, valid in zip(values, array.is_valid().to_pylist(), strict=True)
    ]


def _struct_values(array: Column, leaves: Leaves) -> list[Any]:
    names = [array.type.field(place).name for place in range(array.type.num_fields)]
    if len(set(names)) < len(names):
        raise Unfit("an object with a property given twice")
    fields = [_values(field, leaves) for field in array.flatten()]
    return [dict(zip(names, row, strict=True)) for row in zip(*fields, strict=True)]


def _list_values(array: Column, leaves: Leaves) -> list[Any]:
    items = iter(_values(array.flatten(), leaves))
    lengths = pc.list_value_length(array).fill_null(0).to_pylist()
    return [list(islice(items, length)) for length in lengths]


def _map_values(array: Column, leaves: Leaves) -> list[Any]:
    all_keys, all_items, offsets = map_entries(array)
    keys = _values(all_keys, leaves)
    items = _values(all_items, leaves)
    maps = []
    for start, end in pairwise(offsets):
        maps.append(dict(zip(keys[start:end], items[start:end], strict=True)))
        if len(maps[-1]) < end - start:
            raise Unfit("an object with a key given twice")
    return maps


def map_entries(array: Column) -> tuple[Column, Column, list[int]]:
    """The keys and the items of all maps in an array, and where each map starts among them."""
    offsets = array.offsets.to_numpy()
    within = (int(offsets[0]), int(offsets[-1] - offsets[0]))  # the array may be a slice
    starts = (offsets - offsets[0]).tolist()
    return array.keys.slice(*within), array.items.slice(*within), starts


def _extension_values(array: Column, leaves: Leaves) -> list[Any]:
    read = EXTENSIONS.get(array.type.extension_name)
    if read is None:
        raise Unfit(f"a value of the type {array.type.extension_name}")
    values = _values(array.storage, leaves)
    return [None if value is None else read(value, array.type) for value in values]


def _tensor(cells: Sequence[Any], arrow_type: Any) -> Any:
    """A value of Arrow's `fixed_shape_tensor` as nested lists, in the order of its logical axes."""
    shape = tuple(arrow_type.shape)
    flat = np.fromiter(cells, object, len(cells))
    return flat.reshape(shape).transpose(arrow_type.permutation or range(len(shape))).tolist()


EXTENSIONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "arrow.uuid": lambda value, _: value,  # made by its logical type
    "arrow.json": lambda value, _: value,
    "arrow.bool8": lambda value, _: value != 0,
    "arrow.fixed_shape_tensor": _tensor,
}
"""The readers of Arrow's extension types by name: from the stored value to the value that it
means."""


def _leaf(cells: Column, logical: str) -> Any:
    """Cells without parts as a pandas or NumPy array."""
    if pa.types.is_dictionary(cells.type):
        cells = _unfolded(cells)
    if logical == "UUID":
        return objects([None if cell is None else UUID(bytes=cell) for cell in cells.to_pylist()])
    if logical == "INTERVAL" and cells.null_count < len(cells):
        raise Unfit("a duration")
    if pa.types.is_timestamp(cells.type):
        return _timestamps(cells)
    if pa.types.is_date(cells.type):
        return _dates(cells)
    if pa.types.is_time(cells.type):
        return _times(cells)
    return cells.to_pandas(integer_object_nulls=True)


def _unfolded(cells: Column) -> Column:
    """The values that are named in a dictionary. Views of texts, as polars writes them, must become
    texts before."""
    texts = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}
    plain = texts.get(str(cells.type.value_type), cells.type.value_type)
    return cells.cast(pa.dictionary(cells.type.index_type, plain)).cast(plain)


def _timestamps(cells: Column) -> Any:
    """Date-times. They become UTC if pandas does not know their time zone, or if they are beyond
    the years that nanoseconds reach, where computing with a zone might crash the process."""
    unit, zone = cells.type.unit, cells.type.tz
    try:
        cells.cast(pa.timestamp("ns", zone))
        return cells.to_pandas()
    except (pa.ArrowInvalid, LookupError):
        return cells.cast(pa.int64()).cast(pa.timestamp(unit)).to_pandas().to_numpy()


def _dates(cells: Column) -> Any:
    try:
        return cells.to_pandas()
    except ValueError:  # beyond the years that Python's dates reach
        return cells.cast(pa.timestamp("s")).to_pandas().to_numpy()


def _times(cells: Column) -> Any:
    try:
        return cells.to_pandas()
    except pa.ArrowInvalid:
        raise Unfit("a time finer than microseconds") from None
