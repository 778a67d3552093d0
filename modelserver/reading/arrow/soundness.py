"""Whether a column of Arrow IPC can be read without harm. Needs pyarrow.

pyarrow checks the bytes of a column only if it is asked to. Even then it does not check where an
array without values starts, and would end the process there.
"""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from modelserver.reading.arrow.content import Column


def is_sound(column: Column) -> bool:
    """Whether the column has a type that is read, and keeps to it in every byte."""
    try:
        column.validate(full=True)  # finds, for example, texts that are no UTF-8
    except pa.ArrowException:
        return False
    return _is_read(column.type) and all(map(_starts_well, column.chunks))


def _is_read(arrow_type: Any) -> bool:
    """Whether columns of this type are read. Others are rare: unions, views of lists, runs of equal
    values, dictionaries of anything but scalars."""
    types = pa.types
    if isinstance(arrow_type, pa.BaseExtensionType):
        return _is_read(arrow_type.storage_type)
    if types.is_dictionary(arrow_type):
        inner = arrow_type.value_type
        return not (inner.num_fields or types.is_dictionary(inner)) and _is_read(inner)
    is_known = types.is_struct(arrow_type) or types.is_map(arrow_type) or _is_list(arrow_type)
    if arrow_type.num_fields and not is_known:
        return False
    fields = (arrow_type.field(place) for place in range(arrow_type.num_fields))
    return all(_is_read(field.type) for field in fields)


def _is_list(arrow_type: Any) -> bool:
    types = pa.types
    return bool(
        types.is_list(arrow_type)
        or types.is_large_list(arrow_type)
        or types.is_fixed_size_list(arrow_type)
    )


def _starts_well(array: Column) -> bool:
    """Whether all arrays without values, at any depth, start at 0."""
    if not len(array) and _has_offsets(array.type):
        offsets = array.buffers()[1]
        if offsets is not None and any(memoryview(offsets)[: _offset_width(array.type)]):
            return False
    return all(map(_starts_well, _children(array)))


def _has_offsets(arrow_type: Any) -> bool:
    return str(arrow_type).startswith(("list<", "large_", "map<", "string", "binary"))


def _offset_width(arrow_type: Any) -> int:
    return 8 if str(arrow_type).startswith("large_") else 4


def _children(array: Column) -> Iterable[Column]:
    if isinstance(array, pa.ExtensionArray):
        return [array.storage]
    if pa.types.is_dictionary(array.type):
        return [array.dictionary]
    if pa.types.is_map(array.type):
        return [array.keys, array.items]
    if pa.types.is_struct(array.type):
        return [array.field(place) for place in range(array.type.num_fields)]
    return [array.values] if array.type.num_fields else []
