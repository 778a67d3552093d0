"""The settings: a mapping of environment variables in, one frozen value out.

Each setting has a name, a function that reads its text, a default and one line of meaning; the
table in docs/operations.md says the same. A value that cannot be read stops the start with a
`SettingsError`, which names the variable, the value and what was expected. This module does not
read `os.environ` itself.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from modelserver.hosting.connect import Connect, is_connect
from modelserver.hosting.login import Login, choose_login
from modelserver.hosting.redaction import redaction
from modelserver.hosting.variables import (
    Setting,
    address,
    few,
    json_object,
    key,
    one_of,
    port,
    positive,
    resembling,
    seconds,
    server_url,
    unquoted,
    whole_seconds,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the server. Times are in seconds (0: no limit), sizes in bytes."""

    model_uri: str | None
    tracking_uri: str | None
    model_config: Mapping[str, Any] | None
    host: str
    port: int
    request_timeout: float
    max_request_bytes: int
    max_table_bytes: int
    max_held_bytes: int
    read_timeout: float
    keep_alive: int
    shutdown_timeout: int
    processes: int
    predict_workers: int
    max_queue: int
    batching: str
    model_errors: str
    csv_quote_formulas: str
    api_key: str | None = field(repr=False)
    log_level: str
    on_connect: bool
    login: Login
    secrets: Sequence[str] = field(repr=False)
    """Texts that may not appear in the log."""
    quoted: Sequence[str] = ()
    """The names of variables that had quotes around their values. The quotes were removed."""
    misnamed: str = ""
    """The question whether another variable was meant to be MODEL_URI, which is not set."""

    @property
    def key_variable(self) -> str:
        """The environment variable in which a caller is shown to keep the key; empty if callers
        need none."""
        return "CONNECT_API_KEY" if self.on_connect else "API_KEY" if self.api_key else ""


def _misnamed(environment: Mapping[str, str]) -> str:
    """The question whether variables were meant to be MODEL_URI; empty if none has such a name."""
    found = resembling("MODEL_URI", environment)
    are = "is" if len(found) == 1 else "are"
    return f"{', '.join(found)} {are} set; did you mean MODEL_URI?" if found else ""


def _is_quoted(setting: Setting[Any], environment: Mapping[str, str]) -> bool:
    text = environment.get(setting.name, "").strip()
    return unquoted(text) != text


LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")

