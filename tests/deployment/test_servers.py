"""Which Connect `deploy` sends to."""

import json
import sys
from pathlib import Path

import pytest
from rsconnect.metadata import config_dirname

from modelserver.deployment.servers import as_on_connect, no_server, with_server

WORK = {"name": "work", "url": "https://work.example.com", "api_key": "of-work"}
HOME = {"name": "home", "url": "https://home.example.com", "snowflake_connection_name": "s"}

Options = list[tuple[str, ...]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Two servers are saved."""
    folder = Path(config_dirname(env={"HOME": str(tmp_path)}))
    folder.mkdir()
    servers = {"work": WORK, "home": HOME}
    (folder / "servers.json").write_text(json.dumps(servers))
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("variables", "options", "server", "key"),
    [
        ({}, [], None, None),
        ({}, [("--name", "work")], WORK["url"], "of-work"),
        ({}, [("-n", "home")], HOME["url"], ""),
        ({}, [("-n", "nowhere")], None, None),
        ({}, [("-v",), ("--server", "https://work.example.com")], WORK["url"], "of-work"),
        ({}, [("-s", "https://other"), ("-k", "k")], "https://other", "k"),
        ({"CONNECT_SERVER": "https://a", "CONNECT_API_KEY": "k"}, [], "https://a", "k"),
        ({"CONNECT_SERVER": "https://a", "CONNECT_API_KEY": "k"}, [("-n", "work")],
         WORK["url"], "of-work"),
        ({"CONNECT_SERVER": "https://a"}, [], "https://a", None),
    ],
)  # fmt: skip
def test_the_server(
    variables: dict[str, str],
    options: Options,
    server: str | None,
    key: str | None,
    environment: dict[str, str],
) -> None:
    known = with_server({**environment, **variables}, options)
    assert (known.get("CONNECT_SERVER"), known.get("CONNECT_API_KEY")) == (server, key)


@pytest.mark.parametrize(
    ("variables", "options", "lacks"),
    [
        ({}, [], False),
        ({}, [("-n", "home")], False),
        ({"CONNECT_SERVER": "https://a"}, [], True),
        ({"CONNECT_SERVER": "https://a"}, [("--token", "t")], False),
    ],
)
def test_what_is_lacking(
    variables: dict[str, str], options: Options, lacks: bool, environment: dict[str, str]
) -> None:
    assert bool(no_server({**environment, **variables}, options)) == lacks


def test_without_rsconnect_the_environment_alone_names_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("rsconnect", "rsconnect.metadata"):
        monkeypatch.setitem(sys.modules, name, None)
    variables = {"CONNECT_SERVER": "https://connect.example.com/"}
    tracking = {"MLFLOW_TRACKING_URI": "https://connect.example.com/mlflow"}
    assert as_on_connect(variables) == variables | tracking
    assert as_on_connect({}) == {}
