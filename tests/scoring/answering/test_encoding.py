"""What models return to response bodies: the exact text of each, valid JSON whatever it holds."""

import dataclasses
import json
from collections import namedtuple
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from modelserver.errors import ModelFailed
from modelserver.scoring.answering.encoding import encode_json, encode_predictions
from tests.support.outputs import OUTPUTS

# The text of each output of tests/support/outputs.py, without the "predictions" around it.
TEXTS: dict[str, str] = {
    "ints": "[1,2]",
    "floats": "[0.5,1e300]",
    "float32": "[0.10000000149011612,2.5]",
    "booleans": "[true,false]",
    "texts": '["a","ü"]',
    "matrix": "[[1.0,2.0],[3.0,4.0]]",
    "fortran": "[[1.0,2.0],[3.0,4.0]]",
    "objects": '[1,"a",null,2.5]',
    "zero_d": "5",
    "empty": "[]",
    "frame": '[{"a":1,"b":"x","c":0.5},{"a":2,"b":"y","c":1.5}]',
    "frame_integer_names": '[{"0":1,"1":2}]',
    "frame_index": '[{"a":1},{"a":2}]',
    "frame_empty": "[]",
    "series": '[{"0":1},{"0":2}]',
    "series_named": '[{"p":1},{"p":2}]',
    "list": '[1,2.5,"a",null,true]',
    "tuple": "[1,2]",
    "dict": '{"a":[1,2],"b":{"c":null}}',
    "dict_arrays": '{"a":[1,2]}',
    "dict_scalar_keys": '{"1":"a","null":"b"}',
    "scalar": "5",
    "numpy_scalar": "0.5",
    "numpy_scalars": "[1,0.10000000149011612,true]",
    "text": '"hello"',
    "none": "null",
    "big_integer": "1180591620717411303424",
    "formulas": '["=1+1","-1"]',
    "unicode": '["é","日本","\U0001f377","\u2028"]',
    "datetime": '["2024-01-02T03:04:05.000006","2024-01-02","03:04:05"]',
    "timestamps": '[{"t":"2024-01-02T03:04:05"}]',
    "bytes": '["YWJj"]',
    "nan": "[null,null,null,1.0]",
    "nan_list": '[null,{"x":null}]',
    "frame_nan": '[{"a":1.0,"b":"x"},{"a":null,"b":null}]',
    "nat": '[{"t":"2024-01-02T00:00:00"},{"t":null}]',
    "datetime64": '["2024-01-02T03:04:05",null]',
    "datetime64_scalar": '["2024-01-02"]',
    "timedelta": '["P1DT0H0M2S","P0DT0H0M1S","P0DT0H0M3S"]',
    "timedelta64": '["P0DT0H0M1S","P0DT0H0M2S"]',
    "decimal": "[1.10,null]",
    "set": "[1]",
    "na": "[null,null]",
    "nullable": '[{"a":1},{"a":null}]',
    "category": '[{"a":"x"},{"a":"y"}]',
    "sparse": "[[1,0],[0,2]]",
    "sparse_frame": '[{"a":0},{"a":1}]',
    "long_bytes": '"' + "eHh4" * 33 + 'eA=="',
    "nested_frame": '{"f":[{"a":1}],"s":[1,2]}',
    "numpy_keys": '{"7":1}',
    "multi_index": '[{"a_b":1}]',
    "twice": '[{"a":1,"a.1":2,"b":3}]',
    "generator": "[0,1,2]",
    "surrogate": '["\\ud800"]',
}

FAILURES: dict[str, str] = {
    "complex": "the model returned a value of type complex, which JSON cannot hold",
    "object": "the model returned a value of type object, which JSON cannot hold",
    "endless": "the model returned a value that is nested too deeply for JSON",
}


def text_of(value: Any) -> str:
    body = encode_predictions(value, wrapped=False).decode()
    json.loads(body, parse_constant=refuse)
    return body.replace("e+", "e")  # orjson's versions differ in how they write 1e300


def refuse(token: str) -> None:
    raise AssertionError(f"{token} is not JSON")


def test_every_output_has_its_text() -> None:
    assert sorted([*TEXTS, *FAILURES]) == sorted(OUTPUTS)


