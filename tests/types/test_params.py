"""Params: what a model gets for what was sent, and how wrong ones are named."""

from datetime import date, datetime
from typing import Any

import pytest

from modelserver.errors import InvalidInput
from modelserver.types.dates import NUMBER_FOR_DATE
from modelserver.types.params import Params


def spec(name: str, kind: str, default: Any, shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "default": default, "shape": shape}


PARAMS = Params.compile(
    [
        spec("flag", "boolean", False),
        spec("count", "integer", 1),
        spec("size", "long", None),
        spec("ratio", "float", 0.5),
        spec("rate", "double", 0.25),
        spec("label", "string", "a"),
        spec("when", "datetime", "2024-01-01T00:00:00"),
        spec("days", "datetime", ["2024-01-01", "2024-01-02"], [-1]),
        spec("weights", "double", [1.0, 2.0], [-1]),
        {
            "name": "nested",
            "type": "object",
            "properties": {
                "x": {"type": "long", "required": True},
                "t": {"type": "datetime", "required": False},
            },
            "default": {"x": 1},
            "shape": None,
        },
    ]
)
DEFAULTS = {
    "flag": False,
    "count": 1,
    "size": None,
    "ratio": 0.5,
    "rate": 0.25,
    "label": "a",
    "when": datetime(2024, 1, 1),
    "days": [date(2024, 1, 1), date(2024, 1, 2)],
    "weights": [1.0, 2.0],
    "nested": {"x": 1},
}
KNOWN = "'flag', 'count', 'size', 'ratio', 'rate', 'label', 'when', 'days', 'weights', 'nested'"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, {}),
        ({}, {}),
        ({"flag": True, "count": 2**40, "label": "ü"},) * 2,
        ({"ratio": 1, "rate": 2}, {"ratio": 1.0, "rate": 2.0}),
        ({"count": 3.0, "size": 4.0}, {"count": 3, "size": 4}),
        ({"rate": None, "count": None},) * 2,
        ({"when": "2024-02-03"}, {"when": date(2024, 2, 3)}),
        ({"when": "2024-02-03T04:05:06.5Z"}, {"when": datetime(2024, 2, 3, 4, 5, 6, 500_000)}),
        ({"weights": [3, None]}, {"weights": [3.0, None]}),
        ({"weights": []},) * 2,
        ({"nested": {"x": 2, "t": "2024-01-02"}},) * 2,
    ],
    ids=str,
)
def test_given_params_replace_defaults(given: Any, read: dict[str, Any]) -> None:
    values = PARAMS.read(given)
    assert repr(values) == repr(DEFAULTS | read)  # also the types


def test_old_signatures_say_dtype_instead_of_type() -> None:
    params = Params.compile([{"name": "n", "dtype": "long", "default": 1, "shape": None}])
    assert params.read({"n": 2}) == {"n": 2}


@pytest.mark.parametrize("given", [None, {}])
def test_a_model_without_params_gets_what_was_given(given: Any) -> None:
    assert Params(()).read(given) == given


DATE = "an ISO 8601 date or date-time"
LONG = "a whole number of 64 bits"


@pytest.mark.parametrize(
    ("given", "expected", "found"),
    [
        ({"flag": 1}, "true or false", "an integer"),
        ({"count": True}, "a whole number of 32 bits", "a boolean"),
        ({"size": 1.5}, LONG, "a number"),
        ({"size": "1"}, LONG, "text"),
        ({"size": 2**63}, LONG, "an integer beyond 64 bits"),
        ({"size": -(2**63) - 1}, LONG, "an integer beyond 64 bits"),
        ({"rate": "1"}, "a number (64-bit float)", "text"),
        ({"label": 1}, "text", "an integer"),
        ({"when": 5}, DATE, "an integer"),
        ({"when": "2024-02-30"}, DATE, "text that is no possible date (ISO 8601, 1677 to 2262)"),
        ({"when": "2024-02-03T04:05:06.123456789"}, DATE, "a time finer than microseconds"),
        ({"weights": 1}, "an array of a number (64-bit float)", "an integer"),
        ({"weights": [1, "a"]}, "a number (64-bit float)", "text"),
        ({"nested": 1}, "an object", "an integer"),
        ({"nested": {"x": "a"}}, LONG, "text at x"),
        ({"nested": {"x": 1, "t": 2**63}}, DATE, f"{NUMBER_FOR_DATE.format('an integer')} at t"),
    ],
    ids=str,
)
def test_wrong_values_are_refused(given: dict[str, Any], expected: str, found: str) -> None:
    name = next(iter(given))
    with pytest.raises(InvalidInput) as refusal:
        PARAMS.read(given)
    assert refusal.value.details == [{"param": name, "expected": expected, "found": found}]
    assert refusal.value.message == (
        f"param {name!r}: expected {expected}, found {found}. The model takes: {KNOWN}"
    )


UNKNOWN = "a param that the model does not take"


@pytest.mark.parametrize(
    ("params", "given", "message", "details"),
    [
        (
            PARAMS,
            {"counts": 1, "?": 2},
            f"unknown param 'counts', did you mean 'count'?; unknown param '?'. "
            f"The model takes: {KNOWN}",
            [
                {"param": "counts", "found": UNKNOWN, "did_you_mean": "count"},
                {"param": "?", "found": UNKNOWN},
            ],
        ),
        (
            Params(()),
            {"x" * 81: 1},
            f"unknown param '{'x' * 79}…'. The model takes: no params",
            [{"param": "x" * 79 + "…", "found": UNKNOWN}],
        ),
        (PARAMS, [1], "'params' must be an object, not an array", ()),
    ],
    ids=["unknown", "none known", "no object"],
)
def test_unknown_params_are_refused(params: Params, given: Any, message: str, details: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        params.read(given)
    assert (refusal.value.message, refusal.value.details) == (message, details)
