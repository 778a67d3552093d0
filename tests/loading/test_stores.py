"""Models whose files cannot be fetched: from artifact stores, folders, tracking servers."""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST

from modelserver.deployment.environment import inspect_model
from modelserver.hosting.log import LineFormatter
from modelserver.hosting.login import Login
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import Attempt, LoadFailed
from modelserver.loading.explaining.advice import advice
from modelserver.loading.loader import load_model
from modelserver.loading.registry import resolve
from tests.support.needs import need
from tests.support.processes import answering

pytestmark = pytest.mark.usefixtures("mlflow_as_before")


PACKAGES = {
    "s3://bucket/model": ["boto3"],
    "r2://bucket@account.r2.cloudflarestorage.com/m": ["boto3"],
    "gs://bucket/model": ["google-cloud-storage"],
    "wasbs://box@me.blob.core.windows.net/m": ["azure-storage-blob", "azure-identity"],
    "abfss://box@me.dfs.core.windows.net/m": ["azure-storage-file-datalake", "azure-identity"],
}


def told(error: BaseException, location: str, uri: str = "models:/m/1", user: str = "me") -> str:
    attempt = Attempt(uri, "http://x/mlflow", Login("check this", user=user), "fetching", location)
    return advice(error, attempt)


def fetched(location: str) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        mlflow.artifacts.download_artifacts(location)
    return caught.value


def is_installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


@pytest.mark.parametrize(("location", "packages"), PACKAGES.items())
def test_a_store_whose_packages_are_not_installed(location: str, packages: list[str]) -> None:
    absent = [package for package in packages if not is_installed(package)]
    error = fetched(location) if absent else ImportError()
    said = told(error, location)
    assert f" needs {' and '.join(absent or packages)}, which " in said
    for package in absent or packages:
        assert f"`{package}`" in said


class StatusError(Exception):
    """As Azure's and Google's libraries raise it."""

    def __init__(self, status_code: int, error_code: str = "") -> None:
        self.status_code, self.error_code = status_code, error_code


class ClientError(Exception):
    """As botocore raises it."""

    def __init__(self, status: int, code: str = "AccessDenied") -> None:
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}, "Error": {"Code": code}}


class NoCredentialsError(Exception):
    """As botocore raises it."""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ClientError(403),
            "forbids to read the files (403); check the rights of AWS_ACC",
        ),
        (
            ClientError(403, "SignatureDoesNotMatch"),
            "was asked without a login that it takes; it needs AWS_ACCESS_KEY_ID",
        ),
        (
            StatusError(403, "AuthenticationFailed"),
            "was asked without a login that it takes; it needs AWS_ACCESS_KEY_ID",
        ),
        (ClientError(400, "ExpiredToken"), "was asked with a login that has expired; set a new on"),
        (ClientError(403, "RequestExpired"), "was asked with a login that has expired; set a new"),
        (ClientError(301, "PermanentRedirect"), "is in another region; set AWS_DEFAULT_REGION to"),
        (ClientError(400, "AuthorizationHeaderMalformed"), "is in another region; set AWS_DEFAULT"),
        (RecursionError(), "is in another region; set AWS_DEFAULT_REGION to that of the bucket"),
        (StatusError(401), "was asked without a login that it takes; it needs AWS_ACCESS_KEY_ID"),
        (NoCredentialsError(), "was asked without a login that it takes; it needs AWS_ACCESS_KEY"),
        (StatusError(404), "has no such files; check where the model was logged to"),
        (ConnectionRefusedError(), "cannot be reached; check the network, and AWS_ACCESS_KEY_ID"),
        (ValueError("x"), "did not hand out the files (ValueError); it is asked with AWS_ACCESS"),
    ],
)
def test_a_store_that_does_not_hand_out_the_files(error: Exception, text: str) -> None:
    said = told(error, "s3://bucket/model?key=secret")
    assert said.startswith(f"the artifact store s3://bucket/model (S3) {text}")
    assert "secret" not in said


def test_a_store_that_is_given_up() -> None:
    """As Google's library raises it, after two minutes."""
    error = RuntimeError("Timeout of 120.0s exceeded")
    error.__cause__ = ConnectionRefusedError()
    said = told(error, "gs://bucket/model")
    assert said.startswith("the artifact store gs://bucket/model (Google Cloud Storage) cannot be")


