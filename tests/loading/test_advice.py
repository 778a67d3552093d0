"""Advice on models that cannot be loaded, for exceptions that MLflow really raises."""

import errno
import importlib
import importlib.metadata
import io
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED
from requests.exceptions import ChunkedEncodingError, TooManyRedirects

from modelserver.hosting.login import Login
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import (
    LOGGED,
    Again,
    Attempt,
    LoadFailed,
    Step,
    is_malformed,
    public_uri,
)
from modelserver.loading.explaining.advice import advice
from modelserver.loading.explaining.model_packages import line_for, missing_module, requirements_of
from modelserver.loading.loader import check_flavor, load_model
from modelserver.loading.registry import NotRegistered, resolve, written


def raised(act: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        act()
    return caught.value


def said(
    error: BaseException,
    model_uri: str,
    tracking_uri: str | None = None,
    step: Step = "looking up",
    location: str = "",
    requirements: Sequence[str] = (),
) -> str:
    login = Login("check this")
    return advice(error, Attempt(model_uri, tracking_uri, login, step, location, requirements))


@pytest.mark.parametrize("mlmodel", [None, "a: [b", "flavors: {}", "[]", "flavors: 1"])
def test_folders_that_are_no_models(tmp_path: Path, mlmodel: str | None) -> None:
    if mlmodel is not None:
        (tmp_path / "MLmodel").write_text(mlmodel)
    with pytest.raises(LoadFailed) as failed:
        check_flavor(tmp_path, "models:/m/1")
    assert str(failed.value) == (
        "what is at models:/m/1 is not a complete MLflow model; log it again"
    )


def test_models_above_and_below(tmp_path: Path) -> None:
    """As MODEL_URI names the file, or a folder of a tracking server's files."""
    folder = tmp_path / "1" / "artifacts"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}")
    with pytest.raises(LoadFailed, match="; name the folder that this file is in"):
        check_flavor(folder / "MLmodel", "x")
    with pytest.raises(LoadFailed, match="is one below it, at …/1/artifacts; name that folder"):
        check_flavor(tmp_path, "x")


@pytest.mark.parametrize(
    ("flavors", "text"),
    [
        ("{crate: {version: 0.3.0}}", "crate, which cannot be served from Python; "
         "it was logged from R: deploy it there, on Posit Connect with plumber or vetiver"),
        ("{mleap: {}}", "mleap, which cannot be served from Python; it is for Java"),
        ("{keras: {}, onnx: {}}", "keras, onnx, which cannot be served from Python; log it with"),
    ],
)  # fmt: skip
def test_models_for_other_languages(tmp_path: Path, flavors: str, text: str) -> None:
    (tmp_path / "MLmodel").write_text(f"flavors: {flavors}")
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings({"MODEL_URI": str(tmp_path)}))
    assert str(failed.value).startswith(
        f"the model file:…/{tmp_path.name} has only the flavor {text}"
    )


@pytest.fixture
def store(store: str) -> str:
    """An empty store, which MLflow asks."""
    mlflow.set_tracking_uri(store)
    return store


def test_a_run_that_is_not_there(store: str) -> None:
    assert said(raised(lambda: resolve("runs:/abc/model")), "runs:/abc/model", store) == (
        "there is no model runs:/abc/model in the tracking server sqlite:…/mlflow.db; "
        "check MODEL_URI and MLFLOW_TRACKING_URI"
    )


def test_an_empty_registry(store: str) -> None:
    assert said(raised(lambda: resolve("models:/nope/1")), "models:/nope/1", store) == (
        "there is no model models:/nope/1 in the tracking server sqlite:…/mlflow.db; "
        "it has no registered models at all"
    )


