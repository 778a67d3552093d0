"""Whole numbers that a float cannot hold, sent with a point: who gets them, and as what."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelserver.reading.formats import JSON, NDJSON
from modelserver.reading.signatures.including import ALL, including
from modelserver.reading.signatures.plain_numbers import plain
from modelserver.types.cell_parsers import WholeFloat
from tests.support.signatures import column, read, signature

SENT = "9007199254740993.0"
WHOLE = 9007199254740993
ROUNDED = 9007199254740992.0

ANYTHING = signature(column("any", "x"), column("long", "n"))
PERSON = signature(
    {
        "type": "object",
        "properties": {"any": {"type": "any"}, "long": {"type": "long"}},
        "name": "o",
        "required": True,
    }
)
LONGS = signature({"type": "array", "items": {"type": "long"}, "name": "v", "required": True})
PARAM = {"name": "n", "type": "long", "default": 1, "shape": None}


def types_in(value: Any) -> set[type]:
    """The types of all numbers in a model's input."""
    if isinstance(value, pd.DataFrame):
        return set().union(*(types_in(value[name].tolist()) for name in value))
    if isinstance(value, np.ndarray):
        return types_in(value.tolist())
    if isinstance(value, (list, tuple, dict)):
        items = value.values() if isinstance(value, dict) else value
        return set().union(*map(types_in, items))
    return {type(value)}


@pytest.mark.parametrize("media_type", [JSON, NDJSON])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize(
    ("declared", "record"),
    [
        (ANYTHING, '{"x": [#, {"a": #}], "n": #}'),
        (ANYTHING, '{"x": #, "n": #}'),
        (PERSON, '{"o": {"any": [#, 1.0], "long": #}}'),
        (LONGS, '{"v": [#, 1.0]}'),
    ],
    ids=["nested in any", "any", "object", "array"],
)
def test_no_model_gets_a_type_of_ours(
    declared: Any, record: str, include: bool, media_type: str
) -> None:
    if include:
        declared = including(declared, ALL)
    payload = read(declared, record.replace("#", SENT).encode(), media_type)
    carried = {name: list(cells) for name, cells in (payload.carried or {}).items()}
    assert types_in(payload.data) | types_in(carried) <= {int, float, np.int64}


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        (signature(params=[PARAM]), '{"inputs": [{"a": [#]}, 1], "params": {"n": #}}'),
        (signature(params=[PARAM]), '{"inputs": {"a": [#, "x"]}, "params": {"n": #}}'),
        (
            signature(params=[PARAM]),
            '{"dataframe_records": [{"a": #, "b": 1.0}, {"a": "x", "b": #}], "params": {"n": #}}',
        ),
        (
            signature(column("double", "x"), params=[PARAM], from_type_hint=True),
            '{"inputs": [#], "params": {"n": #}}',
        ),
        (signature(params=[PARAM]), '{"input": {"a": #}, "n": #}'),
    ],
    ids=["list", "array", "table", "type hint", "chat"],
)
def test_what_stands_beside_an_exact_param_is_plain(declared: Any, body: str) -> None:
    payload = read(declared, body.replace("#", SENT).encode())
    assert payload.params == {"n": WHOLE}
    assert types_in(payload.data) <= {float, int, str}


def test_a_carried_array_of_integers_has_the_digits_that_the_model_got() -> None:
    payload = read(including(LONGS, ALL), f'[{{"v": [{SENT}, 1.0]}}]'.encode())
    assert payload.data["v"].tolist() == [[WHOLE, 1]]
    assert payload.carried == {"v": [[WHOLE, 1.0]]}


@pytest.mark.parametrize("cell", [SENT, f"[{SENT}]", f'{{"a": [{SENT}]}}'])
@pytest.mark.parametrize("n", ["1", SENT])
def test_numbers_with_a_point_in_further_columns_are_doubles(cell: str, n: str) -> None:
    declared = including(signature(column("long", "n")), ("z",))
    (found,) = (read(declared, f'[{{"n": {n}, "z": {cell}}}]'.encode()).carried or {})["z"]
    assert json.dumps(found) == cell.replace(SENT, str(ROUNDED))


def test_plain_numbers_in_arrays_and_frames() -> None:
    number = WholeFloat.of(WHOLE)
    frame = pd.DataFrame({"a": [1.5], "b": np.array([number], object)}, index=["x"])
    assert type(plain(frame)["b"]["x"]) is float
    assert type(frame["b"]["x"]) is WholeFloat
    array = np.array([[number, "x"]], object)
    assert plain(array).tolist() == [[ROUNDED, "x"]]
    assert plain(numbers := np.array([1.5])) is numbers