@pytest.mark.parametrize(
    ("location", "server"),
    [
        ("mlflow-artifacts:/3/0a/artifacts/model", "tracking server http://x/mlflow"),
        ("mlflow-artifacts://h:80/3/models/m-1/artifacts", "server h:80 of the model's files"),
        ("mlflow-artifacts:/workspaces/a/3/models/m/b", "tracking server http://x/mlflow"),
    ],
)
def test_files_that_the_tracking_server_forbids(location: str, server: str) -> None:
    assert told(MlflowException("no", PERMISSION_DENIED), location) == (
        f"the {server} forbids to read the files (403), though the model may be looked up; "
        "give me the permission READ on experiment 3"
    )


def test_a_model_that_the_tracking_server_forbids() -> None:
    login = Login("check this", user="the owner of MLFLOW_TRACKING_TOKEN")
    attempt = Attempt("models:/m/1", "http://x/mlflow", login)
    assert advice(MlflowException("no", PERMISSION_DENIED), attempt) == (
        "the tracking server http://x/mlflow forbids the owner of MLFLOW_TRACKING_TOKEN to read "
        "the model (403); give the permission READ"
    )


def test_a_path_of_a_run_that_is_not_there() -> None:
    gone = MlflowException("no", RESOURCE_DOES_NOT_EXIST)
    said = told(gone, "mlflow-artifacts:/3/0a/artifacts/model", "runs:/0a/model")
    assert said.startswith("there is no model runs:/0a/model in the tracking server http://x/mlfl")


def test_files_of_no_known_experiment() -> None:
    said = told(MlflowException("no", PERMISSION_DENIED), "https://host/files")
    assert said.endswith("give me the permission READ on their experiment")


def test_a_login_that_the_tracking_server_does_not_take() -> None:
    said = told(MlflowException("error code 401"), "mlflow-artifacts:/3/0a/artifacts/model")
    assert said == "the tracking server http://x/mlflow refused the login: check this"


def test_files_that_are_gone() -> None:
    gone = MlflowException("no", RESOURCE_DOES_NOT_EXIST)
    assert told(gone, "mlflow-artifacts:/3/0a/artifacts/model") == (
        "the files of the model models:/m/1 are not at mlflow-artifacts:/3/0a/artifacts/model any "
        "more; log and register the model again"
    )
    assert told(gone, "/home/x/3/model").startswith(
        "the files of the model models:/m/1 are at file:…/model, a folder that this machine does "
        "not have; have the tracking server hand them out"
    )


@pytest.fixture
def store(store: str) -> str:
    """Of this process, too."""
    mlflow.set_tracking_uri(store)
    return store


def registered(location: str) -> None:
    client = MlflowClient()
    client.create_registered_model("m")
    client.create_model_version("m", location)


def test_a_model_of_another_machine(store: str, tmp_path: Path) -> None:
    registered(str(tmp_path / "elsewhere"))
    environment = {"MODEL_URI": "models:/m/1", "MLFLOW_TRACKING_URI": store}
    with pytest.raises(LoadFailed, match="file:…/elsewhere, a folder that this machine does not"):
        load_model(read_settings(environment))


def test_where_a_logged_model_is(store: str, tmp_path: Path) -> None:
    client = MlflowClient()
    need(hasattr(client, "create_logged_model"), "MLflow 2 has no logged models")
    experiment = client.create_experiment("e", artifact_location=str(tmp_path / "files"))
    model = client.create_logged_model(experiment, "m")
    found = resolve(f"models:/{model.model_id}")
    assert (found.location, found.version) == (model.artifact_location, None)


@pytest.mark.parametrize(
    ("location", "server"),
    [
        ("mlflow-artifacts://127.0.0.1:1/0/model", "the server 127.0.0.1:1 of the model's files"),
        ("mlflow-artifacts://me:pw@127.0.0.1:1/0/m", "the server 127.0.0.1:1 of the model's files"),
        ("http://127.0.0.1:1/api/2.0/mlflow-artifacts/artifacts/0/m", "the server 127.0.0.1:1 of"),
    ],
)
def test_files_of_a_server_that_the_location_names(
    location: str, server: str, wine_registry: str
) -> None:
    settings = {"MODEL_URI": location, "MLFLOW_TRACKING_URI": wine_registry}
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings(settings))
    assert str(failed.value).startswith(server)
    assert str(failed.value).endswith(
        "cannot be reached; check where the model was logged to and that it is running"
    )


