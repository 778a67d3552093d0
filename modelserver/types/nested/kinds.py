"""Nested column types: MLflow's Array, Object and Map, made of the types of their parts.

In: a type as the signature's JSON spells it (`{"type": "array", "items": {…}}`,
`mlflow.types.schema`). Out: its `Kind`. A column of a nested type is an object array of lists and
dicts with the values that MLflow would give: NumPy scalars in objects and maps, Python values in
arrays. A cell that does not fit raises `Misplaced`, with the path inside the cell, such as "text at
items[2].price". Stands on `type_table`; other modules of `types` and other rooms import it.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from modelserver.types.cell_parsers import nones
from modelserver.types.kind import Array, Cells, Kind, Unfit, objects, what_is
from modelserver.types.names import clipped, listed, suggested
from modelserver.types.nested.fast_values import (
    Many,
    is_missing,
    many_arrays,
    many_items,
    many_maps,
    many_objects,
    many_values,
    types_of,
)
from modelserver.types.tables import ROW_NAMES
from modelserver.types.type_table import KINDS

TypeSpec: TypeAlias = Mapping[str, Any]
"""A type, as the signature's JSON spells it."""

Reader: TypeAlias = Callable[[Any], Any]
"""Converts a JSON value to the model's value; raises `Misplaced`."""

DEFAULT: Final = "has_default"
"""A key in a property's spec, true if a request may leave the property out but not send null."""

AN_ARRAY: Final = "an array"
AN_OBJECT: Final = "an object"


class Misplaced(Unfit):
    """A value inside a cell does not fit. `path` leads to it; `expects` is what belongs there."""

    def __init__(self, found: str, expects: str, path: str = "") -> None:
        self.found, self.expects, self.path = found, expects, path
        self.place = f"{found} at {path}" if path else found
        super().__init__(f"{self.place} where {expects} belongs" if path else found)

    def under(self, step: str) -> "Misplaced":
        """The same fault, its path extended by the key or index of the value around it."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return Misplaced(self.found, self.expects, f"{clipped(step)}{joint}{self.path}"[:200])


def kind_of(spec: TypeSpec, required: bool = True) -> Kind:
    """The `Kind` of a type: a row of the type table, or a new one for a nested type. `required`:
    whether the column or property of this type must be sent."""
    make = NESTED.get(spec["type"])
    return make(spec, required) if make else KINDS[spec["type"]]


def nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema that also allows null."""
    if "type" not in schema or isinstance(schema["type"], list):
        return dict(schema)
    return {**schema, "type": [schema["type"], "null"]}


