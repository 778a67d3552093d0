"""Nested column types: MLflow's Array, Object, Map and AnyType, cell by cell.

In: a type as the signature's JSON spells it (`{"type": "array", "items": {…}}`,
`mlflow.types.schema`). Out: a `Kind` whose column is an object array of lists and dicts. A cell
that does not fit raises `Unfit` with the path inside it, such as "text at items[2].price".

The values are what MLflow hands over: NumPy scalars in objects and maps, Python values in arrays.
MLflow refuses an integer for a nested double, 1.0 for a nested long and anything for a nested
32-bit type; JSON has one kind of number, so here lossless numbers are taken.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import pandas as pd

from modelserver.errors import clipped, listed, suggested
from modelserver.types.cell_parsers import INTEGER_TYPES, WholeFloat, nones
from modelserver.types.kind import Array, Cells, Kind, Unfit, describe, objects
from modelserver.types.tables import ROW_NAMES
from modelserver.types.type_table import KINDS

Type: TypeAlias = Mapping[str, Any]
Reader: TypeAlias = Callable[[Any], Any]
"""A JSON value in, the model's value out; raises `Misplaced`."""


class Misplaced(Unfit):
    """A value that does not fit, and where it stands inside the cell."""

    def __init__(self, found: str, expects: str, path: str = "") -> None:
        self.found, self.expects, self.path = found, expects, path
        self.place = f"{found} at {path}" if path else found
        super().__init__(f"{self.place} where {expects} belongs" if path else found)

    def under(self, step: str) -> "Misplaced":
        """The same fault, seen from one level further out."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return Misplaced(self.found, self.expects, f"{clipped(step)}{joint}{self.path}"[:200])


def nested_kind(spec: Type, required: bool) -> Kind:
    """The `Kind` of a column of arrays, objects or maps; its schema is made in `schemas.py`."""
    read = _reader(spec, required)

    def parse(cells: Cells) -> Array:
        return objects([read(cell) for cell in cells])

    expects = EXPECTS[spec["type"]]
    return Kind(spec["type"], expects, object, {}, None, parse, nones, gaps_when_required=False)


def is_nested(spec: Type) -> bool:
    """Whether this is a type of this module."""
    return spec["type"] in EXPECTS


def _reader(spec: Type, required: bool) -> Reader:
    make = READERS.get(spec["type"], _scalar_reader)
    return make(spec, required)


def _scalar_reader(spec: Type, required: bool) -> Reader:
    kind = KINDS[spec["type"]]
    allowed = JSON_TYPES[kind.name]

    def read(value: Any) -> Any:
        if is_missing(value, kind):
            value = None
        if value is None and not required:
            return None
        if type(value) not in allowed:
            raise Misplaced(describe(value), kind.expects)
        try:
            cell = kind.parse([value])[0]
        except (ValueError, TypeError, OverflowError) as error:
            found = str(error) if type(error) is Unfit else describe(value)
            raise Misplaced(found, kind.expects) from error
        return pd.Timestamp(cell) if kind.name == "datetime" else cell

    return read


def is_missing(value: Any, kind: Kind) -> bool:
    """Whether a JSON value means a missing one: null, such a text, and NaN unless it is a float."""
    if isinstance(value, float):
        return value != value and kind.name not in FLOATS
    return value is None or (isinstance(value, str) and value in kind.blanks)


def _any_reader(spec: Type, required: bool) -> Reader:
    return lambda value: value


def _array_reader(spec: Type, required: bool) -> Reader:
    items = ARRAY_ITEMS if spec["type"] == "sparkml_vector" else spec["items"]
    read_item = _array_item_reader(items, required)
    may_be_empty_or_null = not required or items["type"] == "any"

    def read(value: Any) -> Any:
        if value is None and may_be_empty_or_null:
            return None
        if not isinstance(value, (list, np.ndarray)):
            raise Misplaced(describe(value), EXPECTS["array"])
        result = []
        for index, item in enumerate(value):
            try:
                result.append(read_item(item))
            except Misplaced as fault:
                raise fault.under(f"[{index}]") from None
        return result

    return read


def _array_item_reader(items: Type, required: bool) -> Reader:
    """Scalars in arrays are plain Python values; a gap among floats is NaN, among texts None."""
    read = _reader(items, required)
    if items["type"] in READERS:
        return read
    if items["type"] not in GAPS:
        return lambda value: _plain(read(value))
    kind, gap = KINDS[items["type"]], GAPS[items["type"]]
    return lambda value: gap if is_missing(value, kind) else _plain(read(value))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _object_reader(spec: Type, required: bool) -> Reader:
    properties = spec["properties"]
    readers = {name: _reader(prop, prop.get("required", True)) for name, prop in properties.items()}
    needed = [name for name, prop in properties.items() if prop.get("required", True)]

    def read(value: Any) -> Any:
        if not value and value in (None, {}) and not required:
            return value
        if not isinstance(value, dict):
            raise Misplaced(describe(value), EXPECTS["object"])
        if ROW_NAMES in value and ROW_NAMES not in readers:
            value = {name: item for name, item in value.items() if name != ROW_NAMES}
        unknown = [name for name in value if name not in readers]
        if unknown:
            found = f"the unknown property {suggested(unknown[:1], list(readers))}"
            raise Misplaced(found, f"one of {listed(sorted(readers))}")
        for name in needed:
            if name not in value:
                raise Misplaced(f"an object without the property {name!r}", EXPECTS["object"])
        return {name: _property(readers[name], name, item) for name, item in value.items()}

    return read


def _property(read: Reader, step: str, item: Any) -> Any:
    try:
        return read(item)
    except Misplaced as fault:
        raise fault.under(step) from None


def _map_reader(spec: Type, required: bool) -> Reader:
    read_value = _reader(spec["values"], required)
    may_be_null = not required or spec["values"]["type"] == "any"

    def read(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        if not isinstance(value, dict):
            raise Misplaced(describe(value), EXPECTS["map"])
        # By number, since the keys of a map may be data.
        steps = (f"[value {number}]" for number in range(len(value)))
        items = zip(value.items(), steps, strict=True)
        return {key: _property(read_value, step, item) for (key, item), step in items}

    return read


FLOATS = frozenset({"double", "float"})

GAPS: Mapping[str, Any] = {"double": np.nan, "float": np.nan, "string": None}
"""What MLflow makes of a missing item of an array, by the type of the items."""

ARRAY_ITEMS: Type = {"type": "double"}

EXPECTS: Mapping[str, str] = {
    "array": "an array",
    "sparkml_vector": "an array of numbers",
    "object": "an object",
    "map": "an object",
}

ONE_ROW = frozenset({"array", "object", "sparkml_vector"})
"""Types of which one column makes an object of `inputs` one row, by MLflow's rule."""

# NumPy's types stand in the cells of Parquet files.
INTEGERS = tuple(INTEGER_TYPES)

NUMBERS = (*INTEGERS, float, WholeFloat, np.float16, np.float32, np.float64, Decimal)

# Text that spells a number is taken for a column, which may come from CSV, but not inside a cell.
JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool, np.bool_, *NUMBERS),
    "integer": NUMBERS,
    "long": NUMBERS,
    "float": NUMBERS,
    "double": NUMBERS,
    "string": (str, UUID),
    "datetime": (str, date, datetime, np.datetime64, pd.Timestamp, *NUMBERS),
    "binary": (str, bytes, UUID),
}

READERS: Mapping[str, Callable[[Type, bool], Reader]] = {
    "array": _array_reader,
    "sparkml_vector": _array_reader,
    "object": _object_reader,
    "map": _map_reader,
    "any": _any_reader,
}
