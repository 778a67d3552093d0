"""How much memory the cells of a column may take: never that of the longest cell for each."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modelserver.errors import InvalidInput
from modelserver.reading.input_forms import read_value
from modelserver.types import text_arrays
from modelserver.types.kind import BadCells
from modelserver.types.type_table import KINDS, integer_kind
from tests.support.signatures import read, signature, tensor

MANY = 20_000

MOST = 200
"""How many bytes a cell of one letter may take while its column is converted. In an array of texts
each would take 256 beside one of 64 letters."""

LONG_DATE = "2024-01-31T12:30:59.123456789" + " " * 20


def peak(call: Callable[[], Any]) -> int:
    """The most bytes that are taken at a time while the call runs."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def convert(kind: str, cells: list[Any]) -> Any:
    try:
        return KINDS[kind].convert(cells, required=True)
    except BadCells as error:
        return error.cells


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("double", [1] * MANY + ["1" * 64]),
        ("double", [1] * MANY + ["x" * 64]),
        ("double", ["1"] * MANY + ["1" * 65]),
        ("long", [1] * MANY + ["1".zfill(64)]),
        ("long", ["1"] * MANY + ["1".zfill(64)]),
        ("integer", ["1"] * MANY + ["1" * 10_000]),
        ("boolean", [1] * MANY + ["x" * 64]),
        ("boolean", ["1"] * MANY + ["x" * 64]),
        ("string", ["a"] * MANY + ["x" * 10_000]),
        ("binary", ["a"] * MANY + ["x" * 10_000]),
        ("datetime", [""] * MANY + [LONG_DATE]),
        ("datetime", ["1"] * MANY + [" " * 10_000]),
        ("datetime", [""] * MANY + [f"{LONG_DATE}{' ' * 10_000}x"]),
    ],
)
def test_a_long_cell_takes_no_room_in_the_others(kind: str, cells: list[Any]) -> None:
    convert(kind, cells[:10])  # what is made once is no matter of the cells
    size = sum(map(len, cells[-1:]))
    assert peak(lambda: convert(kind, cells)) < MOST * MANY + 20 * size


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1e3", 1000),
        ("-2.0", -2),
        ("9e15", 9 * 10**15),
        ("0.5", "a number with a fraction"),
        ("-inf", "a number that is not finite"),
        ("1e400", "a number that is not finite"),
        ("1e30", "a number too large to be an exact integer"),
    ],
)
def test_texts_of_whole_floats(text: str, found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    array, calls = np.array, []

    def counted(*given: Any, **options: Any) -> Any:
        calls.append(given)
        return array(*given, **options)

    monkeypatch.setattr(np, "array", counted)
    read = convert("long", [text] * 50)
    assert [*read[:1]] == ([(0, found)] if isinstance(found, str) else [found])
    assert len(calls) < 50 or isinstance(found, str)


def test_texts_between_numbers_are_read_one_by_one() -> None:
    assert convert("long", [1, "0002", 3.0]).tolist() == [1, 2, 3]
    assert convert("boolean", [1, "1"]) == [(1, "text")]


def test_unsigned_integers_on_both_sides_of_63_bits_are_read_together() -> None:
    kind = integer_kind("uint64", np.uint64, "a number")
    sent: list[Any] = [1, 2**64 - 1, 2**63 + 1]
    parsed: Any = kind.parse(sent)
    assert (str(parsed.dtype), parsed.tolist()) == ("uint64", sent)
    assert kind.parse([str(number) for number in sent]).tolist() == sent
    for beyond in (-1, 2**64):
        with pytest.raises(BadCells) as refusal:
            kind.convert([*sent, beyond])
        assert refusal.value.cells == [(3, "an integer beyond 64 bits")]


@pytest.mark.parametrize(
    ("dtype", "element"), [("float64", 1), ("int64", 1), ("bool", True), ("datetime64[ns]", "")]
)
def test_a_long_text_in_a_tensor_takes_no_room_in_the_other_elements(
    dtype: str, element: Any
) -> None:
    declared = signature(tensor(dtype, -1))
    cells = [element] * MANY + ["x" * 10_000]

    def refused() -> None:
        with pytest.raises(InvalidInput, match="expected "):
            read(declared, {"inputs": cells})

    assert peak(refused) < 2 * MOST * MANY


@pytest.mark.parametrize("declared", [tensor("str", -1, 2), tensor("bytes", -1, 2), None])
def test_texts_whose_array_would_take_a_gigabyte_are_refused(
    declared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = signature(declared) if declared else signature()
    sent = {"inputs": [["a", "b" * 99], ["c", "d"]]}
    monkeypatch.setattr(text_arrays, "MOST_ROOM", 4 * 99 * 4)
    assert read(kind, sent).data.shape == (2, 2)
    monkeypatch.setattr(text_arrays, "MOST_ROOM", 4 * 99 * 4 - 1)
    with pytest.raises(InvalidInput, match="it has 4 elements, and a text of 99 letters") as error:
        read(kind, sent)
    assert "bbb" not in error.value.message
    monkeypatch.undo()
    wide = {"inputs": [["a"] * 2] * 5000 + [["a", "b" * 30_000]]}
    with pytest.raises(InvalidInput, match="more than 1073741824 bytes"):
        read(kind, wide)


@pytest.mark.parametrize("elements", [[1], "a"], ids=["arrays of one", "flat"])
def test_too_many_texts_are_refused_before_they_are_made(
    elements: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_arrays, "MOST_ROOM", 4 * 32 * MANY)
    declared = signature(tensor("str", *[-1] * (1 + isinstance(elements, list))))
    body = json.dumps({"inputs": [elements] * (MANY + 1)}).encode()
    value = json.loads(body)

    def refused() -> None:
        with pytest.raises(InvalidInput, match="has 20001 elements, and may have 20000 texts"):
            read_value(value, declared)

    assert peak(refused) < 200 * MANY
    value = {"inputs": value["inputs"][1:]}
    assert read_value(value, declared).rows == MANY


def test_numbers_beside_texts_have_room_for_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_arrays, "MOST_ROOM", 4 * 32 * 2)
    assert read(signature(), {"inputs": [1.5, "a"]}).data.nbytes == 4 * 32 * 2
    monkeypatch.setattr(text_arrays, "MOST_ROOM", 4 * 32 * 2 - 1)
    with pytest.raises(InvalidInput, match="the array 'inputs' is too large"):
        read(signature(), {"inputs": [1.5, "a"]})
