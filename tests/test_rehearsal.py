"""The real app asked from inside."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelserver.deployment.rehearsal import faults, rehearse
from modelserver.settings import read_settings


def test_a_model_with_an_example(model_path: Callable[[str], Path]) -> None:
    rehearsal = rehearse(read_settings({"MODEL_URI": str(model_path("wine"))}))
    assert rehearsal.health.json()["state"] == "ready"
    assert rehearsal.prediction is not None
    assert rehearsal.prediction.status == 200
    assert len(rehearsal.prediction.json()["predictions"]) == 2
    assert rehearsal.document is not None
    assert list(faults(rehearsal.document.json())) == []


def test_a_model_without_an_example(model_path: Callable[[str], Path]) -> None:
    rehearsal = rehearse(read_settings({"MODEL_URI": str(model_path("one_long"))}))
    assert rehearsal.prediction is None
    assert rehearsal.document is not None


def test_no_model(tmp_path: Path) -> None:
    rehearsal = rehearse(read_settings({"MODEL_URI": str(tmp_path)}))
    assert rehearsal.health.status == 503
    assert rehearsal.health.json()["state"] == "failed"
    assert rehearsal.document is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"openapi": "3.1.0", "paths": {"/invocations": {}}}, []),
        ({}, ["it is not OpenAPI 3.1", "it has no /invocations"]),
        (
            {
                "openapi": "3.1.0",
                "paths": {"/invocations": [{"$ref": "#/a/b"}, {"$ref": "#/a/c/d"}]},
                "a": {"b": {"$ref": "#/x"}, "c": 1},
            },
            ["there is no #/a/c/d", "there is no #/x"],
        ),
    ],
)
def test_faults(document: dict[str, Any], expected: list[str]) -> None:
    assert list(faults(document)) == expected
