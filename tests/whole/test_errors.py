"""The tree of errors, and how names get into messages."""

import pytest

from modelserver import errors
from modelserver.errors import (
    LIMIT,
    ApiError,
    ModelRaised,
    bad_values,
    combined,
    error_body,
    spread,
)
from modelserver.types.names import are_params, clipped, hint, listed, quoted, suggested


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.BadRequest, 400, "BAD_REQUEST"),
        (errors.InvalidInput, 400, "INVALID_PARAMETER_VALUE"),
        (errors.PayloadTooLarge, 413, "MAX_READ_SIZE_EXCEEDED"),
        (errors.UnsupportedMediaType, 415, "BAD_REQUEST"),
        (errors.ModelFailed, 500, "INTERNAL_ERROR"),
        (errors.ModelUnavailable, 503, "TEMPORARILY_UNAVAILABLE"),
        (errors.Overloaded, 503, "TEMPORARILY_UNAVAILABLE"),
        (errors.TimedOut, 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_every_way_to_end_has_a_status_and_a_code(
    error: type[ApiError], status: int, code: str
) -> None:
    raised = error("why", [{"row": 1}], {"Retry-After": "1"})
    assert (raised.status, raised.error_code, str(raised)) == (status, code, "why")
    assert (raised.details, raised.headers) == ([{"row": 1}], {"Retry-After": "1"})


def test_what_a_model_raises_keeps_its_code_and_status() -> None:
    raised = ModelRaised("come back later", "RESOURCE_EXHAUSTED", 429)
    assert (raised.status, raised.error_code, raised.details) == (429, "RESOURCE_EXHAUSTED", ())


DECOMPOSED = "cafe\u0301"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ort", "did you mean 'ort'?"),
        ("MENGE", "did you mean 'menge'?"),
        (" menge ", "did you mean 'menge', without spaces at its start and end?"),
        ("menge ", "did you mean 'menge', without a space at its end?"),
        ("\xa0menge", "did you mean 'menge', without a space at its start?"),
        ("laenge", "did you mean 'laenge ', with a space at its end?"),
        ("laenge\t", "did you mean 'laenge ', with other spaces?"),
        (" Menge", "did you mean 'menge'?"),
        ("mnge", "did you mean 'menge'?"),
        (DECOMPOSED, "did you mean 'café', written in another Unicode normalisation?"),
        (DECOMPOSED.upper(), "did you mean 'café'?"),
        ("xyz", "None"),
        ("menge" * 20, "None"),
    ],
)
def test_hints(name: str, said: str) -> None:
    assert str(hint(name, ["ort", "menge", "café", "laenge "])) == said


def test_suggestions_are_limited() -> None:
    names = [f"x{number}" for number in range(22)]
    assert suggested(["Ort", *names], ["ort"]).startswith("'Ort' (did you mean 'ort'?), 'x0', ")
    assert suggested(["Ort", *names], ["ort"]).endswith("'x18' and 3 more")


def test_faults_of_one_body_are_told_together() -> None:
    one = errors.BadRequest("one", [{"row": number} for number in range(15)])
    two = errors.InvalidInput("two", [{"param": number} for number in range(15)])
    assert combined([one]) is one
    both = combined([one, two])
    assert (both.message, both.error_code) == ("one; two", "INVALID_PARAMETER_VALUE")
    assert list(both.details) == [*one.details, *list(two.details)[:5]]


def cell(row: int, column: str) -> dict[str, object]:
    return {"row": row, "column": column, "expected": "text", "found": "null"}


def test_details_are_spread_over_the_columns() -> None:
    first, second = ([cell(row, name) for row in range(LIMIT)] for name in "ab")
    last = [cell(7, "c")]
    taken = [(detail["row"], detail["column"]) for detail in spread([*first, *second, *last])]
    assert taken[:5] == [(0, "a"), (0, "b"), (7, "c"), (1, "a"), (1, "b")]
    assert len(taken) == LIMIT
    assert list(spread(first)) == first


def test_details_are_spread_over_tensors() -> None:
    details = [{"tensor": name, "index": [place]} for name in "xy" for place in range(LIMIT)]
    assert [detail["tensor"] for detail in spread(details)] == [*"xy"] * (LIMIT // 2)


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (1, ""),
        (2, " (and 1 more: details has all of them)"),
        (LIMIT - 1, f" (and {LIMIT - 2} more: details has all of them)"),
        (LIMIT, f" (and more: details has {LIMIT} of them)"),
        (LIMIT + 1, f" (and more: details has {LIMIT} of them)"),
    ],
)
def test_the_message_says_what_the_details_have(count: int, more: str) -> None:
    error = bad_values("here", [cell(row, "a") for row in range(count)])
    assert error.message == f"here: expected text, found null{more}"
    assert len(error.details) == min(count, LIMIT)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["stop"], "'stop' is a param; send it under 'params'"),
        (["a", "b"], "'a', 'b' are params; send them under 'params'"),
    ],
)
def test_params_among_the_input(names: list[str], said: str) -> None:
    assert are_params(names) == said


@pytest.mark.parametrize(
    ("name", "short"),
    [("a" * 80, "a" * 80), ("a" * 81, "a" * 79 + "…"), (5, 5), (None, None)],
)
def test_long_names_are_cut(name: object, short: object) -> None:
    assert clipped(name) == short
    assert quoted(name) == repr(short)


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a", 1], "'a', 1"), (["a", "b", "c"], "'a', 'b' and 1 more")],
)
def test_names_in_a_row(names: list[object], text: str) -> None:
    assert listed(names, limit=2) == text


def test_the_body_of_an_error() -> None:
    assert error_body("BAD_REQUEST", "why", ({"row": 1},), "id") == {
        "error_code": "BAD_REQUEST",
        "message": "why",
        "details": [{"row": 1}],
        "request_id": "id",
    }
