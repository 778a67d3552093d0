"""The endpoints of the pages: states, negotiation, headers, and life under a prefix."""

import asyncio
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from tests.support.zoo import SlowModel

Open = Callable[..., TestClient]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}


def app(**environment: str) -> Starlette:
    return create_app(read_settings(environment))


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc"])
def test_pages_load_from_their_origin_only(path: str, client: Open) -> None:
    answer = client("wine").get(path)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert ("unsafe-inline" in policy["style-src"]) is (path == "/redoc")
    assert "frame-ancestors" not in policy  # Posit Connect's dashboard frames the page
    assert "x-frame-options" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc"])
def test_all_links_are_relative_and_lead_somewhere(path: str, client: Open) -> None:
    wine = client("wine")
    links = re.findall(r'(?:href|src)="([^"]*)"', wine.get(path).text)
    assert len(links) >= 5
    for link in links:
        assert not link.startswith(("/", "http"))
        assert wine.get(f"/{link}").status_code == 200


def test_a_program_gets_a_summary(client: Open) -> None:
    answer = client("wine").get("/", headers=PROGRAM)
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["cache-control"] == "no-cache"
    summary = answer.json()
    assert summary.pop("since")
    links = summary.pop("links")
    assert summary == {
        "name": "wine",
        "version": None,
        "state": "ready",
        "reason": None,
        "step": None,
        "next_try": None,
        "description": None,
        "warnings": [],
    }
    for name, link in links.items():
        status = 405 if name == "invocations" else 200
        assert client("wine").get(f"/{link}").status_code == status


@pytest.mark.parametrize("headers", [{}, BROWSER, {"Accept": "*/*"}])
def test_everyone_else_gets_the_page(headers: dict[str, str], client: Open) -> None:
    answer = client("wine").get("/", headers=headers)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("environment", "status", "state", "text"),
    [
        ({}, 200, "unconfigured", "MODEL_URI=models:/my-model/1 python main.py"),
        ({"POSIT_PRODUCT": "CONNECT"}, 200, "unconfigured", "<b>Vars</b>"),
        ({"MODEL_URI": "/nowhere/model"}, 503, "failed", "there is no folder model"),
    ],
)
def test_states_without_a_model(
    environment: dict[str, str], status: int, state: str, text: str
) -> None:
    with TestClient(app(**environment)) as client:
        page, summary = client.get("/"), client.get("/", headers=PROGRAM)
        assert page.status_code == summary.status_code == status
        assert text in page.text
        assert f'data-state="{state}"' in page.text
        assert '<meta http-equiv="refresh"' in page.text
        assert summary.json()["state"] == state
        assert summary.json()["reason"]
        assert (summary.json()["next_try"] is None) is (state != "failed")
        assert summary.json()["name"] is None


def test_people_do_not_wait_for_the_model_as_programs_do(
    slow_model: SlowModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelserver.pages.site.PEOPLE_WAIT", 0.05)
    with TestClient(app(MODEL_URI=str(slow_model.path))) as client:
        page = client.get("/", headers=BROWSER)
        assert page.status_code == 200
        assert 'data-state="loading"' in page.text
        threading.Timer(0.2, slow_model.go).start()
        assert client.get("/").text.count('data-state="ready"') == 1
        assert '<meta http-equiv="refresh"' not in client.get("/").text


def test_a_page_on_connect_knows_its_url_and_asks_for_the_key(
    model_path: Callable[[str], Path], client: Open
) -> None:
    url = "https://connect.example.com/content/3f1c"
    headers = {"RStudio-Connect-App-Base-URL": f"{url}/"}
    page = client("wine", POSIT_PRODUCT="CONNECT").get("/", headers=headers).text
    assert f'curl &#x27;<span class="base">{url}</span>/invocations' in page
    assert "Authorization: Key $CONNECT_API_KEY" in page
    elsewhere = client("wine").get("/", headers=headers).text
    assert 'curl &#x27;<span class="base">http://testserver</span>/invocations' in elsewhere
    assert "Authorization" not in elsewhere


def test_a_page_with_a_key_of_its_own_shows_calls_that_send_it(
    model_path: Callable[[str], Path],
) -> None:
    key = "the-key-of-this-server"
    settings = read_settings({"MODEL_URI": str(model_path("wine")), "API_KEY": key})
    with TestClient(create_app(settings), headers={"Authorization": f"Key {key}"}) as client:
        page = client.get("/").text
    assert "Authorization: Key $API_KEY" in page
    assert "Calls need this server's key" in page
    assert key not in page


@pytest.mark.parametrize(("path", "location"), [("/docs/", "../docs"), ("/redoc/", "../redoc")])
def test_a_slash_too_many(path: str, location: str, client: Open) -> None:
    answer = client("wine").get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, location)


@pytest.mark.parametrize(
    ("root_path", "path", "location"),
    [
        ("/content/abc", "/content/abc", "abc/"),
        ("/content/abc/", "/content/abc", "abc/"),
        ("/wine: red", "/wine: red", "wine%3A%20red/"),
    ],
)
def test_a_prefix_without_its_slash(
    root_path: str, path: str, location: str, model_path: Callable[[str], Path]
) -> None:
    server = app(MODEL_URI=str(model_path("wine")))
    answer = asyncio.run(ask(server, "GET", root_path, path))
    assert (answer.status_code, answer.headers["location"]) == (307, location)
    assert asyncio.run(ask(server, "POST", root_path, path)).status_code in (404, 405)


async def ask(server: Starlette, method: str, root_path: str, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(server, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        return await client.request(method, path)


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/openapi.json", "/metadata"])
def test_mounted_in_another_app(path: str, client: Open) -> None:
    wine: Any = client("wine").app
    outer = TestClient(Starlette(routes=[Mount("/content/abc", wine)]))
    assert outer.get(f"/content/abc{path}").status_code == 200
    assert outer.get("/content/abc/docs/").url.path == "/content/abc/docs"