@pytest.fixture(scope="module")
def three_models(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with three models, two of which have versions."""
    uri = f"sqlite:///{shutil.copy(empty_store, tmp_path_factory.mktemp('registry'))}"
    client = mlflow.MlflowClient(uri)
    for name in ("wine", "wine-quality", "iris"):
        client.create_registered_model(name)
    for _ in range(2):
        client.create_model_version("wine", "/nowhere")
    client.set_registered_model_alias("wine", "champion", "1")
    return uri


@pytest.fixture
def registry(three_models: str) -> str:
    """That registry, which MLflow asks."""
    mlflow.set_tracking_uri(three_models)
    return three_models


@pytest.mark.parametrize(
    ("uri", "there"),
    [
        ("models:/wyne/1", "it has 'wine'"),
        ("models:/Wine-Quality@best", "it has 'wine-quality'"),
        ("models:/xyz/latest", "it has 'iris'"),
        ("models:/wine/7", "wine has the versions 1, 2"),
        ("models:/iris/1", "iris has no versions"),
        ("models:/iris/latest", "the versions of iris are in no stages"),
        ("models:/wine@chmpion", "wine has only the alias champion"),
        ("models:/iris@champion", "iris has no aliases"),
        ("models:/wine/Production", "the versions of wine are in only the stage None"),
        ("models:/wine/Prod", "the versions of wine are in only the stage None"),
        ("models:/wine/v1", "was models:/wine/1 meant?"),
        ("models:/wine/version-1", "was models:/wine/1 meant?"),
        ("models:/wine/1@champion", "was models:/wine/1 or models:/wine@champion meant?"),
        ("models:/wine%2Dquality/1", "was models:/wine-quality/1 meant?"),
        ("models://wine/1", "was models:/wine/1 meant?"),
        ("runs:/0a", "was runs:/0a/model meant?"),
        ("models:/wine /1", "it has no 'wine '; did you mean 'wine', without a space at its end?"),
    ],
)
def test_what_comes_nearest(registry: str, uri: str, there: str) -> None:
    told = said(raised(lambda: resolve(uri)), uri, registry)
    assert told.startswith(
        f"there is no model {uri} in the tracking server sqlite:…/mlflow.db; {there}"
    )


@pytest.mark.parametrize(
    ("uri", "folder", "written"),
    [("/nowhere/model", "model", "model/1"), ("/nowhere/model/7", "model/7", "model/7")],
)
def test_folders_that_are_not_there(uri: str, folder: str, written: str) -> None:
    error = raised(lambda: mlflow.artifacts.download_artifacts(uri))
    assert said(error, uri, step="fetching") == (
        f"there is no folder {folder}; a registered model is written models:/{written}"
    )


@pytest.mark.parametrize(
    ("word", "uri"),
    [
        ("wine", "models:/wine@champion"),
        ("wine/2", "models:/wine/2"),
        ("wine:1", "models:/wine/1"),
        ("wine@champion", "models:/wine@champion"),
        ("wine/3", "models:/wine@champion"),
        ("iris", None),
        ("xyz", None),
        ("/wine", None),
        ("wine.py", None),
    ],
)
def test_a_registered_model_without_its_scheme(word: str, uri: str | None, registry: str) -> None:
    assert written(word) == uri
    if uri is not None and ":" not in word:
        error = FileNotFoundError("No such file or directory")
        assert said(error, word, registry, step="fetching", location=word) == (
            f"there is no folder {word}; the registry has {uri}"
        )


def test_of_versions_the_newest_is_proposed(store: str) -> None:
    mlflow.set_tracking_uri(store)
    client = mlflow.MlflowClient()
    client.create_registered_model("ten.versions-1.5")
    for _ in range(10):
        client.create_model_version("ten.versions-1.5", "/nowhere")
    assert written("ten.versions-1.5") == "models:/ten.versions-1.5/10"


def test_no_registry_is_made_to_be_asked(tmp_path: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/none.db")
    assert written("wine") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", [r"C:\models\wine", "C:/models/wine"])
def test_folders_of_windows(folder: str) -> None:
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings({"MODEL_URI": folder}))
    assert str(failed.value) == (
        "there is no folder wine; a registered model is written models:/wine/1"
    )


MISSING = FileNotFoundError("No such file or directory")
NO_SCHEME = MlflowException("Could not find a registered artifact repository for: foo:/x")
NO_ALIAS = MlflowException("Registered model alias a not found.", INVALID_PARAMETER_VALUE)


@pytest.mark.parametrize(
    ("uri", "step", "location", "error", "again"),
    [
        ("foo:/x", "fetching", "foo:/x", NO_SCHEME, "never"),
        ("runs:/", "looking up", "", MlflowException("Not a proper runs:/ URI"), "never"),
        ("models:/m", "looking up", "", NO_ALIAS, "never"),
        ("http://host:abc/m", "fetching", "http://host:abc/m", ValueError("port"), "never"),
        ("models:/m@a", "fetching", "foo:/x", NO_SCHEME, "soon"),
        ("models:/m@a", "looking up", "", NO_ALIAS, "soon"),
        ("s3://bucket/a@b/m", "fetching", "s3://bucket/a@b/m", ConnectionError(), "soon"),
        ("models:/m/1", "looking up", "", NotRegistered("it has 'n'"), "later"),
        ("runs:/1/m", "fetching", "mlflow-artifacts:/1/m", MISSING, "later"),
        ("/nowhere", "fetching", "/nowhere", MISSING, "later"),
        ("https://host/m", "fetching", "https://host/m", MISSING, "later"),
        ("models:/m/1", "fetching", "s3://bucket/m", MISSING, "later"),
        ("models:/m/1", "fetching", "s3://bucket/m", ConnectionError(), "soon"),
        ("models:/m/1", "looking up", "", ConnectionError(), "soon"),
    ],
)
def test_when_to_try_again(
    uri: str, step: Step, location: str, error: Exception, again: Again
) -> None:
    attempt = Attempt(uri, None, Login("check this"), step, location)
    advice(error, attempt)
    assert attempt.again == again


@pytest.mark.parametrize(
    ("uri", "malformed"),
    [
        ("http://h:abc/m", True),
        ("http://[h/m", True),
        ("http://h:80/m", False),
        ("models:/m/1", False),
        (r"\\[server\m", False),
    ],
)
def test_texts_that_cannot_be_a_uri(uri: str, malformed: bool) -> None:
    assert is_malformed(uri) is malformed


@pytest.mark.parametrize("uri", ["models:/nope", "models:nope", "models:/nope/", "models://nope"])
def test_a_name_without_a_version(uri: str, store: str) -> None:
    error = raised(lambda: mlflow.artifacts.download_artifacts(resolve(uri).uri))
    assert said(error, uri, store) == (
        f"MODEL_URI {uri} names no version; write models:/nope/1 or models:/nope@alias"
    )


def test_a_server_that_cannot_be_reached() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # not listening
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = raised(lambda: requests.get(url, timeout=5))
    assert said(error, "models:/m/1", url) == (
        f"the tracking server {url} cannot be reached; "
        "check MLFLOW_TRACKING_URI and that it is running"
    )


def refused_by_server() -> None:
    response = requests.Response()
    response.status_code = 401
    response.raise_for_status()


def refused_in_words() -> None:
    raise MlflowException("API request failed with error code 403 != 200")


def refused_by_code() -> None:
    raise MlflowException("no", PERMISSION_DENIED)


@pytest.mark.parametrize("act", [refused_by_server, refused_in_words, refused_by_code])
def test_refused_logins(act: Callable[[], None]) -> None:
    url = "https://me:secret@example.com:8443/mlflow?key=secret"
    assert said(raised(act), "models:/m/1", url) == (
        "the tracking server https://example.com:8443/mlflow refused the login: check this"
    )


def page_for_json() -> None:
    raise MlflowException(
        "API request to endpoint was successful but the response body was not in a valid JSON "
        "format. Response body: '<title>code 404, not found</title>'"
    )


def page_for_a_listing() -> None:
    response = requests.Response()
    response.status_code = 200
    response.raw = io.BytesIO(b"<title>Log in</title>")
    response.json()


@pytest.mark.parametrize("act", [page_for_json, page_for_a_listing])
def test_login_pages(act: Callable[[], None]) -> None:
    assert said(raised(act), "models:/m/1", "http://x/mlflow") == (
        "the tracking server http://x/mlflow refused the login (it answered with a web page): "
        "check this"
    )


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [FULL, MlflowException(f"failures occurred: {FULL}")])
@pytest.mark.parametrize("step", ["looking up", "fetching", "loading", "predicting"])
def test_a_full_disk(step: Step, error: Exception) -> None:
    assert said(error, "models:/m/1", step=step) == (
        "the disk is full; make room, or set TMPDIR to a folder on another one"
    )


def test_a_folder_for_temporary_files_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(LoadFailed, match="there is no folder for temporary files; set TMPDIR"):
        load_model(read_settings({"MODEL_URI": "s3://bucket/model"}))


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("model:/a/1", "was models:/a/1 meant?"),
        ("run:/0a/model", "was runs:/0a/model meant?"),
        ("models:/a/b/c", "see docs/operations.md for its forms"),
        ("models:a/1", "was models:/a/1 meant?"),
        ("model:a@champion", "was models:/a@champion meant?"),
        ("models:/a%20b/c%2Fd/e", "was models:/a b/c/d/e meant?"),
        ("wasb://box@me.net/m", "was wasbs://box@me.net/m meant?"),
        ("abfs://box@me.net/m", "was abfss://box@me.net/m meant?"),
        ("abfs://box:pw@me.net/m", None),
        ("gopher://x/a", "see docs/operations.md for its forms"),
    ],
)
def test_a_uri_that_is_misspelt(uri: str, hint: str | None, store: str) -> None:
    settings = read_settings({"MODEL_URI": uri, "MLFLOW_TRACKING_URI": store})
    with pytest.raises(LoadFailed) as failed:
        load_model(settings)
    public = public_uri(uri)
    hint = hint or "was abfss://me.net/m meant?"
    assert str(failed.value) == f"MODEL_URI {public} cannot be read as a model URI; {hint}"


def test_databricks_without_a_login(
    mlflow_as_before: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    settings = read_settings({"MODEL_URI": "models:/m/1", "MLFLOW_TRACKING_URI": "databricks"})
    with pytest.raises(LoadFailed, match="was asked without a login; set DATABRICKS_HOST"):
        load_model(settings)


@pytest.mark.parametrize("step", ["looking up", "fetching"])
def test_a_server_that_fails(step: Step) -> None:
    error = MlflowException("API request failed: too many 500 error responses")
    assert said(error, "models:/m/1", "http://x/mlflow", step) == (
        "the tracking server http://x/mlflow answered with an error of its own (500); its log has "
        "the reason"
    )


@pytest.mark.parametrize("answer", [{}, {"detail": "secret"}, {"error_code": "E1", "message": "x"}])
def test_an_error_of_a_proxy(answer: dict[str, Any]) -> None:
    assert said(RestException(answer), "models:/m/1", "http://x/mlflow") == (
        "the tracking server http://x/mlflow answered with an error that is none of MLflow's, such "
        f"as that of a proxy before it; check MLFLOW_TRACKING_URI and the login; {LOGGED}"
    )


LISTED = "The following failures occurred while downloading one or more artifacts from x: {}"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ChunkedEncodingError(), "the answer of {} was cut off; check the network and the proxies"),
        (
            MlflowException(LISTED.format("IncompleteRead(18 bytes read, 982 more expected)")),
            "the answer of {} was cut off; check the network and the proxies before it",
        ),
        (TooManyRedirects(), "{} redirects without end; check MLFLOW_TRACKING_URI"),
        (MlflowException(LISTED.format("Exceeded 30 redirects.")), "{} redirects without end"),
        (
            MlflowException(LISTED.format("Max retries exceeded with url: /x (Caused by …)")),
            "{} cannot be reached; check MLFLOW_TRACKING_URI",
        ),
    ],
)
@pytest.mark.parametrize("step", ["looking up", "fetching"])
def test_answers_that_do_not_come_whole(step: Step, error: Exception, text: str) -> None:
    server = "the tracking server http://x/mlflow"
    assert said(error, "models:/m/1", "http://x/mlflow", step).startswith(text.format(server))


def test_a_server_that_is_asked_too_often() -> None:
    error = MlflowException("API request failed: too many 429 error responses")
    assert said(error, "models:/m/1", "http://x/mlflow") == (
        "the tracking server http://x/mlflow was asked too often (429); wait a while"
    )


def test_a_server_that_is_no_tracking_server() -> None:
    error = MlflowException("API request to endpoint /api/2.0 failed with error code 404 != 200.")
    assert said(error, "models:/m/1", "http://x/mlflow") == (
        "the tracking server http://x/mlflow does not know what it was asked: it is no MLflow "
        "server, or an older one; check MLFLOW_TRACKING_URI"
    )


def from_cause() -> None:
    try:
        importlib.import_module("no_such_package.part")
    except ModuleNotFoundError as error:
        raise MlflowException("loading failed") from error


def only_before() -> None:
    try:
        importlib.import_module("no_such_package")
    except ModuleNotFoundError:
        raise ValueError("told from nothing else") from None


def fail(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


LOADING = f"the model models:/m/1 could not be loaded ({{}}); {LOGGED}"

NO_FILES = f"the files of the model models:/m/1 could not be fetched ({{}}); {LOGGED}"


@pytest.mark.parametrize(
    ("step", "act", "text"),
    [
        ("configuring", from_cause, "MLflow cannot be imported for want of the module no_such_pa"),
        ("configuring", fail(ImportError("cannot import name")), "MLflow cannot be imported; pip"),
        ("configuring", fail(ValueError("not found")), "MLflow could not be set up (ValueError)"),
        ("looking up", from_cause, "the local store cannot be asked without the module no_such"),
        ("looking up", fail(ValueError("x")), "the model models:/m/1 could not be looked up (Val"),
        (
            "looking up",
            fail(MlflowException("odd", INVALID_PARAMETER_VALUE)),
            "MODEL_URI models:/m/1 cannot be read as a model URI; see docs/operations.md for its "
            "forms",
        ),
        (
            "fetching",
            lambda: mlflow.artifacts.download_artifacts("gopher://x/y"),
            "MODEL_URI models:/m/1 cannot be read as a model URI",
        ),
        ("fetching", fail(ValueError("x")), NO_FILES.format("ValueError")),
        ("loading", from_cause, "the model needs the module no_such_package, which no line"),
        ("loading", only_before, LOADING.format("ValueError")),
        ("loading", fail(ModuleNotFoundError("own words")), LOADING.format("ModuleNotFoundError")),
        ("loading", fail(LookupError("Resource punkt not found")), LOADING.format("LookupError")),
        (
            "loading",
            fail(FileNotFoundError("No such file: MLmodel")),
            LOADING.format("FileNotFoundError"),
        ),
        ("loading", fail(ConnectionError("hub")), LOADING.format("ConnectionError")),
        (
            "loading",
            fail(MlflowException("No flavor.", PERMISSION_DENIED)),
            f'the model models:/m/1 could not be loaded: "No flavor"; {LOGGED}',
        ),
        (
            "predicting",
            fail(FileNotFoundError("not found")),
            "the model models:/m/1 was loaded, but could not be asked (FileNotFoundError)",
        ),
    ],
)
def test_the_step_decides(step: Step, act: Callable[[], Any], text: str) -> None:
    assert said(raised(act), "models:/m/1", step=step).startswith(text)


PRESENT = importlib.metadata.version("numpy")
REQUIREMENTS = [
    "# pinned",
    "-r other.txt",
    f"numpy=={PRESENT}",
    "pandas==0.1 --hash=sha256:00",
    "pyyaml<1 ; python_version < '3'",
    "no-such-package==1",
    "Starlette==0.0.1 # the server's own",
]


@pytest.mark.parametrize("step", ["configuring", "looking up", "fetching", "loading", "predicting"])
def test_another_version_is_said_while_loading_and_where_versions_differ(step: Step) -> None:
    here = {name: importlib.metadata.version(name) for name in ("pandas", "starlette")}
    guess = (
        f". Often a package has another version: pandas==0.1 is here {here['pandas']}, "
        f"Starlette==0.0.1 is here {here['starlette']}"
    )
    error = raised(lambda: int("x"))
    told = said(error, "s3://b/model", step=step, requirements=REQUIREMENTS)
    assert told.endswith(guess) == (step == "loading")
    assert "another version" not in said(
        error, "s3://b/m", step=step, requirements=REQUIREMENTS[:3]
    )


def test_a_part_that_another_version_has() -> None:
    told = missing_module("pandas.no_such", ["pandas==0.1"])
    assert "the installed pandas does not have. Often a package has another version: pand" in told


def test_other_packages_are_told_before_a_model_is_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {python_function: {loader_module: none}}")
    (tmp_path / "requirements.txt").write_text("\n".join(REQUIREMENTS))
    with pytest.raises(LoadFailed):
        load_model(read_settings({"MODEL_URI": str(tmp_path)}))
    here = {name: importlib.metadata.version(name) for name in ("pandas", "starlette")}
    assert caplog.messages[-1] == (
        f"the model was saved with other packages: pandas==0.1 is here {here['pandas']}, "
        f"no-such-package==1 is not installed, Starlette==0.0.1 is here {here['starlette']}"
    )
    caplog.clear()
    (tmp_path / "requirements.txt").write_text("\n".join(REQUIREMENTS[:3]))
    with pytest.raises(LoadFailed):
        load_model(read_settings({"MODEL_URI": str(tmp_path)}))
    assert "saved with" not in caplog.text


def test_of_many_differences_five_are_named() -> None:
    told = said(ValueError(), "models:/m/1", step="loading", requirements=["pandas==0.1"] * 7)
    assert told.count("pandas==0.1") == 5
    assert told.endswith(" and 2 more")


@pytest.mark.parametrize(
    ("module", "requirements", "line"),
    [
        ("sklearn.tree", ["mlflow", "scikit_learn==1.5"], "scikit_learn==1.5"),
        ("cv2", ["opencv-python-headless"], "opencv-python-headless"),
        ("google.cloud.storage", ["google-cloud-storage>=2"], "google-cloud-storage>=2"),
        ("xgboost", ["xgboost[gpu]>=2 ; python_version > '3' --hash=sha256:0 \\"],
         "xgboost[gpu]>=2 ; python_version > '3'"),
        ("own", ["own @ git+https://token@host/own?key=k"], "own @ git+https://…@host/own?…"),
        ("own", ["owner", "# own"], None),
        ("imblearn.over_sampling", ["imbalanced-learn==0.12.4"], "imbalanced-learn==0.12.4"),
        ("skopt", ["mlflow", "scikit-optimize"], "scikit-optimize"),
        ("google.protobuf.message", ["protobuf<6"], "protobuf<6"),
        ("google.cloud", ["protobuf<6"], None),
        ("pkg_resources", ["setuptools<82"], "setuptools<82"),
        ("Crypto.Cipher", ["pycryptodome"], "pycryptodome"),
    ],
)  # fmt: skip
def test_packages_are_known_by_their_modules(
    module: str, requirements: list[str], line: str | None
) -> None:
    assert line_for(module, requirements) == line


def test_a_package_that_the_model_asks_for() -> None:
    assert missing_module("no_such.module", ["# pinned", " No.Such>=2 "]) == (
        "the model needs the package No.Such, which is not installed; add the line "
        "`No.Such>=2` to requirements.txt and deploy again"
    )


@pytest.mark.parametrize("module", ["custom_transformer", "my_utils.steps", "cv2_of_nobody"])
@pytest.mark.parametrize("requirements", [[], ["mlflow==3.0", "scikit-learn", "transformer"]])
def test_a_module_of_the_authors_own(module: str, requirements: list[str]) -> None:
    assert missing_module(module, requirements) == (
        f"the model needs the module {module}, which no line of its requirements names; if it is "
        "your own code, log the model with code_paths=, or name the file in the deploy command; if "
        "it is a package's, log the model with pip_requirements= that name it"
    )


@pytest.mark.parametrize("module", ["numpy.no_such", "xml.no_such"])
def test_a_part_that_the_installed_package_does_not_have(module: str) -> None:
    top = module.partition(".")[0]
    assert missing_module(module, ["numpy>=1"]) == (
        f"the model needs the module {module}, which the installed {top} does not have"
    )


@pytest.mark.parametrize("package", [True, False])
def test_an_own_module_with_the_name_of_a_folder_that_is_here(
    package: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deploy_of_mine").mkdir()
    if package:
        (tmp_path / "deploy_of_mine" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    told = missing_module("deploy_of_mine.features", ["mlflow"])
    assert "which no line of its requirements names; if it is your own code" in told


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"requirements.txt": "\ufeffnumpy\n", "conda.yaml": "dependencies: [x]"}, ["numpy"]),
        (
            {"conda.yaml": "dependencies: [python=3.11, c::b=1.2=x, d>=1, {pip: [a==1, null]}]"},
            ["python==3.11.*", "b==1.2.*", "d>=1", "a==1"],
        ),
        ({"conda.yaml": "dependencies: numpy"}, []),
        ({"conda.yaml": "dependencies: [{pip: numpy}, {other: [x]}]"}, []),
        ({"conda.yaml": "[a"}, []),
        ({"conda.yaml": "[a]"}, []),
        ({"conda.yaml": "{}"}, []),
        ({}, []),
    ],
)
def test_where_a_models_requirements_stand(
    files: dict[str, str], lines: list[str], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert requirements_of(tmp_path) == lines


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("/home/me/secret/model/", "file:…/model"),
        ("file:///home/me/model", "file:…/model"),
        ("sqlite:////data/mlflow.db", "sqlite:…/mlflow.db"),
        ("models:/name@alias", "models:/name@alias"),
        ("https://user:key@host/path?token=x#y", "https://host/path"),
        ("postgresql://user:key@host:5432/db", "postgresql://host:5432/db"),
        ("http://user:key@host:99x/mlflow", "http:…"),
        ("http://[bad/model", "http:…"),
        ("https://user:key/with/slash@host", "https:…"),
        ("https://user:12/with/slash@host", "https:…"),
    ],
)
def test_what_of_a_uri_is_shown(uri: str, public: str) -> None:
    assert public_uri(uri) == public


def test_a_model_of_a_registry_that_the_uri_names(registry: str) -> None:
    uri = "models://host/nope/1"
    assert "check MODEL_URI and MLFLOW_TRACKING_URI" in said(raised(lambda: resolve(uri)), uri)