SETTINGS: Final[Mapping[str, Setting[Any]]] = {
    "model_uri": Setting(
        "MODEL_URI",
        str,
        None,
        "the model: `models:/name/1`, `models:/name@alias`, `models:/name/latest`, "
        "`models:/name/Production`, `models:/m-<id>`, `runs:/<id>/model`, a local path or any URI "
        "that MLflow reads",
        "a model URI",
    ),
    "tracking_uri": Setting(
        "MLFLOW_TRACKING_URI",
        str,
        None,
        "the MLflow tracking server or store; without it on Connect `/mlflow` of the same server, "
        "elsewhere MLflow's own default",
        "a tracking URI",
    ),
    "model_config": Setting(
        "SERVING_MODEL_CONFIG",
        json_object,
        None,
        "a JSON object handed to the model as `model_config`, as MLflow's server does",
        "a JSON object",
        is_secret=True,
    ),
    "host": Setting("HOST", address, "127.0.0.1", "address of `python main.py`", "an address"),
    "port": Setting(
        "PORT", port, 8000, "port of `python main.py`", "a whole number from 0 to 65535"
    ),
    "request_timeout": Setting(
        "REQUEST_TIMEOUT",
        seconds,
        60.0,
        "seconds until a request is answered 504; 0 = no limit; without it "
        "`MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT`",
        "a number of seconds, 0 or more",
        fallback_name="MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
    ),
    "max_request_bytes": Setting(
        "MAX_REQUEST_BYTES",
        positive,
        100 * 1024 * 1024,
        "largest request body, also after decompression; beyond it 413",
        "a whole number of bytes, 1 or more",
    ),
    "max_table_bytes": Setting(
        "MAX_TABLE_BYTES",
        positive,
        10 * 1024 * 1024 * 1024,
        "largest table that is read and answered in chunks, also after decompression, and largest "
        "answer to it; beyond it 413",
        "a whole number of bytes, 1 or more",
    ),
    "max_held_bytes": Setting(
        "MAX_HELD_BYTES",
        positive,
        None,
        "all request bodies that a process may hold at the same time; beyond it 503",
        "a whole number of bytes, 1 or more",
    ),
    "read_timeout": Setting(
        "READ_TIMEOUT",
        seconds,
        30.0,
        "seconds without a byte of a request that has begun; then 408; 0 = no limit",
        "a number of seconds, 0 or more",
    ),
    "keep_alive": Setting(
        "KEEP_ALIVE",
        whole_seconds,
        75,
        "seconds after which `python main.py` closes a connection without requests; a proxy before "
        "it should close its connections sooner",
        "a whole number of seconds, 0 or more",
    ),
    "shutdown_timeout": Setting(
        "SHUTDOWN_TIMEOUT",
        whole_seconds,
        30,
        "seconds that `python main.py` waits for open requests after SIGTERM, SIGHUP or Ctrl-C",
        "a whole number of seconds, 0 or more",
    ),
    "processes": Setting(
        "PROCESSES",
        few,
        1,
        "processes of `python main.py` that share the requests; each holds the model",
        "a whole number from 1 to 1000",
    ),
    "predict_workers": Setting(
        "PREDICT_WORKERS",
        few,
        None,
        "predictions that run at the same time in a process",
        "a whole number from 1 to 1000",
    ),
    "max_queue": Setting(
        "MAX_QUEUE",
        positive,
        None,
        "requests that may wait for a worker; beyond it 503",
        "a whole number, 1 or more",
    ),
    "batching": Setting(
        "BATCHING",
        one_of("auto", "off"),
        "auto",
        "`auto`: requests that wait are predicted together where rows are independent; or `off`",
        "one of auto, off",
    ),
    "model_errors": Setting(
        "MODEL_ERRORS",
        one_of("type", "message"),
        "type",
        "what an answer tells of a model's exception: its `type`; or `message`: its text, too, in "
        "one line without the server's keys. The text may hold cells, paths, names of hosts",
        "one of type, message",
    ),
    "csv_quote_formulas": Setting(
        "CSV_QUOTE_FORMULAS",
        one_of("on", "off"),
        "off",
        "`on`: in answers in CSV, `'` stands before texts that a spreadsheet would run (they begin "
        "with `=`, `+`, `-`, `@`, a tab or a line end); or `off`",
        "one of on, off",
    ),
    "api_key": Setting(
        "API_KEY",
        key,
        None,
        "the key that callers must send (`Authorization: Key …` or `Bearer …`), except to `/ping` "
        "and `/v2/health/…`; 16 or more characters, an empty one stops the start; ignored on "
        "Connect, which checks its own keys",
        "a key of 16 or more ASCII characters without blanks",
        is_secret=True,
        may_be_empty=False,
    ),
    "log_level": Setting(
        "LOG_LEVEL",
        one_of(*LOG_LEVELS),
        "info",
        "`debug`, `info`, `warning`, `error` or `critical`",
        "one of " + ", ".join(LOG_LEVELS),
    ),
}

# Connect sets these two for its content, and people set them for rsconnect.
CONNECT_SERVER: Final = Setting(
    "CONNECT_SERVER",
    server_url,
    None,
    "the URL of Connect",
    "a URL with http:// or https://",
    is_secret=True,  # somebody may have put the key here by mistake
)
CONNECT_API_KEY: Final = Setting(
    "CONNECT_API_KEY", str, None, "the key of the content's owner", "a key"
)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`, a mapping from a variable's name to its text.

    Raises `SettingsError` for the first value that cannot be read.
    """
    values = {field: setting.value(environment) for field, setting in SETTINGS.items()}
    values["predict_workers"] = values["predict_workers"] or os.cpu_count() or 1
    values["max_queue"] = values["max_queue"] or 64 * values["predict_workers"]
    values["max_held_bytes"] = values["max_held_bytes"] or 4 * values["max_request_bytes"]
    connect = Connect(CONNECT_SERVER.value(environment), CONNECT_API_KEY.value(environment))
    on_connect = is_connect(environment)
    if on_connect:
        values["api_key"] = None
        values["tracking_uri"] = values["tracking_uri"] or connect.tracking_uri
    login = choose_login(environment, connect, values["tracking_uri"])
    return Settings(
        **values,
        on_connect=on_connect,
        login=login,
        misnamed="" if values["model_uri"] else _misnamed(environment),
        quoted=[setting.name for setting in SETTINGS.values() if _is_quoted(setting, environment)],
        secrets=redaction({name: unquoted(text) for name, text in environment.items()}),
    )
