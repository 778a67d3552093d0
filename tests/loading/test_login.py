"""Who asks the tracking server: whatever the user set, else Connect's key, on Connect only."""

import pytest
import requests
from requests.adapters import HTTPAdapter

from modelserver.hosting.connect import Connect
from modelserver.hosting.login import (
    ANYBODY,
    CHECKS,
    CONNECT_KEY,
    ELSEWHERE,
    IN_URI,
    KEY_AS_TOKEN,
    NO_KEY,
    NOBODY,
    USERS,
    KeyAuth,
    Login,
    choose_login,
)
from modelserver.hosting.settings import read_settings

CONNECT = Connect("https://host/rsc", "k")
WITHOUT_KEY = Connect("https://host/rsc", None)
NO_CONNECT = Connect(None, None)
THERE = "https://host/rsc/mlflow"


@pytest.mark.parametrize("connect", [CONNECT, WITHOUT_KEY, NO_CONNECT])
@pytest.mark.parametrize("uri", [THERE, "https://elsewhere/"])
@pytest.mark.parametrize("name", CHECKS)
def test_what_the_user_set_wins(name: str, uri: str, connect: Connect) -> None:
    said = {CHECKS[name], KEY_AS_TOKEN} if name == "MLFLOW_TRACKING_TOKEN" else {CHECKS[name]}
    login = choose_login({name: "x"}, connect, uri)
    assert login.auth is None
    assert login.check in said
    assert login.user == USERS.get(name, ANYBODY)


@pytest.mark.parametrize(
    ("connect", "uri", "login"),
    [
        (CONNECT, THERE, Login(CONNECT_KEY, KeyAuth(CONNECT))),
        (WITHOUT_KEY, THERE, Login(NO_KEY)),
        (
            CONNECT,
            "https://user:pass@host/rsc/mlflow",
            Login(IN_URI, user="the user in MLFLOW_TRACKING_URI"),
        ),
        (CONNECT, "https://elsewhere/mlflow", Login(ELSEWHERE)),
        (WITHOUT_KEY, "https://elsewhere/mlflow", Login(ELSEWHERE)),
        (CONNECT, "sqlite:///mlflow.db", Login(ELSEWHERE)),
        (NO_CONNECT, THERE, Login(NOBODY)),
        (NO_CONNECT, None, Login(NOBODY)),
    ],
)
def test_otherwise(connect: Connect, uri: str | None, login: Login) -> None:
    assert choose_login({"MLFLOW_TRACKING_TOKEN": ""}, connect, uri) == login


def test_the_publishers_own_key_is_used_on_their_machine() -> None:
    """The variables that rsconnect reads also open a tracking server on the same Connect."""
    environment = {"CONNECT_SERVER": "https://host/rsc", "CONNECT_API_KEY": "k"}
    assert read_settings({**environment, "MLFLOW_TRACKING_URI": THERE}).login.auth
    assert read_settings({**environment, "MLFLOW_TRACKING_URI": "https://x"}).login.auth is None
    assert read_settings(environment).login.auth is None


def test_an_empty_key_is_none() -> None:
    environment = {"POSIT_PRODUCT": "CONNECT", "CONNECT_SERVER": "https://host/"}
    assert read_settings({**environment, "CONNECT_API_KEY": " "}).login == Login(NO_KEY)


@pytest.mark.parametrize(
    ("uri", "check"),
    [
        ("https://host/rsc/mlflow", KEY_AS_TOKEN),
        ("https://elsewhere/mlflow", CHECKS["MLFLOW_TRACKING_TOKEN"]),
        (None, CHECKS["MLFLOW_TRACKING_TOKEN"]),
    ],
)
def test_a_key_of_connect_that_is_sent_as_a_token(uri: str | None, check: str) -> None:
    connect = Connect("https://host/rsc", "k")
    login = choose_login({"MLFLOW_TRACKING_TOKEN": "k"}, connect, uri)
    assert login == Login(check, user=USERS["MLFLOW_TRACKING_TOKEN"])
    assert "CONNECT_API_KEY" in check


class Redirecting(HTTPAdapter):
    """A network on which the first URL redirects to the second. It keeps what was sent where."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location
        self.sent: list[tuple[str, str | bytes | None]] = []

    def send(
        self, request: requests.PreparedRequest, *args: object, **kwargs: object
    ) -> requests.Response:
        self.sent.append((str(request.url), request.headers.get("Authorization")))
        response = requests.Response()
        response.request, response.url = request, str(request.url)
        response.status_code = 302 if len(self.sent) == 1 else 200
        response.headers["location"] = self.location
        return response


@pytest.mark.parametrize(
    ("server", "location", "key_arrives"),
    [
        ("https://host/rsc", "https://host/rsc/mlflow/", True),
        ("https://host/rsc", "/rsc/mlflow/", True),
        ("https://host/rsc", "https://host/other", False),
        ("https://host/rsc", "../../other", False),
        ("https://host/rsc", "https://evil.example/rsc/mlflow", False),
        ("https://host/rsc", "//evil.example/rsc/mlflow", False),
        ("https://host/rsc", "https://host:8443/rsc/mlflow", False),
        ("https://host/rsc", "http://host/rsc/mlflow", False),
        ("http://host/rsc", "https://host/rsc/mlflow", False),
    ],
)
def test_redirects(server: str, location: str, key_arrives: bool) -> None:
    network = Redirecting(location)
    with requests.Session() as session:
        session.mount("https://", network)
        session.mount("http://", network)
        session.get(f"{server}/mlflow/api", auth=KeyAuth(Connect(server, "k")))
    assert [key for _, key in network.sent] == ["Key k", "Key k" if key_arrives else None]


def test_other_credentials_are_left_alone() -> None:
    network = Redirecting("")
    with requests.Session() as session:
        session.mount("https://", network)
        headers = {"Authorization": "Bearer t"}
        session.get(THERE, auth=KeyAuth(CONNECT), headers=headers, allow_redirects=False)
    assert network.sent == [(THERE, "Bearer t")]
