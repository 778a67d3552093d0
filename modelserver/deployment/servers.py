"""Which Posit Connect `deploy` sends to: by its options, the environment, or `rsconnect add`.

In: environment variables, and options for rsconnect. Out: the variables with that server and its
key, or as the content there will have them; and what is to be set if there is none. rsconnect must
be installed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from modelserver.deployment.command_line import set_variable

SERVER: Final = "CONNECT_SERVER"

KEY: Final = "CONNECT_API_KEY"

TRACKING: Final = "MLFLOW_TRACKING_URI"

EXAMPLE: Final = "https://connect.example.com"

GIVEN_BY: Final = {"-s": SERVER, "--server": SERVER, "-k": KEY, "--api-key": KEY}
"""The options of rsconnect that take precedence over these variables."""

OTHER_LOGINS: Final = frozenset(
    {"--account", "-A", "--token", "-T", "--connect-cloud", "--snowflake-connection-name"}
)
"""The options of rsconnect for servers that take no API key of Connect."""

Options: TypeAlias = Sequence[tuple[str, ...]]
"""Options for rsconnect: each with its value, or a flag alone."""


def saved_servers(environment: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The servers that `rsconnect add` has saved. Raises `ImportError` without rsconnect."""
    from rsconnect.metadata import ServerStore, config_dirname

    store: Any = ServerStore(config_dirname(env=environment))
    return list(store.get_all_servers())


def with_server(environment: Mapping[str, str], options: Options = ()) -> dict[str, str]:
    """The variables, in which CONNECT_SERVER and CONNECT_API_KEY are those that rsconnect would
    use. They are missing if no server is known, or if rsconnect has to be told which one."""
    values = dict(option for option in options if len(option) == 2)
    known = {**environment, **{GIVEN_BY[name]: values[name] for name in GIVEN_BY.keys() & values}}
    name = values.get("-n") or values.get("--name")
    if known.get(SERVER) and known.get(KEY) and not name:
        return known
    url = "" if name else known.get(SERVER, "").rstrip("/")
    fitting = [
        server
        for server in saved_servers(environment)
        if name in (None, server["name"]) and url in ("", server["url"].rstrip("/"))
    ]
    if len(fitting) != 1:
        return known
    return {**known, SERVER: fitting[0]["url"].rstrip("/"), KEY: fitting[0].get("api_key") or ""}


def as_on_connect(environment: Mapping[str, str], options: Options = ()) -> dict[str, str]:
    """The variables as the content will have them: without MLFLOW_TRACKING_URI, it looks for the
    model at /mlflow of the Connect that it runs on. Without rsconnect, only CONNECT_SERVER names
    that."""
    try:
        known = with_server(environment, options)
    except ImportError:
        known = dict(environment)
    if not known.get(TRACKING) and (server := known.get(SERVER, "").rstrip("/")):
        known[TRACKING] = f"{server}/mlflow"
    return known


def no_server(environment: Mapping[str, str], options: Options = ()) -> tuple[str, str] | None:
    """What rsconnect lacks to know a server and to log in there, and the commands that set it; None
    if it lacks nothing."""
    known, saved = with_server(environment, options), saved_servers(environment)
    if known.get(SERVER) and not (known.get(KEY) or _is_saved(known[SERVER], saved)):
        said, advice = f"{SERVER} is set, but {KEY} is not", set_variable(KEY, "your-key")
    elif not (known.get(SERVER) or saved):
        said = f"no server is known: {SERVER} is not set, and rsconnect list is empty"
        advice = f"{set_variable(SERVER, EXAMPLE)}; {set_variable(KEY, 'your-key')}"
    else:
        return None
    return None if any(option[0] in OTHER_LOGINS for option in options) else (said, advice)


def _is_saved(url: str, saved: Sequence[Mapping[str, Any]]) -> bool:
    return any(server["url"].rstrip("/") == url.rstrip("/") for server in saved)
