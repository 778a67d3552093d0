"""One input of a request: checked against its own shape, datatype and content type.

In: a JSON value. Out: an `Input`, whose elements stand in a row. Raises `BadRequest` or
`InvalidInput`, which names the input and the index of an element that does not fit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import prod
from types import NoneType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modelserver.errors import LIMIT, BadRequest, InvalidInput
from modelserver.protocols.open_inference.tensors import (
    ANY,
    ARRAYS,
    BASE64,
    BYTES,
    DATETIME,
    DTYPES,
    FRAME,
    TEXT,
)
from modelserver.reading.json_text import decode_json
from modelserver.types.cell_parsers import WholeFloat, rounded
from modelserver.types.kind import BadCells, Cells, Kind, objects, what_is
from modelserver.types.names import quoted
from modelserver.types.tensors import bad_elements, dtype_kind
from modelserver.types.type_table import KINDS

NO_BINARY: Final = (
    "tensors as binary data are not supported; send them as JSON (in clients of KServe and Triton: "
    "set_data_from_numpy(…, binary_data=False))"
)

MOST_DIMENSIONS: Final = 32
"""NumPy has no more, before version 2."""


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor of a request."""

    name: str
    shape: tuple[int, ...]
    datatype: str
    content_type: str | None
    elements: Sequence[Any]
    """The elements in row-major order, as they were sent; those of `ANY` are decoded."""

    @property
    def is_column(self) -> bool:
        """Whether it has one element per row."""
        return self.shape[1:] in ((), (1,))

    def as_column(self) -> "Input":
        """The input with the shape [n]. Raises `BadRequest` if it is no column."""
        if not self.is_column:
            raise BadRequest(
                f"input {quoted(self.name)} has shape {list(self.shape)}, and a column has [n] or "
                "[n, 1]; send one input for each column"
            )
        return replace(self, shape=self.shape[:1])

    def holds_arrays(self, kind: Kind) -> bool:
        """Whether each row is an array, if the model takes values of this kind."""
        return kind.json_type == "array" and self.content_type != ANY

    def implied(self, kind: Kind) -> "Input":
        """The input as the column of this kind implies: BYTES without a content type are JSON where
        the column takes arrays or objects, unless each row is an array of texts."""
        nested = kind.json_type == "object" or (kind.json_type == "array" and len(self.shape) == 1)
        if nested and self.datatype == BYTES and self.content_type is None:
            return _from_json(replace(self, content_type=ANY))
        return self

    def cells(self, kind: Kind | None) -> Cells:
        """The cells of the column of this kind, None if it is not known. Raises `BadRequest` if it
        is no column."""
        sent = self if kind is None else self.implied(kind)
        if kind is not None and sent.holds_arrays(kind):
            return sent.array().tolist()
        return sent.as_column().decoded(BASE64)

    def array(self) -> NDArray[Any]:
        """The elements in their shape. Numbers are as in JSON, but those of a datatype of floats
        are floats."""
        elements = self.decoded(BASE64)
        if self.datatype == BYTES or None in elements:
            array = objects(elements)
        elif DTYPES[self.datatype].kind == "f":
            array = self._converted(OF_DATATYPES["FP64"])
        else:
            array = np.asarray(elements)
        return array.reshape(self.shape)

    def typed(self) -> Any:
        """The elements as an array of their shape and datatype, texts as a list, for a model that
        declares nothing."""
        if self.datatype != BYTES:
            array = self._converted(OF_DATATYPES[self.datatype], required=True)
            return array.astype(DTYPES[self.datatype]).reshape(self.shape)
        if self.content_type in DECODERS:
            return np.asarray(self.decoded(BASE64, DATETIME)).reshape(self.shape)
        array = objects(self.elements).reshape(self.shape)
        return array if self.content_type == ANY else array.tolist()

    def decoded(self, *content_types: str) -> Cells:
        """The elements, decoded if they have one of these content types."""
        if self.content_type not in content_types:
            return self.elements
        return self._converted(DECODERS[self.content_type])

    def _converted(self, kind: Kind, required: bool = False) -> Any:
        try:
            return kind.convert(self.elements, required)
        except BadCells as error:
            raise self.refusal(kind.expects, error.cells) from None

    def refusal(self, expects: str, cells: Sequence[tuple[int, str]]) -> InvalidInput:
        """The error for elements that are not what is expected: the place of each, and what was
        found there."""
        label = f"input {quoted(self.name)}"
        return bad_elements(label, self.name, expects, cells, self.shape)


def read_input(value: Any, place: int) -> Input:
    """The input that stands at a place of `inputs`."""
    if not isinstance(value, dict):
        raise BadRequest(f"input {place} is {what_is(value)}, not an object")
    parameters = value.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise BadRequest(f"'parameters' of input {place} must be an object")
    if "binary_data_size" in parameters:
        raise BadRequest(NO_BINARY)
    for key, expected in KEYS.items():
        if not isinstance(value.get(key), expected):
            words = "an array" if expected is list else "text"
            found = what_is(value[key]) if key in value else "nothing"
            raise BadRequest(f"{key!r} of input {place} must be {words}, found {found}")
    name, shape, datatype = value["name"], tuple(value["shape"]), value["datatype"]
    content_type = parameters.get("content_type")
    _check_shape(name, shape)
    _check_types(name, datatype, content_type)
    elements = _row_major(name, value["data"], shape)
    return _checked(Input(name, shape, datatype, content_type, elements))


