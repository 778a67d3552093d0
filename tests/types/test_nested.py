"""Arrays, objects and maps inside cells: the values that a model gets, and the paths of faults."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from modelserver.types.dates import NUMBER_FOR_DATE
from modelserver.types.kind import BadCells, Kind, Unfit
from modelserver.types.nested.kinds import Misplaced, kind_of
from modelserver.types.type_table import KINDS

NAN = float("nan")


def array_of(items: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": items} if isinstance(items, str) else items}


def map_of(values: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "map", "values": {"type": values} if isinstance(values, str) else values}


def object_of(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def must(kind: str) -> dict[str, Any]:
    return {"type": kind, "required": True}


def may(kind: str) -> dict[str, Any]:
    return {"type": kind, "required": False}


PERSON = object_of(name=must("string"), age=may("long"))
VECTOR = {"type": "sparkml_vector"}

# An id, a type, whether it is required, a cell, the value that the model gets.
ACCEPTED: list[tuple[str, dict[str, Any], bool, Any, Any]] = [
    ("numbers", array_of("double"), True, [1, 0.5], [1.0, 0.5]),
    ("numbers with gap", array_of("double"), True, [1, None], [1.0, NAN]),
    ("32-bit numbers", array_of("float"), True, [0.5, None], [0.5, NAN]),
    ("integers", array_of("long"), True, [1, 2], [1, 2]),
    ("integers with gap", array_of("long"), False, [1, None], [1, None]),
    ("texts with gap", array_of("string"), True, ["a", None], ["a", None]),
    ("booleans", array_of("boolean"), True, [True], [True]),
    ("dates", array_of("datetime"), True, ["2024-01-02"], [pd.Timestamp("2024-01-02")]),
    ("bytes", array_of("binary"), True, ["YWJj", b"a"], [b"abc", b"a"]),
    ("anything", array_of("any"), True, [1, None, {}], [1, None, {}]),
    ("null for anything", array_of("any"), True, None, None),
    ("empty array", array_of("double"), True, [], []),
    ("no dates", array_of("datetime"), True, [], []),
    ("arrays", array_of(array_of("long")), True, [[1], []], [[1], []]),
    ("array null", array_of("double"), False, None, None),
    ("NumPy numbers", array_of("double"), True, np.array([1.5, NAN]), [1.5, NAN]),
    ("NumPy integers for doubles", array_of("double"), True, np.array([1, 2]), [1.0, 2.0]),
    ("NumPy small integers", array_of("long"), True, np.array([1, 2], np.int8), [1, 2]),
    ("NumPy dates", array_of("datetime"), True, np.array(["2024-01-02"], "M8[us]"),
     [pd.Timestamp("2024-01-02")]),
    ("vector", VECTOR, True, [1, 2.5], [1.0, 2.5]),
    ("object", PERSON, True, {"name": "a", "age": 3}, {"name": "a", "age": np.int64(3)}),
    ("object without optional", PERSON, True, {"name": "a"}, {"name": "a"}),
    ("object with null", PERSON, True, {"name": "a", "age": None}, {"name": "a", "age": None}),
    ("object null", PERSON, False, None, None),
    ("empty object", PERSON, False, {}, {}),
    ("date in object", object_of(t=must("datetime")), True, {"t": "2024-01-02"},
     {"t": pd.Timestamp("2024-01-02")}),
    ("number in object", object_of(x=must("double")), True, {"x": 1}, {"x": np.float64(1)}),
    ("map", map_of("long"), True, {"a": 1}, {"a": np.int64(1)}),
    ("empty map", map_of("long"), True, {}, {}),
    ("map null", map_of("long"), False, None, None),
    ("map of anything", map_of("any"), True, {"a": [1]}, {"a": [1]}),
    ("null for map of anything", map_of("any"), True, None, None),
    ("map of arrays", map_of(array_of("string")), True, {"a": ["x"]}, {"a": ["x"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "required", "cell", "expected"),
    [row[1:] for row in ACCEPTED],
    ids=[row[0] for row in ACCEPTED],
)
def test_accepted_cells(spec: dict[str, Any], required: bool, cell: Any, expected: Any) -> None:
    column = kind_of(spec, required).convert([cell, cell], required)
    assert repr(column.tolist()) == repr([expected, expected])  # types too, and NaN is NaN


NUMBER = "a number (64-bit float)"
DATE = "an ISO 8601 date or date-time"

REFUSED: list[tuple[str, dict[str, Any], Any, str]] = [
    ("no array", array_of("double"), 1, "an integer"),
    ("null", array_of("double"), None, "null"),
    ("text in array", array_of("double"), [1, "a"], f"text at [1] where {NUMBER} belongs"),
    ("text number in array", array_of("double"), ["1"], f"text at [0] where {NUMBER} belongs"),
    ("boolean in array", array_of("double"), [True], f"a boolean at [0] where {NUMBER} belongs"),
    ("null in array", array_of("long"), [None],
     "null at [0] where a whole number of 64 bits belongs"),
    ("fraction", array_of("long"), [0.5],
     "a number with a fraction at [0] where a whole number of 64 bits belongs"),
    ("too large", array_of("integer"), [2**31],
     "an integer beyond 32 bits at [0] where a whole number of 32 bits belongs"),
    ("in array of arrays", array_of(array_of("string")), [["a"], ["b", 1]],
     "an integer at [1][1] where text belongs"),
    ("no object", PERSON, [1], "an array"),
    ("NumPy array for object", PERSON, np.array([1, 2]), "an array"),
    ("unknown property", PERSON, {"name": "a", "nam": 1},
     "the unknown property 'nam' (did you mean 'name'?)"),
    ("unknown properties", PERSON, {"name": "a", "nam": 1, "nome": 1},
     "the unknown property 'nam' (did you mean 'name'?)"),
    ("in object", PERSON, {"name": 1}, "an integer at name where text belongs"),
    ("in objects of array", array_of(PERSON), [{"name": "a"}, {"name": None}],
     "null at [1].name where text belongs"),
    ("in array of object", object_of(xs=array_of("double") | {"required": True}), {"xs": [0, "a"]},
     f"text at xs[1] where {NUMBER} belongs"),
    ("in object of object", object_of(p=PERSON | {"required": True}), {"p": {"name": 1}},
     "an integer at p.name where text belongs"),
    ("impossible date", object_of(t=must("datetime")), {"t": "2024-02-30"},
     f"text that is no possible date (ISO 8601, 1677 to 2262) at t where {DATE} belongs"),
    ("number for a date", object_of(t=must("datetime")), {"t": 1704067200000},
     f"{NUMBER_FOR_DATE.format('an integer')} at t where {DATE} belongs"),
    ("far date", object_of(t=must("datetime")), {"t": datetime(9999, 1, 1)},
     f"a date outside of 1677 to 2262 at t where {DATE} belongs"),
    ("no base64", object_of(b=must("binary")), {"b": "?"},
     "text that is no base64 at b where base64 text belongs"),
    ("no map", map_of("long"), [1], "an array"),
    ("in map", map_of("long"), {"a": 1, "b": "x"},
     "text at [value 1] where a whole number of 64 bits belongs"),
    ("in vector", VECTOR, ["x"], f"text at [0] where {NUMBER} belongs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "cell", "found"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused_cells_are_named_by_row_and_path(
    spec: dict[str, Any], cell: Any, found: str
) -> None:
    with pytest.raises(BadCells) as refusal:
        kind_of(spec, required=True).convert([cell], required=True)
    assert refusal.value.cells == [(0, found)]


@pytest.mark.parametrize("cell", [{}, {"age": 1}, [{}]], ids=str)
def test_missing_properties_are_named(cell: Any) -> None:
    spec = array_of(PERSON) if isinstance(cell, list) else PERSON
    with pytest.raises(BadCells) as refusal:
        kind_of(spec, required=True).convert([cell], required=True)
    [(row, found)] = refusal.value.cells
    assert (row, "property 'name'" in found) == (0, True)


@pytest.mark.parametrize(
    ("spec", "name", "sample", "one_row", "takes_anything"),
    [
        (array_of("long"), "Array(long)", [1], True, False),
        (VECTOR, "sparkml_vector", [0.5], True, False),
        (map_of("any"), "Map(any)", {"key": "text"}, False, True),
        (
            PERSON,
            "{name: string, age: long (optional)}",
            {"name": "text", "age": 1},
            True,
            False,
        ),
        (array_of(array_of("any")), "Array(Array(any))", [["text"]], True, True),
    ],
)
def test_what_follows_from_the_parts(
    spec: Any, name: str, sample: Any, one_row: bool, takes_anything: bool
) -> None:
    kind = kind_of(spec)
    assert (kind.name, kind.sample) == (name, sample)
    assert (kind.one_row, kind.takes_anything, kind.is_scalar) == (one_row, takes_anything, False)


def test_long_paths_are_cut() -> None:
    fault = Misplaced("text", "a number")
    for _ in range(100):
        fault = fault.under("[0]")
    assert fault.path == ("[0]" * 100)[:200]


EDGES = st.sampled_from([0, 1, -1, 2**31, 2**53 + 1, 2**63, -(2**63), 2**64, 10**400, 1e300])
ITEMS: list[st.SearchStrategy[Any]] = [
    EDGES | st.integers(-3, 3),
    st.floats(),
    st.text(max_size=4) | st.sampled_from(["NA", "NaN", "1", "YWJj", ""]),
    st.booleans(),
]
SCALARS = st.sampled_from(["boolean", "integer", "long", "float", "double", "string", "binary"])


VALUES = st.one_of(*ITEMS, st.none(), st.sampled_from(["2024-01-02", "2024-01-02T03:04Z", "NaT"]))
TYPES = st.sampled_from(
    ["boolean", "integer", "long", "float", "double", "string", "binary", "datetime", "any"]
).map(may) | st.sampled_from(["long", "double", "datetime"]).map(must)


def specs_of(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["a", "b", "_row"])
    objects = st.dictionaries(keys, parts, max_size=2).map(lambda found: object_of(**found))
    nested = parts.map(array_of) | parts.map(map_of) | objects
    return st.builds(lambda spec, required: {**spec, "required": required}, nested, st.booleans())


SPECS = specs_of(st.recursive(TYPES, specs_of, max_leaves=4))


def values_of(spec: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a type, with some that do not fit at every depth."""
    others = st.sampled_from([None, {}, [], {"_row": 1}, {"c": 1}, 1, "x", np.array([1.5])])
    kind = spec["type"]
    fitting: st.SearchStrategy[Any]
    if kind == "array":
        fitting = st.lists(values_of(spec["items"]), max_size=3)
    elif kind == "map":
        fitting = st.dictionaries(st.sampled_from("xyz"), values_of(spec["values"]), max_size=3)
    elif kind == "object":
        parts = {name: values_of(part) for name, part in spec["properties"].items()}
        fitting = st.fixed_dictionaries(parts) | st.fixed_dictionaries({}, optional=parts)
    else:
        sample = KINDS[kind].sample
        return st.just(sample) | st.just(sample) | VALUES
    return fitting | fitting | fitting | others