@pytest.mark.parametrize("name", TEXTS)
def test_outputs(name: str) -> None:
    assert text_of(OUTPUTS[name]()) == TEXTS[name]


@pytest.mark.parametrize("name", FAILURES)
def test_outputs_that_json_cannot_hold(name: str) -> None:
    with pytest.raises(ModelFailed) as failure:
        encode_predictions(OUTPUTS[name]())
    assert failure.value.message == FAILURES[name]


def test_predictions_are_wrapped_unless_the_request_was_a_chat() -> None:
    assert encode_predictions([1]) == b'{"predictions":[1]}'
    assert encode_predictions({"choices": []}, wrapped=False) == b'{"choices":[]}'


Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = "red"


class Person(BaseModel):
    name: str


@dataclasses.dataclass
class Size:
    width: int


class Share(float):
    """A number of a model's own class."""


class Rows:
    """As models make them that stream their answers."""

    def __iter__(self) -> Iterator[int]:
        raise NotImplementedError

    def model_dump(self) -> dict[str, int]:
        return {"rows": 2}


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 2.5


BIG = 2**70

MORE: list[tuple[str, Callable[[], Any], str]] = [
    ("float zero-d", lambda: np.array(np.nan), "null"),
    ("strided", lambda: np.arange(6)[::2], "[0,2,4]"),
    ("date array of two levels", lambda: np.array([["2024-01-02"]], "M8[D]"),
     '[["2024-01-02"]]'),
    ("half floats", lambda: np.array([0.5], np.float16), "[0.5]"),
    ("long doubles", lambda: np.array([0.5], np.longdouble), "[0.5]"),
    ("structured", lambda: np.array([(1, 2.5)], [("a", int), ("b", float)]), "[[1,2.5]]"),
    ("byte texts", lambda: np.array([b"abc"]), '["YWJj"]'),
    ("masked integers", lambda: np.ma.array([1, 2], mask=[False, True]), "[1,null]"),
    ("masked floats", lambda: np.ma.array([1.0, 2.0], mask=[True, False]), "[null,2.0]"),
    ("nested array", lambda: {"a": np.array([0.5, np.inf])}, '{"a":[0.5,null]}'),
    ("nested date array", lambda: [np.array(["NaT"], "M8[s]")], "[[null]]"),
    ("nested zero-d", lambda: [np.array(5), np.array(0.5)], "[5,0.5]"),
    ("frame without columns", lambda: pd.DataFrame(index=[0, 1]), "[{},{}]"),
    ("frame of many types",
     lambda: pd.DataFrame({"t": pd.array(["x", None], "string"), "b": pd.array([True, None])}),
     '[{"t":"x","b":true},{"t":null,"b":null}]'),
    ("frame of durations", lambda: pd.DataFrame({"d": pd.to_timedelta([1, None], unit="s")}),
     '[{"d":"P0DT0H0M1S"},{"d":null}]'),
    ("times of a zone", lambda: pd.DataFrame({"t": pd.to_datetime([0]).tz_localize("UTC")}),
     '[{"t":"1970-01-01T00:00:00+00:00"}]'),
    ("sparse floats", lambda: pd.DataFrame({"a": pd.arrays.SparseArray([np.nan, 0.5])}),
     '[{"a":null},{"a":0.5}]'),
    ("names that collide", lambda: pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a.1"]),
     '[{"a":1,"a.2":2,"a.1":3}]'),
    ("names of all types",
     lambda: pd.DataFrame([[1] * 6], columns=pd.Index(
         [True, None, 0.5, date(2024, 1, 2), Decimal(1), np.int64(3)], dtype=object)),
     '[{"true":1,"null":1,"0.5":1,"2024-01-02":1,"1":1,"3":1}]'),
    ("surrogate as name",
     lambda: pd.DataFrame([1], columns=pd.Index(["\ud800"], dtype=object)),
     '[{"\\ud800": 1}]'),
    ("surrogate as key", lambda: {"\ud800": [1]}, '{"\\ud800": [1]}'),
    ("index", lambda: [pd.Index([1, 2])], "[[1,2]]"),
    ("extension array", lambda: [pd.array([1, None])], "[[1,null]]"),
    ("mapping", lambda: MappingProxyType({"a": 1}), '{"a":1}'),
    ("range", lambda: [range(2), frozenset([1])], "[[0,1],[1]]"),
    ("enum", lambda: [Colour.RED], '["red"]'),
    ("pydantic", lambda: [Person(name="a")], '[{"name":"a"}]'),
    ("like pydantic", lambda: [Rows()], '[{"rows":2}]'),
    ("named tuple", lambda: [Point(1, 2)], "[[1,2]]"),
    ("dataclass", lambda: [Size(1)], '[{"width":1}]'),
    ("UUID", lambda: [UUID(int=1)], '["00000000-0000-0000-0000-000000000001"]'),
    ("memory", lambda: [memoryview(b"abc"), bytearray(b"abc")], '["YWJj","YWJj"]'),
    ("time of a zone", lambda: [time(1, tzinfo=timezone.utc)], '["01:00:00+00:00"]'),
    ("first and last time", lambda: [datetime.min, datetime.max],
     '["0001-01-01T00:00:00","9999-12-31T23:59:59.999999"]'),
    ("far date", lambda: [np.datetime64("20000-01-01")], '["20000-01-01"]'),
    ("NaT keys", lambda: {pd.NaT: 1, np.float64(0.5): 2}, '{"NaT":1,"0.5":2}'),
    ("all at once",
     lambda: [BIG, -BIG, 0.5, float("nan"), True, None, "ü", {1: (Size(BIG), UUID(int=1))},
              Decimal("0.10"), Decimal("inf"), np.float32(0.5), np.array([1]), Point(1, 2)],
     f'[{BIG},-{BIG},0.5,null,true,null,"ü",{{"1":[{{"width":{BIG}}},'
     '"00000000-0000-0000-0000-000000000001"]},0.10,null,0.5,[1],[1,2]]'),
    ("float of NumPy beside a large integer", lambda: [{"a": np.float64(0.5), "b": 2**64}],
     f'[{{"a":0.5,"b":{2**64}}}]'),
    ("subclass of float", lambda: [Share(0.5)], "[0.5]"),
    ("periods and intervals",
     lambda: pd.DataFrame({"p": pd.period_range("2024-01", periods=1, freq="M"),
                           "i": pd.IntervalIndex.from_tuples([(0, 1)])}),
     '[{"p":"2024-01","i":"(0, 1]"}]'),
    ("300 levels", lambda: nested(300), "[" * 300 + "2.5" + "]" * 300),
]  # fmt: skip


