"""A fast way: values from the cells of a nested column, read together at every depth.

In: values of one declared type, from any number of cells. Out: for each what its reader in
`kinds`, the plain way, makes of it. If one does not fit, what `Kind.parse` may raise is raised;
the plain way then reads the value, and names the fault.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
import pandas as pd

from modelserver.types.cell_parsers import NUMBER_TYPES
from modelserver.types.kind import Array, Kind, Unfit
from modelserver.types.tables import ROW_NAMES

Many: TypeAlias = Callable[[Sequence[Any]], list[Any]]
"""Reads values together."""

# A column accepts text that spells a number, since it may come from CSV; inside a cell there is no
# such reason. NumPy's types occur in the cells of Parquet files. MLflow refuses an integer for a
# nested double, 1.0 for a nested long and anything for a nested 32-bit type; but JSON has only one
# kind of number, so every number is accepted that can be converted without loss.
TYPES: Final[Mapping[str | None, frozenset[type]]] = {
    "boolean": NUMBER_TYPES | {bool, np.bool_},
    "integer": NUMBER_TYPES,
    "number": NUMBER_TYPES,
    "string": frozenset({str, UUID}),
}
"""The Python types that are accepted for a value inside a cell, by its JSON type."""

LISTS: Final = frozenset({list, np.ndarray})


def types_of(kind: Kind) -> frozenset[type]:
    """The Python types that are accepted for a scalar of this kind inside a cell."""
    return TYPES[kind.json_type].union(kind.further_types)


def is_missing(value: Any, kind: Kind) -> bool:
    """Whether a JSON value means a missing one: null, one of the kind's `blanks`, or NaN. For a
    type of floats NaN is a value."""
    if isinstance(value, float):
        return value != value and kind.json_type != "number"
    return value is None or (isinstance(value, str) and value in kind.blanks)


def many_items(kind: Kind, required: bool) -> Many:
    """Reads items of arrays: scalars become Python values."""
    if kind.read:
        return kind.read_together or list
    gap = np.nan if kind.gaps_in_arrays and kind.is_numeric else None
    return _scalars(kind, required and not kind.gaps_in_arrays, gap, lambda array: array.tolist())


def many_values(kind: Kind, required: bool) -> Many:
    """Reads values of properties or maps: scalars become those of NumPy."""
    return kind.read_together or list if kind.read else _scalars(kind, required, None, list)


def _scalars(kind: Kind, required: bool, gap: Any, to_list: Callable[[Array], list[Any]]) -> Many:
    """Reads scalars. `gap`: what a missing one becomes, unless it is required."""
    allowed = types_of(kind)
    never_missing = {int, bool} | ({float} if kind.json_type == "number" else set())
    never_missing |= set() if kind.blanks else {str}

    def read_present(values: Sequence[Any]) -> list[Any]:
        types = set(map(type, values))
        if not types <= allowed:
            raise Unfit("another type")
        array: Any = kind.parse(values) if len(types) == 1 else kind.convert(values)
        return list(pd.DatetimeIndex(array)) if array.dtype.kind == "M" else to_list(array)

    def read(values: Sequence[Any]) -> list[Any]:
        are_there = set(map(type, values)) <= never_missing
        missing = [] if are_there else [is_missing(value, kind) for value in values]
        if not any(missing):
            return read_present(values)
        if required:
            raise Unfit("null")
        pairs = zip(values, missing, strict=True)
        found = iter(read_present([value for value, gone in pairs if not gone]))
        return [gap if gone else next(found) for gone in missing]

    return read


def many_arrays(read_items: Many, may_be_null: bool) -> Many:
    """Reads arrays whose items `read_items` reads."""

    def read(values: Sequence[Any]) -> list[Any]:
        arrays = _present(values, may_be_null, LISTS)
        items = iter(read_items(list(chain.from_iterable(arrays))))
        return [None if v is None else list(islice(items, len(v))) for v in values]

    return read


def many_maps(read_values: Many, may_be_null: bool) -> Many:
    """Reads maps whose values `read_values` reads."""

    def read(values: Sequence[Any]) -> list[Any]:
        maps = _present(values, may_be_null, {dict})
        items = iter(read_values(list(chain.from_iterable(m.values() for m in maps))))
        return [v if v is None else dict(zip(v, items)) for v in values]  # noqa: B905 (as many)

    return read


def many_objects(readers: Mapping[str, Many], needed: Sequence[str], required: bool) -> Many:
    """Reads objects. `readers` read the properties; `needed` are those that must be sent."""

    def read(values: Sequence[Any]) -> list[Any]:
        objects = [found for found in _present(values, not required, {dict}) if found or required]
        if ROW_NAMES not in readers:
            objects = [_without_row_names(found) for found in objects]
        if not readers.keys() >= set(chain.from_iterable(objects)):
            raise Unfit("an unknown property")
        cells = {}
        for name, read_many in readers.items():
            sent = [found[name] for found in objects if name in found]
            if name in needed and len(sent) < len(objects):
                raise Unfit("an absent property")
            cells[name] = iter(read_many(sent))
        found = ({name: next(cells[name]) for name in each} for each in objects)
        return [next(found) if value or required else value for value in values]

    return read


def _without_row_names(sent: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in sent.items() if name != ROW_NAMES} if ROW_NAMES in sent else sent


def _present(values: Sequence[Any], may_be_null: bool, types: Iterable[type]) -> list[Any]:
    """The values that are not null. Raises `Unfit` for those of other types."""
    found = [value for value in values if value is not None] if may_be_null else list(values)
    if not set(map(type, found)) <= set(types):
        raise Unfit("another type")
    return found
