"""A tracking server behind a certificate that nobody signed, or behind a dead proxy."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
import requests
from starlette.applications import Starlette

from modelserver.hosting.login import Login
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import Attempt, LoadFailed
from modelserver.loading.explaining.network import fault_of_network
from modelserver.loading.loader import load_model
from tests.support.processes import answering
from tests.support.serving import serving

pytestmark = pytest.mark.usefixtures("mlflow_as_before")


def reason(tracking_uri: str) -> str:
    settings = read_settings({"MODEL_URI": "models:/m/1", "MLFLOW_TRACKING_URI": tracking_uri})
    with pytest.raises(LoadFailed) as failed:
        load_model(settings)
    return str(failed.value)


@pytest.fixture
def https(certificate: Path) -> Iterator[str]:
    with serving(Starlette(), certificate=certificate) as url:
        yield url


def test_a_certificate_that_nobody_signed(https: str) -> None:
    assert reason(https) == (
        f"the certificate of the tracking server {https} is not trusted (self-signed certificate); "
        "set MLFLOW_TRACKING_SERVER_CERT_PATH or REQUESTS_CA_BUNDLE to a file with the certificate "
        "of its authority"
    )


def test_a_file_of_certificates_that_is_not_there(
    https: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/authority.pem")
    said = reason(https)
    assert said.startswith("the file of certificates is not there; check REQUESTS_CA_BUNDLE")
    assert "nowhere" not in said


def test_http_that_is_asked_as_https() -> None:
    with answering(200, "{}", "application/json") as url:
        said = reason(url.replace("http:", "https:"))
    assert said.endswith("does not answer with TLS; check whether it is http:// or https://")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_that_is_not_there(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "http://user:secret@127.0.0.1:1")
    assert reason("http://127.0.0.1:5000/mlflow") == (
        "the proxy before the tracking server http://127.0.0.1:5000/mlflow cannot be reached, or "
        "refuses; check HTTP_PROXY and HTTPS_PROXY, or name 127.0.0.1 in NO_PROXY"
    )


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("s3://bucket/m", "the host of MLFLOW_S3_ENDPOINT_URL (amazonaws.com without it)"),
        ("gs://bucket/m", "storage.googleapis.com"),
        ("dbfs:/m", "the host of DATABRICKS_HOST"),
        ("wasbs://box@me.blob.core.windows.net/m", "me.blob.core.windows.net"),
        ("mlflow-artifacts://other:9/m", "other"),
        ("mlflow-artifacts:/m", "models.example.com"),
    ],
)
def test_whose_host_a_proxy_should_leave_alone(location: str, host: str) -> None:
    tracking_uri = "http://models.example.com/mlflow"
    attempt = Attempt("models:/m/1", tracking_uri, Login("check this"), "fetching", location)
    said = fault_of_network(requests.exceptions.ProxyError(), attempt)
    assert said is not None
    assert said.endswith(f"or name {host} in NO_PROXY")


def test_a_proxy_that_wants_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(407, "<title>login</title>", "text/html") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert reason("http://models.example.com/mlflow").endswith("models.example.com in NO_PROXY")
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