def one_by_one(*_: Any) -> Any:
    """Takes the place of the readers of many values: none of them can be read together."""

    def read(values: Any) -> list[Any]:
        if values:
            raise Unfit("many")
        return []

    return read


@given(SPECS, st.data())
def test_values_are_read_together_as_one_by_one(spec: dict[str, Any], data: st.DataObject) -> None:
    cells = data.draw(st.lists(values_of(spec), min_size=1, max_size=4))
    together = outcome(spec, cells)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("items", "values", "arrays", "maps", "objects"):
            patch.setattr(f"modelserver.types.nested.kinds.many_{name}", one_by_one)
        assert outcome(spec, cells, each=True) == together


@given(SCALARS, st.sets(st.sampled_from(ITEMS), min_size=1), st.booleans(), st.data())
def test_arrays_are_read_together_as_one_by_one(
    name: str, kinds: set[Any], required: bool, data: st.DataObject
) -> None:
    cell = data.draw(st.lists(st.one_of(*kinds), max_size=5))
    together = outcome({**array_of(name), "required": required}, [cell])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelserver.types.nested.kinds.many_items", one_by_one)
        assert outcome({**array_of(name), "required": required}, [cell], each=True) == together


def outcome(spec: dict[str, Any], cells: list[Any], each: bool = False) -> str:
    """What cells become, with the types of their values, or the places of the faults. `each`: one
    by one, if all fit."""
    required = spec["required"]
    read = kind_of(spec, required).read
    assert read is not None
    try:
        if each:
            with contextlib.suppress(Misplaced):
                return repr([read(cell) for cell in cells])
        return repr(kind_of(spec, required).convert(cells, required).tolist())
    except BadCells as fault:
        return repr(fault.cells)


