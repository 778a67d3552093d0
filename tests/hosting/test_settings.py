"""Settings: environment variables in, one frozen value out, or the variable that is wrong."""

import logging
import os
from typing import Any

import pytest

from modelserver.app import create_app
from modelserver.hosting.log import LineFormatter
from modelserver.hosting.redaction import redaction
from modelserver.hosting.settings import read_settings
from modelserver.hosting.variables import SettingsError

DEFAULTS: dict[str, Any] = {
    "model_uri": None,
    "tracking_uri": None,
    "model_config": None,
    "host": "127.0.0.1",
    "port": 8000,
    "request_timeout": 60.0,
    "max_request_bytes": 104_857_600,
    "processes": 1,
    "predict_workers": os.cpu_count(),
    "batching": "auto",
    "max_queue": 64 * (os.cpu_count() or 1),
    "model_errors": "type",
    "csv_quote_formulas": "off",
    "log_level": "info",
}


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        ({}, {}),
        ({"MODEL_URI": "", "PORT": " "}, {}),
        ({"MODEL_URI": " models:/m/1\n"}, {"model_uri": "models:/m/1"}),
        ({"MLFLOW_TRACKING_URI": "http://x"}, {"tracking_uri": "http://x"}),
        ({"SERVING_MODEL_CONFIG": '{"a": 1}'}, {"model_config": {"a": 1}}),
        ({"HOST": "0.0.0.0", "PORT": "0"}, {"host": "0.0.0.0", "port": 0}),
        ({"REQUEST_TIMEOUT": "0"}, {"request_timeout": 0.0}),
        ({"MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT": "2.5"}, {"request_timeout": 2.5}),
        (
            {"REQUEST_TIMEOUT": "1", "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT": "x"},
            {"request_timeout": 1.0},
        ),
        ({"MAX_REQUEST_BYTES": "1"}, {"max_request_bytes": 1}),
        ({"PREDICT_WORKERS": "3"}, {"predict_workers": 3, "max_queue": 192}),
        ({"MAX_QUEUE": "5"}, {"max_queue": 5}),
        ({"PROCESSES": "2"}, {"processes": 2}),
        ({"BATCHING": "Off"}, {"batching": "off"}),
        ({"MODEL_ERRORS": "Message"}, {"model_errors": "message"}),
        ({"CSV_QUOTE_FORMULAS": "On"}, {"csv_quote_formulas": "on"}),
        ({"LOG_LEVEL": "Debug"}, {"log_level": "debug"}),
        ({"UNKNOWN": "x"}, {}),
    ],
    ids=str,
)
def test_settings(environment: dict[str, str], read: dict[str, Any]) -> None:
    settings = read_settings(environment)
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS | read


LEVELS = "one of debug, info, warning, error, critical"
SECONDS = "a number of seconds, 0 or more"


@pytest.mark.parametrize(
    ("name", "text", "expects"),
    [
        ("PORT", "http", "a whole number from 0 to 65535"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("REQUEST_TIMEOUT", "-1", SECONDS),
        ("REQUEST_TIMEOUT", "nan", SECONDS),
        ("MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", "soon", SECONDS),
        ("MAX_REQUEST_BYTES", "0", "a whole number of bytes, 1 or more"),
        ("MAX_REQUEST_BYTES", "1.5", "a whole number of bytes, 1 or more"),
        ("PREDICT_WORKERS", "0", "a whole number from 1 to 1000"),
        ("PREDICT_WORKERS", "1001", "a whole number from 1 to 1000"),
        ("MAX_QUEUE", "many", "a whole number, 1 or more"),
        ("PROCESSES", "0", "a whole number from 1 to 1000"),
        ("HOST", "a\nb", "an address"),
        ("HOST", "a b", "an address"),
        ("BATCHING", "on", "one of auto, off"),
        ("MODEL_ERRORS", "all", "one of type, message"),
        ("CSV_QUOTE_FORMULAS", "1", "one of on, off"),
        ("LOG_LEVEL", "loud", LEVELS),
    ],
)
def test_refused_settings(name: str, text: str, expects: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({name: text})
    assert str(refusal.value) == f"{name}={text!r}: expected {expects}"


@pytest.mark.parametrize(
    ("name", "text", "expects"),
    [
        ("SERVING_MODEL_CONFIG", "{", "a JSON object"),
        ("SERVING_MODEL_CONFIG", "[1]", "a JSON object"),
        ("SERVING_MODEL_CONFIG", "[" * 100_000, "a JSON object"),
        ("SERVING_MODEL_CONFIG", '{"key": "SECRET",}', "a JSON object"),
        ("CONNECT_SERVER", "user:SECRET@host", "a URL with http:// or https://"),
    ],
)
def test_refused_settings_that_may_hold_secrets(name: str, text: str, expects: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({name: text})
    assert str(refusal.value) == f"{name}=…: expected {expects}"


def test_secrets_are_known_but_not_shown() -> None:
    settings = read_settings({"CONNECT_API_KEY": "connect-key", "MLFLOW_TRACKING_TOKEN": "short"})
    assert "connect-key" in settings.secrets
    assert "short" not in settings.secrets
    assert "connect-key" not in repr(settings)


@pytest.mark.parametrize(
    "text", ['"models:/a/1"', "'models:/a/1'", ' " models:/a/1 " ', "models:/a/1"]
)
def test_quotes_around_a_value(text: str) -> None:
    settings = read_settings({"MODEL_URI": text, "PORT": "'80'", "HOST": '"'})
    assert (settings.model_uri, settings.port, settings.host) == ("models:/a/1", 80, '"')
    assert settings.quoted == (["MODEL_URI", "PORT"] if text != "models:/a/1" else ["PORT"])


def test_quotes_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    create_app(read_settings({"MODEL_URI": '"models:/a/1"'}))
    assert "MODEL_URI: the quotes around its value were taken off" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "CONNECT_API_KEY", "MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AZURE_STORAGE_ACCESS_KEY", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_CONNECTION_STRING",
        "DATABRICKS_TOKEN", "OPENAI_API_KEY", "db_pass", "MYSQL_PWD", "GH_PAT", "API_KEYS",
        "OUR_CREDENTIALS", "SSH_PASSPHRASE", "BLOB_SAS", "SESSION_COOKIE",
        "OLD_PASSWORDS",
    ],
)  # fmt: skip
def test_keys_are_known_by_the_names_of_their_variables(name: str) -> None:
    assert "the-value-of-it" in read_settings({name: "'the-value-of-it'"}).secrets
    assert read_settings({f"{name}_FILE": "the-name-of-it"}).secrets == []


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "GOOGLE_APPLICATION_CREDENTIALS", "PATH"])
def test_paths_are_no_keys(name: str) -> None:
    assert read_settings({name: "/home/me/model"}).secrets == []


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('{"db": {"password": "a-b-c-d-e"}}', "a-b-c-d-e"),
        ('{"api_key" : "say \\"friend\\""}', 'say "friend"'),
        ('{"token": "a\\z-b-c-d"}', "a\\z-b-c-d"),
        (' [{"passwords": "a-b-c-d-e"}]', "a-b-c-d-e"),
    ],
)
def test_the_keys_in_json(text: str, hidden: str) -> None:
    assert hidden in redaction({"SERVING_MODEL_CONFIG": text})
    assert redaction({"SERVING_MODEL_CONFIG": '{"host": "my-own-host"}'}) == []


