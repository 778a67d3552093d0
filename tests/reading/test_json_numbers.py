"""Bodies of nothing but numbers: what is read at once, and that it is what is read otherwise."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from modelserver.errors import ApiError
from modelserver.reading.fast import json_numbers as numeric
from modelserver.reading.fast.json_numbers import Code, read_numbers
from modelserver.reading.json_reader import MANY_NUMBERS, _read_numbers, json_payload
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.reading.signatures.tensors import TensorSignature
from tests.support.zoo import describe

pytestmark = pytest.mark.skipif(not numeric.AVAILABLE, reason="pysimdjson is not installed")


def columns(*types: str) -> Signature:
    inputs = [{"name": name, "type": kind} for name, kind in zip("abcdefgh", types, strict=False)]
    return compile_signature({"inputs": json.dumps(inputs)}, False)


def tensor(dtype: str, *shape: int) -> Signature:
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
    return compile_signature({"inputs": json.dumps([spec])}, False)


SIGNATURES = {
    "doubles": columns("double", "double"),
    "mixed": columns("long", "float"),
    "integers": columns("integer", "integer"),
    "float tensor": tensor("float32", -1, 2),
    "integer tensor": tensor("uint8", -1, 2),
    "vector": tensor("float64", -1),
    "params": compile_signature(
        {
            "inputs": '[{"name": "a", "type": "double"}, {"name": "b", "type": "double"}]',
            "params": '[{"name": "p", "type": "long", "default": 1, "shape": null}]',
        },
        False,
    ),
}


@pytest.mark.parametrize(
    ("body", "code", "form", "names", "array"),
    [
        ('{"inputs": [1, 2.5]}', "d", "inputs", None, [1.0, 2.5]),
        ('{"instances": [[1], [2]]}', "d", "instances", None, [[1.0], [2.0]]),
        ('{"inputs": [[1, 2], [3, 4]]}', "i", "inputs", None, [[1, 2], [3, 4]]),
        (
            '{"dataframe_split": {"columns": ["a", 7], "data": [[1, 2]]}}',
            "d",
            "dataframe_split",
            ["a", 7],
            [[1.0, 2.0]],
        ),
        (
            '{"dataframe_split": {"data": [[1], [-0.0]], "columns": ["a"]}}',
            "d",
            "dataframe_split",
            ["a"],
            [[1.0], [-0.0]],
        ),
    ],
)
def test_read_at_once(
    body: str, code: Code, form: str, names: list[Any] | None, array: list[Any]
) -> None:
    numbers = read_numbers(body.encode(), code)
    assert numbers is not None
    assert (numbers.form, numbers.names) == (form, names)
    assert numbers.array.tolist() == array
    assert numbers.array.dtype == {"d": np.float64, "i": np.int64}[code]
    assert numbers.array.flags.writeable  # models may change their input


@pytest.mark.parametrize(
    "body",
    [
        "[1]",
        "1",
        "{",
        "{}",
        "\ufeff{}",
        '{"inputs": 1}',
        '{"inputs": []}',
        '{"inputs": [[]]}',
        '{"inputs": [[[1], [2]], [3, 4]]}',
        '{"inputs": [[1, 2], [3]]}',
        '{"inputs": [[1], [2, 3], [4, 5]]}',
        '{"inputs": [[1, 2], [3], [4, 5, 6]]}',
        '{"inputs": [[1, 2], 3, 4]}',
        '{"inputs": [1, null]}',
        '{"inputs": [true]}',
        '{"inputs": ["1"]}',
        '{"inputs": [{"a": 1}]}',
        '{"inputs": {"a": [1]}}',
        '{"inputs": [1e400]}',
        '{"inputs": [NaN]}',
        '{"inputs": [100000000000000000000]}',
        '{"inputs": [1], "inputs": [2]}',
        '{"inputs": [1], "params": {}}',
        '{"other": [1]}',
        f'{{"inputs": {"[" * 40}1{"]" * 40}}}',
        f'{{"inputs": {"[" * 2000}1{"]" * 2000}}}',
        '{"dataframe_split": [[1]]}',
        '{"dataframe_split": {"data": [[1]]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [1]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}',
        '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3], [4, 5, 6]]}}',
        '{"dataframe_split": {"columns": ["a", "],["], "data": [[1, 2], [3, 4]]}}',
        '{"dataframe_split": {"columns": {"a": 1}, "data": [[1]]}}',
        '{"dataframe_split": {"columns": ["a"], "columns": ["b"], "data": [[1]]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [[1]], "index": [5]}}',
    ],
)
def test_left_to_the_ordinary_reader(body: str) -> None:
    assert read_numbers(body.encode(), "d") is None


def outcome(body: bytes, signature: Signature) -> Any:
    assert len(body) < MANY_NUMBERS
    try:
        return account(json_payload(body, signature, 10**6))
    except ApiError as error:
        return error.message


def account(payload: Payload) -> Any:
    return describe(payload.data), payload.params, payload.rows, payload.typed, payload.wrapped


SCALARS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.integers(-3, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([None, True, "1", "a,b", 1e39, 0.0, -0.0, 2.0]),
)
NUMBERS = st.one_of(st.integers(-3, 300), st.floats(-1e6, 1e6), st.integers(0, 2**62))
ROWS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=4)
DATA = st.one_of(ROWS, st.lists(st.lists(SCALARS, max_size=3), max_size=4), st.lists(NUMBERS))
NAMES = st.one_of(
    st.permutations(["a", "b"]), st.lists(st.sampled_from(["a", "b", "],[", 0]), max_size=3)
)
BODIES = st.one_of(
    st.builds(lambda form, data: {form: data}, st.sampled_from(["inputs", "instances"]), DATA),
    st.builds(lambda n, data: {"dataframe_split": {"columns": n, "data": data}}, NAMES, DATA),
    st.builds(lambda n, data: {"dataframe_split": {"data": data, "columns": n}}, NAMES, DATA),
)


@pytest.mark.parametrize("name", SIGNATURES)
@settings(max_examples=2 * settings().max_examples)
@given(content=BODIES)
def test_the_same_as_the_ordinary_reader(name: str, content: Any) -> None:
    body = json.dumps(content).encode()
    payload = _read_numbers(body, SIGNATURES[name])
    assert payload is None or account(payload) == outcome(body, SIGNATURES[name])


@pytest.mark.parametrize("name", SIGNATURES)
def test_plain_bodies_are_read_at_once(name: str) -> None:
    signature = SIGNATURES[name]
    rows: list[Any] = [1, 2] if name == "vector" else [[1, 2], [3, 4]]
    table = {"dataframe_split": {"columns": ["a", "b"], "data": rows}}
    body = json.dumps(
        {"inputs": rows} if isinstance(signature, TensorSignature) else table
    ).encode()
    payload = _read_numbers(body, signature)
    assert payload is not None
    assert account(payload) == outcome(body, signature)


@pytest.mark.parametrize(
    "signature",
    [
        compile_signature(None, False),
        columns("double", "string"),
        tensor("str", -1),
        compile_signature({"inputs": '[{"name": "a", "type": "double"}]'}, True),
    ],
    ids=["none", "text", "text tensor", "type hint"],
)
def test_other_signatures_are_not_tried(signature: Signature) -> None:
    assert signature.numbers is None


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("doubles", '{"inputs": [[1, 2]]}'),
        ("vector", '{"dataframe_split": {"columns": ["a"], "data": [[1]]}}'),
        ("integers", '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5]]}}'),
        ("vector", '{"inputs": [[1]]}'),
        ("doubles", '{"dataframe_split": {"columns": ["a", "c"], "data": [[1, 2]]}}'),
    ],
)
def test_what_does_not_fit_is_left_to_the_ordinary_reader(name: str, body: str) -> None:
    assert _read_numbers(body.encode(), SIGNATURES[name]) is None


def test_without_simdjson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numeric, "AVAILABLE", False)
    assert read_numbers(b'{"inputs": [1]}', "d") is None


def test_a_large_body() -> None:
    rows = [[i, i / 4] for i in range(300)]
    body = json.dumps({"dataframe_split": {"columns": ["a", "b"], "data": rows}}).encode()
    assert len(body) > MANY_NUMBERS
    payload = json_payload(body, SIGNATURES["mixed"], 10**6)
    assert payload.data["a"].tolist() == [row[0] for row in rows]
    assert payload.data["b"].tolist() == [row[1] for row in rows]
    assert [str(dtype) for dtype in payload.data.dtypes] == ["int64", "float32"]