def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kinds that are asked to convert values, from now on."""
    calls: list[str] = []
    convert = Kind.convert

    def counted(kind: Kind, *given: Any) -> Any:
        calls.append(kind.name)
        return convert(kind, *given)

    monkeypatch.setattr(Kind, "convert", counted)
    return calls


@pytest.mark.parametrize(
    ("spec", "cells"),
    [
        (array_of("double"), [[0.5, None]] * 500),
        (array_of("long"), [[1] * 500, [1.0, 2**60]]),
        (array_of("datetime"), [["2024-01-02", "2024-01-02T03:04Z"] * 500]),
        (array_of(array_of("string")), [[["a"]] * 500, [["b", None]]]),
        (
            array_of(object_of(x=must("double"), y=may("long"))),
            [[{"x": 1}, {"y": 2, "x": 1}] * 500],
        ),
        (object_of(x=must("datetime")), [{"x": "2024-01-02"}] * 500),
        (map_of("double"), [{str(i): i for i in range(500)}] * 2),
    ],
)
def test_many_values_take_as_many_calls_as_few(
    spec: dict[str, Any], cells: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = conversions(monkeypatch)
    kind_of(spec).convert(cells)
    assert len(calls) <= 3


@pytest.mark.parametrize("place", [0, 1700, 4999])
def test_a_bad_value_among_many_is_found_by_halving(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = conversions(monkeypatch)
    cell: list[Any] = [1.0] * 5000
    cell[place] = "x"
    with pytest.raises(BadCells) as refusal:
        kind_of(array_of("double")).convert([cell])
    fault = f"text at [{place}] where a number (64-bit float) belongs"
    assert refusal.value.cells == [(0, fault)]
    assert len(calls) < 60


@pytest.mark.parametrize(
    ("spec", "required", "cell", "expected"),
    [row[1:] for row in ACCEPTED],
    ids=[row[0] for row in ACCEPTED],
)
def test_accepted_cells_together_and_one_by_one(
    spec: dict[str, Any], required: bool, cell: Any, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = kind_of(spec, required).read_together
    assert together is not None
    assert repr(together([cell, cell])) == repr(2 * list(kind_of(spec, required).parse([cell])))
    for name in ("items", "values", "arrays", "maps", "objects"):
        monkeypatch.setattr(f"modelserver.types.nested.kinds.many_{name}", one_by_one)
    assert repr(together([cell])) == repr(list(kind_of(spec, required).parse([cell])))


@pytest.mark.parametrize("cell", [{"c": 1}, {}, [], "x", None, {"a": "x"}, {"a": None}])
def test_objects_that_are_not_read_together(cell: Any) -> None:
    together = kind_of(object_of(a=must("long"), _row=may("long")), True).read_together
    assert together is not None
    assert together([{"a": 1, "_row": 2}, {"a": 3}]) == [{"a": 1, "_row": 2}, {"a": 3}]
    with pytest.raises(ValueError, match=r"property|type|null|bad cells"):
        together([{"a": 1}, cell])
