"""Work per request: it grows with the request, not with the signature times requests seen.

What is counted are calls of Python functions, which no machine makes faster or slower.
"""

import contextlib
import gc
import json
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from modelserver.errors import BadRequest
from modelserver.reading import input_forms, wrappings
from modelserver.reading.json_reader import json_payload
from modelserver.reading.signatures import compiling
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Signature
from modelserver.types import names

ROWS = 64


def wide(columns: int, kind: str) -> Signature:
    inputs = [{"name": f"c{place}", "type": kind} for place in range(columns)]
    return compile_signature({"inputs": json.dumps(inputs)}, from_type_hint=False)


def body(columns: int, rows: int, cell: Any) -> bytes:
    table = {
        "columns": [f"c{place}" for place in range(columns)],
        "data": [[cell] * columns] * rows,
    }
    return json.dumps({"dataframe_split": table}).encode()


def calls(work: Callable[[], Any]) -> Counter[str]:
    """How often each function is called, of ours and of libraries."""
    counts: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            counts[f"{frame.f_code.co_filename}:{frame.f_code.co_name}"] += 1
        elif event == "c_call":
            counts[f"c:{getattr(argument, '__qualname__', argument)}"] += 1

    work()  # what is done once, such as imports, is not counted
    gc.disable()  # others' callbacks of the collector would be counted by chance
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return counts


def reading(signature: Signature, content: bytes) -> Counter[str]:
    return calls(lambda: json_payload(content, signature, 10**8))


KINDS = [
    ("double", 0.5),
    ("long", 3),
    ("string", "a"),
    ("boolean", True),
    ("datetime", "2024-01-02"),
]


@pytest.mark.parametrize(("kind", "cell"), KINDS)
def test_cells_are_not_handled_one_by_one(kind: str, cell: Any) -> None:
    signature = wide(3, kind)
    few = reading(signature, body(3, ROWS, cell)).total()
    many = reading(signature, body(3, 16 * ROWS, cell)).total()
    # Of a text the length and the letters are looked at; one call of pandas would be dozens.
    assert many - few <= 3 * (3 * 15 * ROWS)


@pytest.mark.parametrize(("kind", "cell"), KINDS)
def test_calls_grow_with_the_columns_at_most(kind: str, cell: Any) -> None:
    few = reading(wide(10, kind), body(10, 2, cell)).total()
    many = reading(wide(80, kind), body(80, 2, cell)).total()
    assert many <= 8 * few


@pytest.mark.parametrize(("kind", "cell"), KINDS)
def test_later_requests_are_not_more_work(kind: str, cell: Any) -> None:
    signature, content = wide(10, kind), body(10, 2, cell)
    first = reading(signature, content)
    for _ in range(50):
        json_payload(content, signature, 10**8)
    assert reading(signature, content) == first


def test_doubles_are_read_at_once_however_many_columns() -> None:
    few = reading(wide(10, "double"), body(10, ROWS, 0.5)).total()
    many = reading(wide(80, "double"), body(80, ROWS, 0.5)).total()
    assert many - few < 8 * 80


def test_requests_compile_nothing() -> None:
    signature, content = wide(10, "long"), body(10, 2, 3)
    compiled = [name for name in vars(compiling) if name.lstrip("_").startswith("compile")]
    assert compiled
    counts = reading(signature, content)
    assert not [name for name in counts if name.rpartition(":")[2] in compiled]


@pytest.mark.parametrize(("kind", "cell"), KINDS)
def test_one_nan_costs_about_as_much_as_one_null(kind: str, cell: Any) -> None:
    inputs = [{"name": f"c{place}", "type": kind, "required": False} for place in range(3)]
    signature = compile_signature({"inputs": json.dumps(inputs)}, from_type_hint=False)
    plain = body(3, 1000, cell)
    first, rest = plain.rsplit(json.dumps(cell).encode(), 1)
    null, nan = (reading(signature, first + gap + rest).total() for gap in (b"null", b"NaN"))
    assert nan < 2 * null + 100


@pytest.mark.parametrize("form", [{}, {"inputs": {"c0": [1]}}], ids=["no form", "beside a form"])
def test_only_some_of_many_unknown_keys_are_compared_with_known_ones(
    form: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (input_forms, wrappings):
        monkeypatch.setattr(module, "MOST_GUESSES", 40)
    param = {"name": "p", "dtype": "long", "default": 1, "shape": None}
    inputs = json.dumps([{"name": "c0", "type": "double"}])
    declared = compile_signature({"inputs": inputs, "params": json.dumps([param])}, False)
    content = json.dumps(form | {f"k{number}": 1 for number in range(500)}).encode()

    def read() -> None:
        with contextlib.suppress(BadRequest):
            json_payload(content, declared, 10**8)

    counts = calls(read)
    assert 10 <= counts[f"{names.__file__}:hint"] <= 40
