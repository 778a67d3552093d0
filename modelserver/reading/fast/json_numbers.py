"""A fast way: a table or tensor of nothing but numbers to one array.

In: a document, and the signature of a model that takes numbers only. Out: the table or the array,
or None for all that is not full of numbers. That nothing else is in the body follows from two
counts: there are as many numbers as the shape of the first row has places, and the brackets and
commas of the body are those of an array of that shape.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelserver.reading.fast.document import Document
from modelserver.reading.signatures.signature import Code, Signature
from modelserver.types.tables import Table

Numbers: TypeAlias = NDArray[np.float64] | NDArray[np.int64]

DTYPES: Final[Mapping[Code, Any]] = {"d": np.float64, "i": np.int64}

MOST_LEVELS: Final = 32
"""Of arrays in arrays; NumPy takes no more before its version 2."""


def takes_numbers(body: bytes, signature: Signature) -> bool:
    """Whether the model takes nothing but numbers."""
    return signature.numbers is not None


def read_numbers(document: Document, signature: Signature) -> Table | Numbers | None:
    """The table, or for a model that takes a tensor the array, of numbers."""
    names = document.names
    assert signature.numbers is not None
    if (names is None) != (signature.kinds_of is None):  # a tensor for columns, or the reverse
        return None
    array = _array(document.data, signature.numbers)
    if array is None or (names is not None and array.shape[1:] != (len(names),)):
        return None
    if _brackets_and_commas(document.body) != document.skeleton(array.shape):
        return None
    return array if names is None else Table(names, len(array), rows=array)


def _brackets_and_commas(body: bytes) -> bytes:
    letters = np.frombuffer(body, np.uint8)
    kept = (letters == ord("[")) | (letters == ord("]")) | (letters == ord(","))
    return letters.compress(kept).tobytes()


def _array(value: Any, code: Code) -> Numbers | None:
    """All numbers in nested arrays, with the shape that the first of each level have."""
    shape = _shape(value)
    if 0 in shape:
        return None
    try:
        flat = np.frombuffer(value.as_buffer(of_type=code), DTYPES[code])
    except (TypeError, ValueError):  # null, a boolean, a text, an object; a fraction
        return None
    return flat.reshape(shape) if flat.size == np.prod(shape) else None


def _shape(value: Any) -> tuple[int, ...]:
    import simdjson

    shape: list[int] = []
    while isinstance(value, simdjson.Array) and len(shape) < MOST_LEVELS:
        shape.append(len(value))
        value = value[0] if len(value) else None
    return tuple(shape)