def _check_shape(name: str, shape: tuple[Any, ...]) -> None:
    if not shape or not all(type(size) is int and size > 0 for size in shape):
        raise BadRequest(f"the shape of input {quoted(name)} must be an array of integers above 0")
    if len(shape) > MOST_DIMENSIONS:
        raise BadRequest(f"input {quoted(name)} has more than {MOST_DIMENSIONS} dimensions")


def _check_types(name: str, datatype: str, content_type: Any) -> None:
    if datatype not in DTYPES:
        raise BadRequest(
            f"input {quoted(name)} has an unknown datatype; there are: {', '.join(DTYPES)}"
        )
    if content_type is None:
        return
    if not isinstance(content_type, str) or content_type not in CONTENT_TYPES:
        there = ", ".join(CONTENT_TYPES)
        raise BadRequest(f"input {quoted(name)} has an unknown content_type; there are: {there}")
    if datatype != BYTES and CONTENT_TYPES[content_type]:
        raise BadRequest(f"input {quoted(name)}: the content_type {content_type} is for BYTES")


def _row_major(name: str, data: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """The elements of `data`, which may be flat or nested. Raises `BadRequest` unless they have
    the shape."""
    sizes = shape if any(type(item) is list for item in data) else (prod(shape),)
    level = [data]
    for size in sizes:
        if any(type(item) is not list or len(item) != size for item in level):
            raise BadRequest(f"the data of input {quoted(name)} has not the shape {list(shape)}")
        level = list(chain.from_iterable(level))
    return level


def _misfits(datatype: str, elements: Sequence[Any]) -> Iterable[tuple[int, str]]:
    """The elements that are not of the datatype: the place of each, and what was found there. None
    is a missing value of every datatype."""
    dtype = DTYPES[datatype]
    types = TYPES[dtype.kind]
    found = set(map(type, elements))
    if not found <= types:
        return ((i, what_is(e)) for i, e in enumerate(elements) if type(e) not in types)
    if dtype.kind == "f":
        return ((place, f"a number beyond {datatype}") for place in _too_large(dtype, elements))
    if dtype.kind not in "iu":
        return ()
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if found == {int} and low <= min(elements) and max(elements) <= high:
        return ()
    fractions = [(i, FRACTION) for i, e in enumerate(elements) if e is not None and e % 1 != 0]
    beyond = f"an integer beyond {datatype}"
    return fractions or (
        (i, beyond) for i, e in enumerate(elements) if e is not None and not low <= e <= high
    )


def _too_large(dtype: "np.dtype[Any]", elements: Sequence[Any]) -> list[int]:
    """The places of numbers that are not infinite, but are when they are rounded to the dtype."""
    array = np.array(elements, np.float64)
    return np.flatnonzero(np.isinf(rounded(array, dtype)) & ~np.isinf(array)).tolist()


def _values(texts: Sequence[str | None]) -> tuple[list[Any], list[tuple[int, str]]]:
    """The values that texts hold as JSON, and the places of those that are no JSON."""
    values: list[Any] = []
    bad = []
    for place, text in enumerate(texts):
        try:
            values.append(None if text is None else decode_json(text.encode(), True))
        except BadRequest:
            bad.append((place, "text that is no JSON"))
    return values, bad


def _checked(sent: Input) -> Input:
    """The input, if its elements are of its datatype; those of `ANY` are decoded. Raises
    `InvalidInput`."""
    expects = EXPECTS[DTYPES[sent.datatype].kind].format(sent.datatype)
    if bad := list(islice(_misfits(sent.datatype, sent.elements), LIMIT)):
        raise sent.refusal(expects, bad)
    return _from_json(sent) if sent.content_type == ANY else sent


def _from_json(sent: Input) -> Input:
    """The input with the values of its elements, which are JSON. Raises `InvalidInput`."""
    values, bad = _values(sent.elements)
    if bad:
        raise sent.refusal("JSON (pd_json)", bad[:LIMIT])
    return replace(sent, elements=values)


CONTENT_TYPES: Final[Mapping[str, bool]] = {
    ARRAYS: False, FRAME: False, TEXT: True, BASE64: True, DATETIME: True, ANY: True,
}  # fmt: skip
"""The content types of an input, and whether only BYTES may have it."""

DECODERS: Final[Mapping[str | None, Kind]] = {
    BASE64: KINDS["binary"],
    DATETIME: KINDS["datetime"],
}

OF_DATATYPES: Final = {
    name: kind for name, dtype in DTYPES.items() if (kind := dtype_kind(dtype)) is not None
}
"""How the elements of a datatype become an array; those of BYTES do not."""

NUMBERS: Final = frozenset({int, float, WholeFloat, NoneType})

TYPES: Final = {
    "b": frozenset({bool, NoneType}),
    "O": frozenset({str, NoneType}),
    **dict.fromkeys("iuf", NUMBERS),
}
"""Python's types of JSON values that an element may have, by the kind of its dtype."""

EXPECTS: Final = {
    "b": "true or false",
    "O": "text",
    "f": "a number ({})",
    **dict.fromkeys("iu", "a whole number ({})"),
}
"""How messages call an element, by the kind of its dtype."""

FRACTION: Final = "a number with a fraction"

KEYS: Final[Mapping[str, type]] = {"name": str, "shape": list, "datatype": str, "data": list}
"""The keys that an input must have, and the types of their values."""