def object_schema(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of an object with these properties and no others. `required`: the names of
    the properties that it must have."""
    schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def _nested(name: str, expects: str, read: Reader, many: Many, **others: Any) -> Kind:
    """The `Kind` of a nested type. `read` and `many` read one of its values, and many."""

    def parse(cells: Cells) -> Array:
        return objects([read(cells[0])] if len(cells) == 1 else many(cells))

    return Kind(
        name=name,
        expects=expects,
        dtype=object,
        parse=parse,
        make_gaps=nones,
        gaps_when_required=False,
        read=read,
        read_together=many,
        **others,
    )


def _all(values: Sequence[Any], many: Many, read: Reader, step: str) -> list[Any]:
    """The values inside a cell, read together. The first that does not fit is found by halving, and
    raises `Misplaced`; `step` is its place in the path, with its number."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return many(values)
    start, length = 0, len(values)
    while length > 1:
        half = length // 2
        try:
            many(values[start : start + half])
            start, length = start + half, length - half
        except (ValueError, TypeError, OverflowError):
            length = half
    _property(read, step.format(start), values[start])
    numbered = enumerate(values)  # they fit, but not together
    return [_property(read, step.format(number), value) for number, value in numbered]


def _reader(kind: Kind, required: bool) -> Reader:
    return kind.read or _scalar_reader(kind, required)


def _scalar_reader(kind: Kind, required: bool) -> Reader:
    allowed = types_of(kind)

    def read(value: Any) -> Any:
        if is_missing(value, kind):
            value = None
        if value is None and not required:
            return None
        if type(value) not in allowed:
            raise Misplaced(what_is(value), kind.expects)
        try:
            cell = kind.parse([value])[0]
        except (ValueError, TypeError, OverflowError) as error:
            found = str(error) if type(error) is Unfit else what_is(value)
            raise Misplaced(found, kind.expects) from error
        return pd.Timestamp(cell) if isinstance(cell, np.datetime64) else cell

    return read


def _array(spec: TypeSpec, required: bool) -> Kind:
    items = kind_of(spec["items"], required)
    read_item = _array_item_reader(items, required)
    many = many_items(items, required)
    may_be_empty_or_null = not required or not items.schema

    def read(value: Any) -> Any:
        if value is None and may_be_empty_or_null:
            return None
        if not isinstance(value, (list, np.ndarray)):
            raise Misplaced(what_is(value), AN_ARRAY)
        return _all(list(value), many, read_item, "[{}]")

    return _nested(
        f"Array({items.name})",
        AN_ARRAY,
        read,
        many_arrays(many, may_be_empty_or_null),
        schema={"type": "array", "items": dict(items.schema)},
        sample=[items.sample],
        parts=[items],
        one_row=True,
    )


def _vector(spec: TypeSpec, required: bool) -> Kind:
    """The type of Spark's vectors, which are arrays of doubles in JSON."""
    array = _array({"items": {"type": "double"}}, required)
    return replace(array, name=spec["type"], expects="an array of numbers")


def _array_item_reader(items: Kind, required: bool) -> Reader:
    """The reader of an array's items. Scalars become plain Python values; a missing float becomes
    NaN, a missing text None."""
    read = _reader(items, required)
    if items.read:
        return read
    if not items.gaps_in_arrays:
        return lambda value: _plain(read(value))
    gap = np.nan if items.is_numeric else None
    return lambda value: gap if is_missing(value, items) else _plain(read(value))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _object(spec: TypeSpec, required: bool) -> Kind:
    properties: Mapping[str, TypeSpec] = spec["properties"]
    needed = [name for name, prop in properties.items() if prop.get("required", True)]
    parts = {name: kind_of(prop, name in needed) for name, prop in properties.items()}
    readers = {name: _reader(part, name in needed) for name, part in parts.items()}
    sent = [name for name in needed if not properties[name].get(DEFAULT)]
    shown = [f"{n}: {part.name}{'' if n in sent else ' (optional)'}" for n, part in parts.items()]
    schemas = {n: dict(p.schema) if n in needed else nullable(p.schema) for n, p in parts.items()}
    return _nested(
        "{" + ", ".join(shown) + "}",
        AN_OBJECT,
        _object_reader(readers, needed, required),
        many_objects({n: many_values(p, n in needed) for n, p in parts.items()}, needed, required),
        schema=object_schema(schemas, sent),
        sample={name: part.sample for name, part in parts.items()},
        parts=list(parts.values()),
        one_row=True,
    )


def _object_reader(readers: Mapping[str, Reader], needed: Sequence[str], required: bool) -> Reader:
    """The reader of objects. `readers` read the properties; `needed` are those that must be
    sent."""

    def read(value: Any) -> Any:
        if not value and value in (None, {}) and not required:
            return value
        if not isinstance(value, dict):
            raise Misplaced(what_is(value), AN_OBJECT)
        if ROW_NAMES in value and ROW_NAMES not in readers:
            value = {name: item for name, item in value.items() if name != ROW_NAMES}
        unknown = [name for name in value if name not in readers]
        if unknown:
            found = f"the unknown property {suggested(unknown[:1], list(readers))}"
            raise Misplaced(found, f"one of {listed(sorted(readers))}")
        for name in needed:
            if name not in value:
                raise Misplaced(f"an object without the property {name!r}", AN_OBJECT)
        return {name: _property(readers[name], name, item) for name, item in value.items()}

    return read


def _property(read: Reader, step: str, item: Any) -> Any:
    try:
        return read(item)
    except Misplaced as fault:
        raise fault.under(step) from None


def _map(spec: TypeSpec, required: bool) -> Kind:
    values = kind_of(spec["values"], required)
    read_value, many = _reader(values, required), many_values(values, required)
    may_be_null = not required or not values.schema

    def read(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        if not isinstance(value, dict):
            raise Misplaced(what_is(value), AN_OBJECT)
        # Paths name values by number, since a map's keys may be the caller's data.
        items = _all([*value.values()], many, read_value, "[value {}]")
        return dict(zip(value, items, strict=True))

    return _nested(
        f"Map({values.name})",
        AN_OBJECT,
        read,
        many_maps(many, may_be_null),
        schema={"type": "object", "additionalProperties": dict(values.schema)},
        sample={"key": values.sample},
        parts=[values],
    )


NESTED: Final[Mapping[str, Callable[[TypeSpec, bool], Kind]]] = {
    "array": _array,
    "sparkml_vector": _vector,
    "object": _object,
    "map": _map,
}
"""The functions that make the `Kind` of a nested type, by the type's name."""
