"""Tensors as the protocol writes them: a name, a shape, a datatype, and the elements as JSON.

The elements of BYTES are texts. Their content type says what the texts mean, as in MLServer's
codecs: `str` texts, `base64` bytes, `datetime` dates in ISO 8601, `pd_json` any values as JSON. In:
an array, or a column of a table. Out: a JSON value.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from modelserver.scoring.answering.encoding import cells_of, encode_json
from modelserver.types.kind import Kind, objects
from modelserver.types.type_table import KINDS

BYTES: Final = "BYTES"

TEXT, BASE64, DATETIME, ANY = "str", "base64", "datetime", "pd_json"

FRAME, ARRAYS, DICT = "pd", "np", "dict"
"""The content types of a whole request or answer: a table, one array, arrays by name."""

DTYPES: Final[Mapping[str, "np.dtype[Any]"]] = {
    "BOOL": np.dtype(np.bool_),
    **{f"UINT{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    BYTES: np.dtype(object),
}
"""The datatypes of the protocol, each with its dtype in NumPy."""

DATATYPES: Final = {dtype: name for name, dtype in DTYPES.items() if name != BYTES}
"""The datatypes by the dtypes of numbers and booleans."""

OF_KINDS: Final = {
    KINDS["string"].name: TEXT,
    KINDS["binary"].name: BASE64,
    KINDS["datetime"].name: DATETIME,
}
"""The content types of the column types that are written as BYTES; nested ones are `ANY`."""


def datatype_of(dtype: Any) -> str:
    """The datatype of an array of this dtype."""
    return DATATYPES.get(np.dtype(dtype).newbyteorder("="), BYTES)


def column_type(kind: Kind) -> tuple[str, str | None]:
    """The datatype and the content type of a column."""
    if kind.is_scalar and kind.name not in OF_KINDS:
        return datatype_of(kind.dtype), None
    return BYTES, OF_KINDS.get(kind.name, ANY)


def write_tensor(name: str, values: Any) -> dict[str, Any]:
    """The tensor of an array, or of a column, which is a list or an array of NumPy or pandas. Its
    `data` is JSON already."""
    array = _as_array(values)
    datatype, content_type, elements = _written(array.ravel())
    tensor = {
        "name": name,
        "shape": list(array.shape),
        "datatype": datatype,
        "data": orjson.Fragment(encode_json(elements)),
    }
    return tensor | ({"parameters": {"content_type": content_type}} if content_type else {})


def _as_array(values: Any) -> NDArray[Any]:
    """The values as a NumPy array. It holds objects if NumPy has no type for them, and None where a
    value is missing."""
    if isinstance(values, np.ma.MaskedArray):
        return np.array(values.tolist(), object)
    if isinstance(values, np.ndarray):
        return values
    if isinstance(getattr(values, "dtype", None), np.dtype):
        return np.asarray(values)
    return objects(cells_of(values))


def _written(elements: NDArray[Any]) -> tuple[str, str | None, Any]:
    """The datatype, the content type and the JSON values of elements, which stand in a row."""
    dtype = elements.dtype.newbyteorder("=")
    if dtype.kind == "f":
        return DATATYPES.get(dtype, "FP64"), None, np.ascontiguousarray(elements, np.float64)
    if dtype in DATATYPES:
        return DATATYPES[dtype], None, np.ascontiguousarray(elements, dtype)
    found = pd.api.types.infer_dtype(elements, skipna=True)
    if found in WHOLE and not pd.isna(elements).any():
        return WHOLE[found](elements)
    datatype, content_type = WRITTEN.get(found, (BYTES, ANY))
    cells = cells_of(elements)
    if content_type == ANY:
        cells = [encode_json(cell).decode() for cell in cells]
    return datatype, content_type, cells


def _whole_numbers(elements: NDArray[Any]) -> tuple[str, str | None, Any]:
    """Integers of Python. Those of more than 64 bits have no datatype."""
    for name in ("INT64", "UINT64"):
        bounds = np.iinfo(DTYPES[name])
        if bounds.min <= elements.min() and elements.max() <= bounds.max:
            return name, None, elements.tolist()
    return BYTES, ANY, [encode_json(cell).decode() for cell in elements]


def _booleans(elements: NDArray[Any]) -> tuple[str, str | None, Any]:
    return "BOOL", None, elements.tolist()


WHOLE: Final[Mapping[str, Callable[[NDArray[Any]], tuple[str, str | None, Any]]]] = {
    "integer": _whole_numbers,
    "boolean": _booleans,
}
"""The writers of objects that have a datatype only if none is missing, by pandas' name for them."""

WRITTEN: Final[Mapping[str, tuple[str, str | None]]] = {
    "floating": ("FP64", None),
    "mixed-integer-float": ("FP64", None),
    "empty": ("FP64", None),
    "string": (BYTES, TEXT),
    "bytes": (BYTES, BASE64),
    "datetime64": (BYTES, DATETIME),
    "datetime": (BYTES, DATETIME),
    "date": (BYTES, DATETIME),
}
"""The datatype and the content type of other elements, by pandas' name for them."""
