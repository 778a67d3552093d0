"""What the log says of how a model is asked."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scoring.test_batching import load


@pytest.mark.parametrize(
    ("name", "filled"), [("imputed", "'b', 'c'"), ("tolerant", "'b'"), ("fragile", None)]
)
def test_the_log_names_absent_columns_that_are_filled(
    name: str,
    filled: str | None,
    model_path: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    load(model_path(name))
    said = "absent optional columns reach the model as missing values: "
    assert [text for text in caplog.messages if text.startswith(said)] == (
        [said + filled] if filled else []
    )