@pytest.mark.parametrize(
    ("output", "text"), [row[1:] for row in MORE], ids=[row[0] for row in MORE]
)
def test_more_outputs(output: Callable[[], Any], text: str) -> None:
    written = text_of(output())
    # Text may be written escaped, and with blanks, where orjson has to be helped.
    assert json.dumps(json.loads(written)) == json.dumps(json.loads(text))


def test_integers_of_any_length() -> None:
    assert encode_predictions(10**5000, wrapped=False) == b"1" + b"0" * 5000


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([UUID], "the model returned a value of type type, which JSON cannot hold"),
        ([timedelta.max], "the model returned a value that JSON cannot hold"),
        ([np.timedelta64(5)], "the model returned a value that JSON cannot hold"),
        (nested(900), "the model returned a value that is nested too deeply for JSON"),
    ],
    ids=["class", "longest duration", "duration without unit", "900 levels"],
)
def test_values_that_json_cannot_hold(value: Any, message: str) -> None:
    with pytest.raises(ModelFailed) as failure:
        encode_predictions(value)
    assert failure.value.message == message


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"a": [1, "ü", None]}, '{"a":[1,"ü",null]}'.encode()),
        ([2**70], b"[1180591620717411303424]"),
        ([pd.Timestamp("2024-01-02"), b"a"], b'["2024-01-02T00:00:00","YQ=="]'),
    ],
    ids=["plain", "large", "names of Parquet columns"],
)
def test_json_of_the_servers_own(value: Any, body: bytes) -> None:
    assert encode_json(value) == body