@pytest.mark.parametrize(("status", "body"), [(200, "<title>page</title>"), (404, "no")])
@pytest.mark.parametrize("path", ["/model", "/api/2.0/mlflow-artifacts/artifacts/0/model"])
def test_an_address_that_is_none_of_artifacts(status: int, body: str, path: str) -> None:
    with (
        answering(status, body, "text/html") as url,
        pytest.raises(LoadFailed, match="is no address of MLflow's artifacts; set MODEL_URI to"),
    ):
        load_model(read_settings({"MODEL_URI": f"{url}{path}"}))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("Unable to load libjvm\ndlopen: No such file or directory"), "needs Java and H"),
        (FileNotFoundError(2, "No such file or directory", "hadoop"), "needs Java and Hadoop on"),
        (FileNotFoundError(2, "No such file or directory", "/hadoop/m"), "has no such files"),
    ],
)
def test_hadoop_that_is_not_here(error: Exception, said: str) -> None:
    assert told(error, "hdfs://hadoop:9000/m").startswith(
        f"the artifact store hdfs://hadoop:9000/m (HDFS) {said}"
    )


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The URL of an S3 server of this machine."""
    need(importlib.util.find_spec("moto"), "there is no moto")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of that server, which has the bucket `bucket`."""
    import boto3
    from mlflow.store.artifact import s3_artifact_repo

    s3_artifact_repo._cached_get_s3_client.cache_clear()  # MLflow keeps clients with their logins
    for name, value in AMAZON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", s3_server)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # which keeps the login
    client = boto3.Session().client("s3", endpoint_url=s3_server)
    client.create_bucket(Bucket="bucket")
    return client


AMAZON = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.mark.parametrize(
    ("location", "environment", "text"),
    [
        ("s3://bucket/nothing", {}, "has no such files"),
        ("s3://no-bucket/model", {}, "has no such files"),
        ("s3://bucket/m", {"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot be reached"),
        ("s3://bucket/m", {"MLFLOW_S3_ENDPOINT_URL": "127.0.0.1:1"}, "MLFLOW_S3_ENDPOINT_URL is"),
        ("s3://bucket/m", {"MLFLOW_S3_ENDPOINT_URL": '"http://h"'}, "is no address; it begins"),
        (
            "s3://bucket/m",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "without a login",
        ),
    ],
)
def test_a_real_s3(
    s3: Any,
    store: str,
    location: str,
    environment: dict[str, str],
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    registered(location)
    settings = read_settings({"MODEL_URI": "models:/m/1", "MLFLOW_TRACKING_URI": store})
    with pytest.raises(LoadFailed) as failed:
        load_model(settings)
    assert str(failed.value).startswith(f"the artifact store {location} (S3) ")
    assert text in str(failed.value)


@pytest.mark.parametrize("server", ["http://me:{}@127.0.0.1:1", "http://{}@127.0.0.1:1"])
def test_a_login_of_the_store_is_not_in_the_log(
    server: str, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", server.format("pass-word"))
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings({"MODEL_URI": "s3://bucket/model"}))
    told = (type(failed.value), failed.value, failed.value.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), told)
    assert "pass-word" in logging.Formatter().format(record)
    assert "pass-word" not in LineFormatter().format(record)


def test_the_packages_of_the_store_are_the_models_too(
    s3: Any, store: str, model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    for file in filter(Path.is_file, model_path("wine").rglob("*")):
        s3.upload_file(str(file), "bucket", f"m/{file.relative_to(model_path('wine'))}")
    registered("s3://bucket/m")
    settings = read_settings({"MODEL_URI": "models:/m/1", "MLFLOW_TRACKING_URI": store})
    _, saved = inspect_model(settings, tmp_path)
    assert [line.content for line in saved.packages if line.name == "boto3"] == ["boto3"]
