"""How much an array of Arrow stands for, which may be far more than its bytes. Needs pyarrow.

In: an array that pyarrow has found valid. Views and dictionaries may name one long text any number
of times, and nulls, empty objects and empty arrays may take no bytes.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modelserver.reading.arrow.cells import map_entries
from modelserver.reading.arrow.content import Column

NO_BYTES: Final[Mapping[str, int]] = {"null": 8, "fixed_size_binary[0]": 8, "struct<>": 64}
"""The types whose values take no bytes in a body, and how many a value takes once it is read."""

EMPTY_ARRAY: Final = 64
"""How many bytes an array of length 0 takes once it is read."""


def size_of(array: Column) -> int:
    """The number of values in an array, at any depth, and of the bytes of their texts and of what
    dictionaries hold; what is named several times counts as often."""
    if isinstance(array, pa.ExtensionArray):
        return size_of(array.storage)
    if (unsent := _unsent(array.type)) > 0:
        return len(array) * (1 + unsent)
    if array.type.num_fields:
        return len(array) + sum(map(size_of, _parts(array)))
    is_folded = pa.types.is_dictionary(array.type)
    values = array.dictionary if is_folded else array
    if not _has_texts(values.type):
        return len(array) * (1 + _width(values.type, is_folded))
    lengths = _lengths(values)
    if is_folded:
        lengths = lengths[array.indices.drop_null().to_numpy()]
    return len(array) + int(lengths.sum())


def _width(arrow_type: Any, is_folded: bool) -> int:
    """How many bytes are counted for a value that is no text. Numbers that no dictionary holds take
    as many in the body."""
    if not (is_folded or pa.types.is_fixed_size_binary(arrow_type)):
        return 0
    return _unsent(arrow_type) or int(arrow_type.bit_width // 8)


def _unsent(arrow_type: Any) -> int:
    """How many bytes a value takes once it is read, if values of the type take none in a body;
    otherwise 0."""
    if pa.types.is_fixed_size_list(arrow_type) and arrow_type.list_size == 0:
        return EMPTY_ARRAY
    return NO_BYTES.get(str(arrow_type), 0)


def _parts(array: Column) -> Any:
    if pa.types.is_struct(array.type):
        return array.flatten()
    if pa.types.is_map(array.type):
        return map_entries(array)[:2]
    return [array.flatten()]


def _has_texts(arrow_type: Any) -> bool:
    """Whether values of the type are texts or bytes, each of its own length."""
    return any(word in str(arrow_type) for word in ("string", "binary")) and not (
        pa.types.is_fixed_size_binary(arrow_type)
    )


def _lengths(array: Column) -> NDArray[np.int64]:
    """The number of bytes of each text."""
    if str(array.type) in ("string_view", "binary_view"):
        return _view_lengths(array)
    lengths = pc.binary_length(array).fill_null(0)
    return np.asarray(lengths, np.int64)


def _view_lengths(array: Column) -> NDArray[np.int64]:
    """The lengths of views: each view has 16 bytes, of which the first four are its length."""
    if not len(array):
        return np.zeros(0, np.int64)
    words = np.frombuffer(array.buffers()[1], np.int32, 4 * (array.offset + len(array)))
    lengths = words[4 * array.offset :: 4]
    return np.where(array.is_valid(), lengths, 0).astype(np.int64)
