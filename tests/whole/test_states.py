"""The states of the model as values: what each tells, and why there is no model to ask."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from modelserver.states import UNCONFIGURED, Failed, Loading, Unconfigured, isoformat, now

SINCE = datetime(2026, 1, 31, 12, 0, 0, 999_000, timezone.utc)
TOLD: dict[str, Any] = {
    "since": "2026-01-31T12:00:00+00:00",
    "step": None,
    "reason": None,
    "next_try": None,
    "warnings": [],
}


def test_a_variable_with_nearly_the_right_name_is_told_first() -> None:
    state = Unconfigured(SINCE, "MODEL_URL is set; did you mean MODEL_URI?")
    reason = "MODEL_URL is set; did you mean MODEL_URI? There is no model to serve, since MODEL_URI"
    assert state.report()["reason"].startswith(reason)
    assert state.unavailable().message == state.report()["reason"]


def failed(seconds: float) -> Failed:
    """Failed while fetching, with the next try in so many seconds."""
    return Failed(SINCE, "no network", now() + timedelta(seconds=seconds), "fetching")


def test_what_is_told_of_each() -> None:
    assert Unconfigured(SINCE).report() == {
        **TOLD,
        "state": "unconfigured",
        "reason": UNCONFIGURED,
    }
    assert Loading(SINCE).report() == {**TOLD, "state": "loading"}
    assert Loading(SINCE, "fetching").report()["step"] == "fetching"
    state = failed(60)
    assert state.report() == {
        **TOLD,
        "state": "failed",
        "step": "fetching",
        "reason": "no network",
        "next_try": isoformat(state.next_try or SINCE),
    }


@pytest.mark.parametrize(
    ("state", "message", "headers"),
    [
        (Unconfigured(SINCE), UNCONFIGURED, {}),
        (
            Loading(SINCE),
            f"the model is still loading, since {TOLD['since']}",
            {"Retry-After": "5"},
        ),
        (
            Loading(SINCE, "fetching"),
            f"the model is still loading, since {TOLD['since']}: fetching",
            {"Retry-After": "5"},
        ),
    ],
)
def test_why_there_is_no_model(
    state: Unconfigured | Loading, message: str, headers: dict[str, str]
) -> None:
    error = state.unavailable()
    assert (error.status, error.message, error.headers) == (503, message, headers)


@pytest.mark.parametrize(
    ("seconds", "retry_after"), [(10.2, "10"), (0.2, "1"), (-5, "1"), (10**9, "60")]
)
def test_when_to_ask_again_after_a_failure(seconds: float, retry_after: str) -> None:
    error = failed(seconds).unavailable()
    assert error.message == "the model could not be loaded: no network"
    assert error.headers == {"Retry-After": retry_after}


def test_a_failure_that_is_not_tried_again() -> None:
    state = Failed(SINCE, "no such scheme", None)
    assert state.report()["next_try"] is None
    assert state.unavailable().headers == {}
