"""The settings: a mapping of environment variables in, one frozen value out.

Each setting has a name, a function that reads its text, a default and one line of meaning; the
table in docs/operations.md says the same. A value that cannot be read stops the start with a
`SettingsError`, which names the variable, the value and what was expected. This module does not
read `os.environ` itself.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from modelserver.hosting.connect import Connect, is_connect
from modelserver.hosting.login import Login, choose_login
from modelserver.hosting.redaction import redaction

T = TypeVar("T")
N = TypeVar("N", int, float)


class SettingsError(ValueError):
    """An environment variable holds a value that cannot be used."""


def unquoted(text: str) -> str:
    """The text without the blanks and quotes around it, which some shells and forms keep."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        return text[1:-1].strip()
    return text


QUOTES: Final = "\"'"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One environment variable: how its text is read, its default and its meaning. If it is not
    set, `fallback_name` is read."""

    name: str
    read: Callable[[str], T]
    default: T
    meaning: str
    expects: str
    fallback_name: str | None = None
    is_secret: bool = False
    """Whether the text may contain a secret, which errors must not print."""

    def value(self, environment: Mapping[str, str]) -> T:
        """The setting's value in `environment`; an empty variable counts as not set. Raises
        `SettingsError`."""
        for name in filter(None, (self.name, self.fallback_name)):
            if text := unquoted(environment.get(name, "")):
                try:
                    return self.read(text)
                except ValueError as error:
                    shown = "…" if self.is_secret or "@" in text else repr(text)
                    raise SettingsError(f"{name}={shown}: expected {self.expects}") from error
        return self.default


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
    processes: int
    predict_workers: int
    max_queue: int
    batching: str
    model_errors: str
    log_level: str
    on_connect: bool
    login: Login
    secrets: Sequence[str] = field(repr=False)
    """Texts that may not appear in the log."""
    quoted: Sequence[str] = ()
    """The names of variables that had quotes around their values. The quotes were removed."""


def _is_quoted(setting: Setting[Any], environment: Mapping[str, str]) -> bool:
    text = environment.get(setting.name, "").strip()
    return unquoted(text) != text


def _text(text: str) -> str:
    return text


def _server(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("no URL")
    return text.rstrip("/")


def _port(text: str) -> int:
    return _in_range(int(text), 0, 65535)


def _seconds(text: str) -> float:
    return _in_range(float(text), 0, 86_400 * 365)


def _positive(text: str) -> int:
    return _in_range(int(text), 1, 2**62)


def _in_range(number: N, low: float, high: float) -> N:
    if not low <= number <= high:
        raise ValueError("out of range")
    return number


def _json_object(text: str) -> Mapping[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError("no such choice")
        return text.lower()

    return read


LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")

SETTINGS: Final[Mapping[str, Setting[Any]]] = {
    "model_uri": Setting(
        "MODEL_URI",
        _text,
        None,
        "the model: `models:/name/1`, `models:/name@alias`, `models:/name/latest`, "
        "`models:/name/Production`, `models:/m-<id>`, `runs:/<id>/model`, a local path or any URI "
        "that MLflow reads",
        "a model URI",
    ),
    "tracking_uri": Setting(
        "MLFLOW_TRACKING_URI",
        _text,
        None,
        "the MLflow tracking server or store; without it on Connect `/mlflow` of the same server, "
        "elsewhere MLflow's own default",
        "a tracking URI",
    ),
    "model_config": Setting(
        "SERVING_MODEL_CONFIG",
        _json_object,
        None,
        "a JSON object handed to the model as `model_config`, as MLflow's server does",
        "a JSON object",
        is_secret=True,
    ),
    "host": Setting("HOST", _text, "127.0.0.1", "address of `python main.py`", "an address"),
    "port": Setting(
        "PORT", _port, 8000, "port of `python main.py`", "a whole number from 0 to 65535"
    ),
    "request_timeout": Setting(
        "REQUEST_TIMEOUT",
        _seconds,
        60.0,
        "seconds until a request is answered 504; 0 = no limit; without it "
        "`MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT`",
        "a number of seconds, 0 or more",
        fallback_name="MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
    ),
    "max_request_bytes": Setting(
        "MAX_REQUEST_BYTES",
        _positive,
        100 * 1024 * 1024,
        "largest request body, also after decompression; beyond it 413",
        "a whole number of bytes, 1 or more",
    ),
    "processes": Setting(
        "PROCESSES",
        _positive,
        1,
        "processes of `python main.py` that share the requests; each holds the model",
        "a whole number, 1 or more",
    ),
    "predict_workers": Setting(
        "PREDICT_WORKERS",
        _positive,
        None,
        "predictions that run at the same time in a process",
        "a whole number, 1 or more",
    ),
    "max_queue": Setting(
        "MAX_QUEUE",
        _positive,
        None,
        "requests that may wait for a worker; beyond it 503",
        "a whole number, 1 or more",
    ),
    "batching": Setting(
        "BATCHING",
        _one_of("auto", "off"),
        "auto",
        "`auto`: requests that wait are predicted together where rows are independent; or `off`",
        "one of auto, off",
    ),
    "model_errors": Setting(
        "MODEL_ERRORS",
        _one_of("type", "message"),
        "type",
        "what an answer tells of a model's exception: its `type`; or `message`: its text, too, in "
        "one line without the server's keys. The text may hold cells, paths, names of hosts",
        "one of type, message",
    ),
    "log_level": Setting(
        "LOG_LEVEL",
        _one_of(*LOG_LEVELS),
        "info",
        "`debug`, `info`, `warning`, `error` or `critical`",
        "one of " + ", ".join(LOG_LEVELS),
    ),
}

# Connect sets these two for its content, and people set them for rsconnect.
CONNECT_SERVER: Final = Setting(
    "CONNECT_SERVER",
    _server,
    None,
    "the URL of Connect",
    "a URL with http:// or https://",
    is_secret=True,  # somebody may have put the key here by mistake
)
CONNECT_API_KEY: Final = Setting(
    "CONNECT_API_KEY", _text, None, "the key of the content's owner", "a key"
)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`, a mapping from a variable's name to its text.

    Raises `SettingsError` for the first value that cannot be read.
    """
    values = {field: setting.value(environment) for field, setting in SETTINGS.items()}
    values["predict_workers"] = values["predict_workers"] or os.cpu_count() or 1
    values["max_queue"] = values["max_queue"] or 64 * values["predict_workers"]
    connect = Connect(CONNECT_SERVER.value(environment), CONNECT_API_KEY.value(environment))
    on_connect = is_connect(environment)
    if on_connect:
        values["tracking_uri"] = values["tracking_uri"] or connect.tracking_uri
    login = choose_login(environment, connect, values["tracking_uri"])
    return Settings(
        **values,
        on_connect=on_connect,
        login=login,
        quoted=[setting.name for setting in SETTINGS.values() if _is_quoted(setting, environment)],
        secrets=redaction({name: unquoted(text) for name, text in environment.items()}),
    )
