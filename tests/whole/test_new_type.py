"""A new column type is one row of the type table: every room follows from it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.describing.inputs import inputs_of
from modelserver.describing.questionnaire import Field
from modelserver.describing.schemas import column_schema, param_schema
from modelserver.errors import InvalidInput
from modelserver.reading.formats import CSV, FORMATS, JSON
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.types.cell_parsers import flat
from modelserver.types.kind import Kind
from modelserver.types.type_table import KINDS, integer_kind

SHORT = integer_kind("short", np.int16, "a whole number of 16 bits")

DURATION = Kind(
    name="duration",
    expects="a duration",
    schema={"type": "string", "format": "duration"},
    sample="01:30:00",
    dtype="m8[ns]",
    parse=lambda cells: pd.to_timedelta(flat(cells)).to_numpy("m8[ns]"),
    make_gaps=lambda rows: np.full(rows, "NaT", "m8[ns]"),
    blanks=frozenset({"NA"}),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table, a value as JSON and as the model gets it, and one that does not fit."""

    kind: Kind
    sent: Any
    value: Any
    bad: Any
    found: str
    gap_dtype: str
    param: Any
    control: str


CASES = [
    Case(SHORT, 7, 7, 40000, "an integer beyond 16 bits", "float64", 7, "number"),
    Case(
        *(DURATION, "00:00:07", pd.Timedelta(seconds=7), "soon", "text"),
        *("timedelta64[ns]", "00:00:07", "text"),
    ),
]


@pytest.fixture(params=CASES, ids=lambda case: str(case.kind.name))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Case:
    found: Case = request.param
    monkeypatch.setitem(KINDS, found.kind.name, found.kind)
    return found


def signature(type_: dict[str, Any], params: list[dict[str, Any]] | None = None) -> Signature:
    inputs = [{"name": "v", "required": True, **type_}, {"name": "s", "type": "string"}]
    declared = {"inputs": json.dumps(inputs), "params": json.dumps(params or [])}
    return compile_signature(declared, from_type_hint=False)


def column(type_: dict[str, Any], *cells: Any) -> "pd.Series[Any]":
    body = json.dumps({"dataframe_records": [{"v": cell, "s": "x"} for cell in cells]}).encode()
    frame: pd.DataFrame = FORMATS[JSON].read(body, signature(type_), len(body)).data
    return frame["v"]


def test_json(case: Case) -> None:
    cells = column({"type": case.kind.name}, case.sent, case.sent)
    assert (cells.dtype, cells.tolist()) == (case.kind.dtype, [case.value] * 2)


def test_a_cell_that_does_not_fit(case: Case) -> None:
    with pytest.raises(InvalidInput) as refusal:
        column({"type": case.kind.name}, case.sent, case.bad)
    fault = {"row": 1, "column": "v", "expected": case.kind.expects, "found": case.found}
    assert refusal.value.details == [fault]


def test_missing_values(case: Case) -> None:
    cells = column({"type": case.kind.name, "required": False}, case.sent, None, "NA")
    assert (str(cells.dtype), cells[0]) == (case.gap_dtype, case.value)
    assert cells.isna().tolist() == [False, True, True]


def test_many_rows_of_json(case: Case) -> None:
    cells = column({"type": case.kind.name}, *[case.sent] * 5000)
    assert (cells.dtype, set(cells)) == (case.kind.dtype, {case.value})


def test_csv(case: Case) -> None:
    body = f"v,s\n{case.sent},x\nNA,y\n".encode()
    declared = signature({"type": case.kind.name, "required": False})
    cells = FORMATS[CSV].read(body, declared, len(body)).data["v"]
    assert (cells[0], cells.isna().tolist()) == (case.value, [False, True])
    assert FORMATS[CSV] in inputs_of(declared, {}).formats


def test_inside_of_arrays_objects_and_maps(case: Case) -> None:
    one = {"type": case.kind.name, "required": True}
    [items] = column({"type": "array", "items": one}, [case.sent])
    [properties] = column({"type": "object", "properties": {"x": one}}, {"x": case.sent})
    [values] = column({"type": "map", "values": one}, {"k": case.sent})
    assert properties == {"x": case.value}
    assert values == {"k": case.value}
    assert pd.Series(items).astype(case.kind.dtype).tolist() == [case.value]


def test_params(case: Case) -> None:
    spec = {"name": "p", "type": case.kind.name, "default": case.sent, "shape": None}
    params = signature({"type": "long"}, [spec]).params
    assert params.read({"p": case.sent}) == {"p": case.param}
    assert param_schema(spec)["x-mlflow-type"] == case.kind.name
    with pytest.raises(InvalidInput):
        params.read({"p": True})


def test_the_document(case: Case) -> None:
    spec = {"name": "v", "type": case.kind.name}
    assert column_schema(spec) == {**case.kind.schema, "x-mlflow-type": case.kind.name}
    nested = {"type": "array", "items": spec}
    assert column_schema(nested)["items"] == case.kind.schema
    assert column_schema(nested)["x-mlflow-type"] == f"Array({case.kind.name})"


def test_the_example(case: Case) -> None:
    declared = {"inputs": [{"name": "v", "type": case.kind.name}]}
    [made] = inputs_of(signature({"type": case.kind.name}), declared).samples(None)
    assert made.rows == [[case.kind.sample]]


def test_the_page(case: Case) -> None:
    assert Field("v", case.kind.name).control == case.control
