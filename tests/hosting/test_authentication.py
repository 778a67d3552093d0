"""The API key: who must send it, how, and that it is compared and never shown."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from modelserver.hosting.variables import SettingsError
from tests.support.processes import wait_for

KEY = "canary-key-4711-8f3a"

Open = Callable[..., TestClient]


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def closed(model_path: Callable[[str], Path]) -> Iterator[TestClient]:
    """A client of a server with a key."""
    settings = read_settings({"MODEL_URI": str(model_path("one_long")), "API_KEY": KEY})
    with TestClient(create_app(settings)) as client:
        wait_for(lambda: client.get("/ping").status_code == 200)
        yield client


@pytest.mark.parametrize(
    "header", [f"Key {KEY}", f"Bearer {KEY}", f"bearer  {KEY} ", basic("x", KEY), basic("", KEY)]
)
def test_with_the_key(header: str, closed: TestClient) -> None:
    for path in ("/health", "/openapi.json", "/", "/docs"):
        assert closed.get(path, headers={"Authorization": header}).status_code == 200
    answer = closed.post("/invocations", json={"inputs": [1]}, headers={"Authorization": header})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, "is missing"),
        ("", "cannot be read"),
        (KEY, "cannot be read"),
        (f"Key {KEY}x", "is not the server's"),
        (f"Key {KEY[:-1]}", "is not the server's"),
        (f"Token {KEY}", "cannot be read"),
        ("Key", "cannot be read"),
        ("Basic ä", "cannot be read"),
        ("Basic " + KEY, "cannot be read"),
        (basic(KEY, ""), "cannot be read"),
    ],
)
def test_without_the_key(header: str | None, found: str, closed: TestClient) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for path in ("/health", "/metadata", "/openapi.json", "/", "/docs", "/nowhere", "/assets"):
        answer = closed.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
        assert answer.json()["message"] == (
            f"the API key {found}; send it as the header Authorization: Key your-key"
        )
        is_page = path in ("/", "/docs")
        assert ("Basic" in answer.headers["www-authenticate"]) == is_page  # a browser asks for it
    assert closed.post("/invocations", json={"inputs": [1]}, headers=headers).status_code == 401


def test_what_is_open(closed: TestClient) -> None:
    for path in ("/ping", "/ping/", "/v2/health/live", "/v2/health/ready"):
        assert closed.get(path).status_code == 200
    assert closed.get("/v2").status_code == 401
    page = closed.get("/", headers={"Authorization": f"Key {KEY}"}).text
    asset = page.partition('href="assets/')[2].partition('"')[0]
    assert closed.get(f"/assets/{asset}").status_code == 200
    assert closed.get("/assets/../health").status_code == 401
    assert closed.get("/assets/%2e%2e/health").status_code == 404


def test_under_a_prefix(closed: TestClient) -> None:
    mounted = TestClient(closed.app, root_path="/content/1")
    assert mounted.get("/content/1/ping").status_code == 200
    assert mounted.get("/content/1/health").status_code == 401


def test_without_api_key_all_is_open(client: Open) -> None:
    assert client("one_long").get("/health").status_code == 200


def test_on_connect_it_is_ignored() -> None:
    environment = {"API_KEY": KEY, "POSIT_PRODUCT": "CONNECT"}
    assert read_settings(environment).api_key is None
    assert read_settings({"API_KEY": KEY}).api_key == KEY


@pytest.mark.parametrize("key", ["short", "with blanks in the key", "schlüssel-schlüssel"])
def test_keys_that_no_header_can_hold_or_that_can_be_guessed(key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"API_KEY": key})
    assert str(raised.value) == (
        "API_KEY=…: expected a key of 16 or more ASCII characters without blanks"
    )


@pytest.mark.parametrize("key", ["", " ", '""'])
def test_an_empty_key_does_not_serve_everybody(key: str) -> None:
    """As from a shell or a file of settings in which the variable with the key is missing."""
    with pytest.raises(SettingsError, match=r"^API_KEY='': expected a key of 16 or more"):
        read_settings({"API_KEY": key})


def test_the_key_is_not_shown() -> None:
    settings = read_settings({"API_KEY": KEY})
    assert KEY not in repr(settings)
    assert KEY in settings.secrets
