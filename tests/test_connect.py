"""Posit Connect is known by its product variable, and by nothing else."""

import pytest

from modelserver.connect import is_connect
from modelserver.settings import read_settings


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"POSIT_PRODUCT": "CONNECT"}, True),
        ({"RSTUDIO_PRODUCT": "CONNECT"}, True),
        ({"POSIT_PRODUCT": "WORKBENCH"}, False),
        ({"CONNECT_SERVER": "https://connect.example.com/", "CONNECT_API_KEY": "k"}, False),
        ({}, False),
    ],
)
def test_is_connect(environment: dict[str, str], expected: bool) -> None:
    assert is_connect(environment) is expected
    assert read_settings(environment).on_connect is expected
