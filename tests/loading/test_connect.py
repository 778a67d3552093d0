"""Posit Connect is known by its product variable, and its URLs by scheme, host, port and path."""

from typing import Any

import pytest

from modelserver.hosting.connect import Connect, is_connect
from modelserver.hosting.settings import read_settings
from modelserver.hosting.variables import SettingsError

ON_CONNECT = {"POSIT_PRODUCT": "CONNECT"}


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


@pytest.mark.parametrize(
    ("environment", "uri"),
    [
        ({"CONNECT_SERVER": "https://host/"}, "https://host/mlflow"),
        ({"CONNECT_SERVER": "https://host"}, "https://host/mlflow"),
        ({"CONNECT_SERVER": "https://host/rsc/"}, "https://host/rsc/mlflow"),
        ({"CONNECT_SERVER": "https://host/rsc//"}, "https://host/rsc/mlflow"),
        ({"CONNECT_SERVER": "http://host:3939/"}, "http://host:3939/mlflow"),
        ({"CONNECT_SERVER": "https://host/", "MLFLOW_TRACKING_URI": "http://x"}, "http://x"),
        ({"CONNECT_SERVER": ""}, None),
        ({}, None),
    ],
    ids=str,
)
def test_tracking_uri_on_connect(environment: dict[str, str], uri: str | None) -> None:
    assert read_settings({**ON_CONNECT, **environment}).tracking_uri == uri


def test_elsewhere_connect_is_not_the_tracking_server() -> None:
    assert read_settings({"CONNECT_SERVER": "https://host/"}).tracking_uri is None


def test_a_server_that_is_no_url() -> None:
    with pytest.raises(SettingsError, match="CONNECT_SERVER=…: expected a URL with http"):
        read_settings({**ON_CONNECT, "CONNECT_SERVER": "host"})


@pytest.mark.parametrize(
    ("server", "url", "expected"),
    [
        ("https://host", "https://host", True),
        ("https://host", "https://host/mlflow/api/2.0/x?y=z", True),
        ("https://host", "HTTPS://HOST:443/mlflow", True),
        ("http://host:80", "http://host/mlflow", True),
        ("https://host/rsc", "https://host/rsc", True),
        ("https://host/rsc", "https://host/rsc/mlflow", True),
        ("https://host/rsc", "https://host/rsc2/mlflow", False),
        ("https://host/rsc", "https://host/", False),
        ("https://host/rsc", "https://host/rsc/../x", False),
        ("https://host/rsc", "https://host/rsc/%2e%2E/x", False),
        ("https://host", "http://host/mlflow", False),
        ("http://host", "https://host/mlflow", False),
        ("https://host", "https://host:8443/mlflow", False),
        ("https://host", "https://host.evil.example/mlflow", False),
        ("https://host", "https://host@evil.example/mlflow", False),
        ("https://host", "https://evil.example/host/", False),
        ("https://host", "https://evil.example\\@host.example/", False),
        ("https://host", "https://host:port/", False),
        ("https://host", "//host/mlflow", False),
        ("https://host", "sqlite:///mlflow.db", False),
        ("https://host", "", False),
        ("https://host", "http://[", False),
        (None, "https://host", False),
        (None, "", False),
    ],
)
def test_which_urls_are_connects(server: str | None, url: str, expected: bool) -> None:
    assert Connect(server, "k").covers(url) is expected


@pytest.mark.parametrize("show", [repr, str])
def test_the_key_is_not_shown(show: Any) -> None:
    environment = {**ON_CONNECT, "CONNECT_SERVER": "https://host/", "CONNECT_API_KEY": "secret"}
    settings = read_settings(environment)
    assert settings.login.auth is not None
    assert settings.login.auth.connect.api_key == "secret"
    assert "secret" not in show(settings)
