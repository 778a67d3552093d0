"""MLflow's real client, set up by settings, before a real tracking server behind doors.

The doors stand where Connect stands: they say which Authorization each request carried.
"""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.types import ASGIApp

from modelserver.hosting.login import CHECKS, CONNECT_KEY, KEY_AS_TOKEN, NO_KEY
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LoadFailed
from modelserver.loading.loader import load_model
from modelserver.scoring.model import Model
from tests.support.connect.door import Door
from tests.support.serving import serving

pytestmark = pytest.mark.usefixtures("light")

KEY = "6d3e1f0a-key"
CREDENTIALS = (
    *CHECKS,
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    "_MLFLOW_IS_IN_SERVING_ENVIRONMENT",
)


@pytest.fixture(autouse=True)
def _mlflow_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in CREDENTIALS:
        monkeypatch.setenv(name, "")  # so that it is undone
        monkeypatch.delenv(name)
    yield
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


@contextlib.contextmanager
def opened(
    doors: dict[str, ASGIApp], host: str = "127.0.0.1", certificate: Path | None = None
) -> Iterator[str]:
    """The URL of a server with doors at these paths."""
    app = Starlette(routes=[Mount(path, door) for path, door in doors.items()])
    with serving(app, certificate=certificate) as url:
        yield url.replace("127.0.0.1", host)


login_page = HTMLResponse("<!DOCTYPE html><title>Log in</title>")


def only_key(authorization: str | None) -> bool:
    return authorization == f"Key {KEY}"


def load(server: str, **environment: str) -> Model:
    """A model that is quick to load, loaded as content of the Connect at `server`."""
    connect = {"POSIT_PRODUCT": "CONNECT", "CONNECT_SERVER": server, "CONNECT_API_KEY": KEY}
    uri = {"MODEL_URI": "models:/light/1"}
    return load_model(read_settings({**connect, **uri, **environment}))


def drop(model: Model) -> None:
    assert model.folder is not None
    model.folder.cleanup()


HOSTS = pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost"], ids=["another port", "another host"]
)


@pytest.mark.parametrize("path", ["/", "/rsc/"])
def test_every_request_to_connect_carries_the_key(
    path: str, wine_registry: str, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(wine_registry, only_key)
    with caplog.at_level(logging.DEBUG), opened({f"{path}mlflow": door}) as url:
        model = load(url + path, MODEL_URI="models:/wine@champion")
    assert model.registration.version == "1"
    drop(model)
    assert len(door.seen) > 5  # the registry, a listing, the artifacts
    assert set(door.seen) == {f"Key {KEY}"}
    assert KEY not in caplog.text


@HOSTS
def test_a_server_elsewhere_never_sees_it(wine_registry: str, host: str) -> None:
    elsewhere, connect = Door(wine_registry), Door(wine_registry)
    with opened({"/": elsewhere}, host) as url, opened({"/": connect}) as server:
        drop(load(f"{server}/", MLFLOW_TRACKING_URI=url))
    assert set(elsewhere.seen) == {None}
    assert connect.seen == []


@HOSTS
@pytest.mark.parametrize("status", [302, 307])
def test_nor_does_a_server_that_connect_redirects_to(
    wine_registry: str, host: str, status: int
) -> None:
    elsewhere = Door(wine_registry)
    with opened({"/": elsewhere}, host) as url:
        connect = Door(wine_registry, moved_to=url, moved_with=status)
        with opened({"/mlflow": connect}) as server:
            drop(load(f"{server}/"))
    assert set(connect.seen) == {f"Key {KEY}"}
    assert set(elsewhere.seen) == {None}


@pytest.mark.parametrize("to_https", [True, False], ids=["http to https", "https to http"])
def test_nor_does_the_same_host_with_another_scheme(
    to_https: bool, certificate: Path, wine_registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    at_connect, elsewhere = (None, certificate) if to_https else (certificate, None)
    target = Door(wine_registry)
    with opened({"/": target}, certificate=elsewhere) as url:
        connect = Door(wine_registry, moved_to=url)
        with opened({"/mlflow": connect}, certificate=at_connect) as server:
            drop(load(f"{server}/"))
    assert set(connect.seen) == {f"Key {KEY}"}
    assert set(target.seen) == {None}


def test_nor_does_a_neighbour_on_the_same_host(wine_registry: str) -> None:
    neighbour = Door(wine_registry)
    connect = Door(wine_registry, moved_to="/neighbour")
    with opened({"/neighbour": neighbour, "/rsc/mlflow": connect}) as server:
        drop(load(f"{server}/rsc/"))
    assert set(connect.seen) == {f"Key {KEY}"}
    assert set(neighbour.seen) == {None}


def test_a_redirect_within_connect_keeps_the_key(wine_registry: str) -> None:
    content = Door(wine_registry, only_key)
    vanity = Door(wine_registry, moved_to="/content/5f6f3a9c")
    with opened({"/content/5f6f3a9c": content, "/mlflow": vanity}) as server:
        drop(load(f"{server}/"))
    assert set(content.seen) == {f"Key {KEY}"}


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "t"}, "Bearer t"),
        (
            {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "secret"},
            "Basic bWU6c2VjcmV0",
        ),
    ],
    ids=["token", "password"],
)
@pytest.mark.parametrize("place", ["on Connect", "elsewhere"])
def test_what_the_user_set_is_sent_instead(
    credentials: dict[str, str],
    sent: str,
    place: str,
    wine_registry: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)  # MLflow reads these itself
    door = Door(wine_registry, lambda authorization: authorization == sent)
    with opened({"/mlflow": door}) as url:
        server = f"{url}/" if place == "on Connect" else "https://connect.example.com/"
        drop(load(server, MLFLOW_TRACKING_URI=f"{url}/mlflow", **credentials))
    assert set(door.seen) == {sent}


def test_a_plugin_that_the_user_chose(wine_registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "theirs")
    door = Door(wine_registry)
    with opened({"/mlflow": door}) as url, pytest.warns(UserWarning, match="plugin for theirs"):
        drop(load(f"{url}/", MLFLOW_TRACKING_AUTH="theirs"))
    assert set(door.seen) == {None}


@pytest.mark.parametrize(
    ("environment", "check"),
    [
        ({"CONNECT_API_KEY": "of-somebody-else"}, CONNECT_KEY),
        ({"CONNECT_API_KEY": ""}, NO_KEY),
        ({"MLFLOW_TRACKING_TOKEN": "stale"}, KEY_AS_TOKEN),
    ],
    ids=["not a viewer", "no automatic keys", "token"],
)
@pytest.mark.parametrize("uri", ["models:/wine/1", "mlflow-artifacts:/0/model"])
def test_connects_login_page_is_a_refused_login(
    environment: dict[str, str], check: str, uri: str, wine_registry: str
) -> None:
    door = Door(wine_registry, only_key, login_page="/connect/")
    with (
        opened({"/mlflow": door, "/connect": login_page}) as url,
        pytest.raises(LoadFailed) as failed,
    ):
        load(f"{url}/", **{"MODEL_URI": uri, **environment})
    assert str(failed.value) == (
        f"the tracking server {url}/mlflow refused the login (it answered with a web page): {check}"
    )


def test_one_process_can_change_its_key(wine_registry: str) -> None:
    door = Door(wine_registry)
    with opened({"/mlflow": door}) as url:
        for key in ("first", "second", "first"):
            drop(load(f"{url}/", CONNECT_API_KEY=key))
            assert set(door.seen) == {f"Key {key}"}
            door.seen.clear()
