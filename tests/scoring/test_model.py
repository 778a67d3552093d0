"""What is known of a loaded model."""

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from modelserver.reading.signatures.compiling import compile_signature
from modelserver.scoring.model import Model, Registration

METADATA = {
    "flavors": {"python_function": {"loader_module": "mlflow.sklearn"}},
    "run_id": "r",
    "model_id": "m",
    "mlflow_version": "3.0.0",
    "utc_time_created": "2026-01-02 03:04:05.000006",
    "signature": {"inputs": '[{"type": "double"}]', "outputs": None},
}

MODEL = Model(
    uri="runs:/r/wine",
    registration=Registration("runs:/r/wine"),
    metadata=METADATA,
    signature=compile_signature(None, from_type_hint=False),
    example=None,
    example_payload=None,
    predict=lambda payload: payload.data,
    row_wise=False,
    loaded_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
)

IDENTITY = {
    "model_uri": "runs:/r/wine",
    "name": None,
    "version": None,
    "run_id": "r",
    "model_id": "m",
    "flavor": "sklearn",
    "loaded_at": "2026-01-02T03:04:05+00:00",
    "load_seconds": 0.0,
    "model_mlflow_version": "3.0.0",
}


def test_identity() -> None:
    assert MODEL.identity() == IDENTITY
    assert replace(MODEL, load_seconds=1.2345).identity()["load_seconds"] == 1.23


@pytest.mark.parametrize(
    ("example", "has_example"), [(None, False), (b"{}", True)], ids=["no example", "an example"]
)
def test_details(example: bytes | None, has_example: bool) -> None:
    expected: dict[str, Any] = {
        **IDENTITY,
        "title": "wine",
        "description": None,
        "tags": {},
        "signature": {"inputs": [{"type": "double"}], "outputs": None},
        "has_example": has_example,
        "methods": ["predict"],
        "created_at": "2026-01-02T03:04:05+00:00",
    }
    assert replace(MODEL, example=example).details() == expected


@pytest.mark.parametrize(
    ("uri", "name", "title"),
    [("models:/a/1", "a", "a"), ("runs:/r/path/wine", None, "wine"), ("wine/", None, "wine")],
)
def test_title(uri: str, name: str | None, title: str) -> None:
    assert replace(MODEL, uri=uri, registration=Registration(uri, name)).title == title


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-01-02 03:04:05.000006", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02 03:04:05+02:00", "2026-01-02T01:04:05+00:00"),
        ("yesterday", None),
        (None, None),
    ],
)
def test_when_it_was_logged(written: str | None, shown: str | None) -> None:
    model = replace(MODEL, metadata={**METADATA, "utc_time_created": written})
    assert model.details()["created_at"] == shown
