"""A fast way: a table or tensor that holds only numbers to one array.

In: a body, and the signature of a model that takes only numbers. Out: the payload; None if the body
holds anything else. That it holds nothing else follows from two facts: its
numbers fill an array with the shape of its first row, and its brackets and commas are those of such
an array.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modelserver.reading.fast.parsed_body import parse_body
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import Code
from modelserver.types.tables import Table

Numbers: TypeAlias = NDArray[np.float64] | NDArray[np.int64]

SIMDJSON_CODES: Final[Mapping[Code, str]] = {"d": "d", "q": "i"}
"""simdjson's codes of the types of numbers, by NumPy's."""

MOST_LEVELS: Final = 32
"""The most levels of nested arrays; NumPy before version 2 accepts no more."""


def takes_numbers(body: bytes, signature: Signature) -> bool:
    """Whether the model takes only numbers."""
    return signature.numbers is not None


def read_numbers(body: bytes, signature: Signature) -> Payload | None:
    """The payload; None if there is anything else than numbers."""
    parsed = parse_body(body)
    assert signature.numbers is not None
    if parsed is None:
        return None
    names = parsed.names
    if (names is None) != (signature.kinds_of is None):  # a tensor for columns, or a table for one
        return None
    array = _array(parsed.data, signature.numbers)
    if array is None or (names is not None and array.shape[1:] != (len(names),)):
        return None
    if _brackets_and_commas(parsed.body) != parsed.skeleton(array.shape):
        return None
    if names is None:
        return signature.read_inputs(array, None)
    return signature.read_table(Table(names, len(array), rows=array))


def _brackets_and_commas(body: bytes) -> bytes:
    letters = np.frombuffer(body, np.uint8)
    kept = (letters == ord("[")) | (letters == ord("]")) | (letters == ord(","))
    return letters.compress(kept).tobytes()


def _array(value: Any, code: Code) -> Numbers | None:
    """All numbers in nested arrays as an array with the shape of each level's first array; None if
    their count does not fit that shape."""
    shape = _shape(value)
    if 0 in shape:
        return None
    try:
        flat = np.frombuffer(value.as_buffer(of_type=SIMDJSON_CODES[code]), code)
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