def test_the_key_in_a_connection_string() -> None:
    text = "AccountName=me;AccountKey=c2VjcmV0cw==;EndpointSuffix=x"
    secrets = read_settings({"AZURE_STORAGE_CONNECTION_STRING": text}).secrets
    assert {text, "c2VjcmV0cw=="} <= set(secrets)


@pytest.mark.parametrize(
    "name",
    ["MODEL_URI", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_S3_ENDPOINT_URL", "NO_URL"],
)
@pytest.mark.parametrize("level", [logging.INFO, logging.ERROR])
@pytest.mark.parametrize(
    ("uri", "hidden"),
    [
        ("http://user:pass%2Fword@host/mlflow", ["pass%2Fword", "pass/word"]),
        ("http://user:a/b@c:pw@host/mlflow", ["a/b@c:pw@"]),
        ("http://me:pw@host/mlflow", ["me:pw@"]),
        ("https://a-long-token@host/mlflow", ["a-long-token"]),
        ("postgresql://me:pass-word@host/db", ["pass-word"]),
        ("https://host/m?sv=24&sig=abc%2Bdefgh", ["abc%2Bdefgh", "abc+defgh", "sv=24"]),
        ('"https://host/m?token=abcdefgh"', ["abcdefgh"]),
    ],
)
def test_logins_and_queries_are_struck_out(
    name: str, level: int, uri: str, hidden: list[str]
) -> None:
    formatter = LineFormatter(read_settings({name: uri}).secrets)
    text = f"asked {uri} and {' '.join(hidden)}"
    line = formatter.format(logging.LogRecord("x", level, "", 0, text, (), None))
    assert "asked " in line
    assert not [part for part in hidden if part in line]


@pytest.mark.parametrize("uri", ["models:/m/1", "models:/m@champion", "wasbs://box@me.net/model"])
def test_nothing_else_is(uri: str) -> None:
    assert read_settings({"MODEL_URI": uri}).secrets == []


@pytest.mark.parametrize(
    "name",
    ["MODEL_URL", "MODELURI", "MODEL-URI", "model_uri", "MODEL_URIS", "MLFLOW_MODEL_URI"],
)
def test_a_name_that_is_nearly_model_uri_is_told_without_its_value(name: str) -> None:
    environment = {name: "models:/secret/1", "PATH": "x"}
    assert read_settings(environment).misnamed == f"{name} is set; did you mean MODEL_URI?"
    assert read_settings({**environment, "MODEL_URI": "models:/m/1"}).misnamed == ""
    assert read_settings({name: " "}).misnamed == ""


def test_names_that_are_told_together_and_not_at_all() -> None:
    said = read_settings({"MODEL_URL": "a", "MODELURI": "b"}).misnamed
    assert said == "MODEL_URL, MODELURI are set; did you mean MODEL_URI?"
    others = ("MODEL_DIR", "MODEL_NAME", "MODEL_ID", "MLFLOW_TRACKING_URI", "MODEL", "URI")
    assert read_settings(dict.fromkeys(others, "x")).misnamed == ""
