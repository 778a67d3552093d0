"""The pre-flight check by check, on real models, servers and folders."""

import json
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import mlflow
import pytest
from rsconnect.metadata import config_dirname
from starlette.applications import Starlette
from starlette.routing import Mount

from modelserver.deployment.bundle import read_bundle
from modelserver.deployment.checks.model_checks import (
    check_model,
    check_openapi,
    check_prediction,
    check_reachable,
    check_settings,
)
from modelserver.deployment.checks.preflight import preflight
from modelserver.deployment.checks.project_checks import (
    check_folder,
    check_python,
    check_requirements,
    check_rsconnect,
)
from modelserver.deployment.checks.rehearsal import Answer, Rehearsal
from modelserver.deployment.checks.report import Check
from modelserver.deployment.command_line import ours
from modelserver.deployment.environment import SavedWith, read_environment
from modelserver.deployment.install import update
from modelserver.hosting.settings import read_settings
from modelserver.lifecycle import UNSIGNED
from modelserver.scoring.blaming.blame import LOGGED
from tests.deployment.test_rehearsal import OF_THE_ZOO
from tests.support.connect.door import Door
from tests.support.processes import ROOT, answering, free_port
from tests.support.serving import serving
from tests.whole.test_lifecycle import with_loader

pytestmark = pytest.mark.usefixtures("mlflow_as_before")

SKIPPED = "not checked, because an earlier check failed"

AGAIN = "log the model again with Python 3.10 or newer"

HERE = platform.python_version()
MINOR = ".".join(HERE.split(".")[:2])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    folder = tmp_path / "project"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "mlruns", "mlflow.db*")
    shutil.copytree(ROOT, folder, ignore=ignored)
    (folder / "tests" / "support").mkdir(parents=True)
    for path in OF_THE_ZOO:
        shutil.copy(ROOT / path, folder / path)
    return folder


def checked(environment: Mapping[str, str], project: Path) -> dict[str, Check]:
    return {check.name: check for check in preflight(environment, project, OF_THE_ZOO)}


def check_of(name: str, environment: Mapping[str, str], project: Path) -> Check:
    """One check by its name; those that come after it do not run."""
    checks = preflight(environment, project, OF_THE_ZOO)
    return next(check for check in checks if check.name == name)


def statuses(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: check.status for name, check in checks.items()}


def test_all_is_well_with_a_registered_model(wine_registry: str, project: Path) -> None:
    environment = {"MODEL_URI": "models:/wine@champion", "MLFLOW_TRACKING_URI": wine_registry}
    environment |= {"CONNECT_SERVER": "https://connect.example.com", "CONNECT_API_KEY": "k"}
    file = str(project / "requirements.txt")
    assert update([file, "models:/wine@champion"], environment) == 0
    (project / ".python-version").write_text(f"{MINOR}\n")
    checks = checked(environment, project)
    reachable = checks.pop("reachable")
    assert (reachable.status, reachable.found) == (
        "failed",
        f"{wine_registry} is only on this machine: Connect cannot reach it",
    )
    assert set(statuses(checks).values()) == {"ok"}
    assert checks["model"].found == "wine version 1, sklearn"
    assert checks["Python"].found == f"the model {HERE}, .python-version {MINOR}, here {HERE}"
    assert checks["prediction"].found.startswith('the logged example: {"predictions":["cultivar')
    assert checks["OpenAPI"].found.endswith("OpenAPI 3.1.0")
    assert all(check.advice == "" for check in checks.values())


@pytest.mark.processes
def test_a_fresh_clone_and_a_model_in_a_folder(
    model_path: Callable[[str], Path], project: Path
) -> None:
    uri = str(model_path("wine"))
    checks = checked({"MODEL_URI": uri}, project)
    assert statuses(checks) == {
        "settings": "ok",
        "tracking server": "ok",
        "reachable": "failed",
        "model": "ok",
        "Python": "warning",
        "requirements.txt": "failed",
        "installed": "ok",
        "base document": "ok",
        "load": "ok",
        "prediction": "ok",
        "OpenAPI": "ok",
        "bundle": "ok",
        "whole folder": "ok",
        "rsconnect": "failed",
    }
    assert checks["Python"].advice == f"echo {MINOR} > .python-version"
    assert "scikit-learn has no line" in checks["requirements.txt"].found
    assert checks["requirements.txt"].advice == f"python main.py update {uri}"


def test_without_a_model(project: Path) -> None:
    checks = checked({}, project)
    assert checks["settings"] == Check(
        "settings",
        "failed",
        "MODEL_URI is not set",
        ours("check", "models:/my-model/1", *OF_THE_ZOO),
    )
    assert checks["bundle"].status == "ok"
    others = [
        check
        for name, check in checks.items()
        if name not in ("settings", "base document", "bundle", "whole folder", "rsconnect")
    ]
    assert {(check.status, check.found) for check in others} == {("skipped", SKIPPED)}


def test_without_a_model_and_with_a_misnamed_variable() -> None:
    assert check_settings({"MODEL_URL": "models:/m/1"}, "again").found == (
        "MODEL_URI is not set; MODEL_URL is set; did you mean MODEL_URI?"
    )


def test_a_base_document_that_is_broken(model_path: Callable[[str], Path], project: Path) -> None:
    base = project / "openapi_base.yaml"
    base.write_text(base.read_text() + "paths: {}\n")
    line = len(base.read_text().splitlines())
    checks = checked({"MODEL_URI": str(model_path("wine"))}, project)
    assert checks["base document"] == Check(
        "base document",
        "failed",
        f"openapi_base.yaml: line {line}, column 1: the key paths is there twice",
        "mend openapi_base.yaml",
    )
    assert checks["load"].status == "skipped"


def test_a_wrong_setting(project: Path) -> None:
    check = check_of("settings", {"PORT": "http"}, project)
    assert check.found == "PORT='http': expected a whole number from 0 to 65535"
    assert check.advice == "unset PORT"


@pytest.mark.parametrize("uri", ["https://me:secret@127.0.0.1:9/model", "runs:/x?token=secret"])
def test_credentials_in_a_uri_are_not_shown(uri: str, project: Path, store: str) -> None:
    environment = {"MODEL_URI": uri, "MLFLOW_TRACKING_URI": store}
    assert "secret" not in repr(checked(environment, project))


def test_credentials_in_advice_are_not_shown(
    model_path: Callable[[str], Path], project: Path
) -> None:
    saved = read_environment(model_path("wine"))
    settings = read_settings({"MODEL_URI": "https://me:secret@host/model"})
    advice = check_requirements(saved, settings, project).advice
    assert advice == "python main.py update"


def test_a_server_that_is_not_there(project: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    checks = checked({"MODEL_URI": "models:/wine/1", "MLFLOW_TRACKING_URI": url}, project)
    assert checks["tracking server"] == Check(
        "tracking server",
        "failed",
        f"the tracking server {url} cannot be reached",
        "check MLFLOW_TRACKING_URI and that it is running",
    )
    assert checks["model"].status == "skipped"


@pytest.mark.parametrize(
    ("status", "body", "media_type"),
    [
        (401, "Unauthorized", "text/plain"),
        (403, '{"error_code": "PERMISSION_DENIED"}', "application/json"),
        (200, "<!doctype html><title>Sign in</title>", "text/html"),
    ],
)
def test_a_server_that_refuses(status: int, body: str, media_type: str, project: Path) -> None:
    with answering(status, body, media_type) as url:
        checks = checked({"MODEL_URI": "models:/wine/1", "MLFLOW_TRACKING_URI": url}, project)
    check = checks["tracking server"]
    assert check.status == "failed"
    assert check.advice.startswith("set MLFLOW_TRACKING_TOKEN")


def test_what_only_conda_has_is_named(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    conda = "dependencies: [openssl=3.0, numpy, xz]"
    uri = changed(model_path("one_long"), tmp_path, requirements__txt="", conda__yaml=conda)
    outcome = check_model(read_settings({"MODEL_URI": uri}))
    assert (outcome.status, outcome.found) == (
        "warning",
        "pyfunc; its conda.yaml also asks conda for 'openssl', 'xz'",
    )
    assert outcome.advice == "add lines to requirements.txt for those that the model imports"
    assert outcome.fact is not None


def test_an_unknown_version(wine_registry: str, project: Path) -> None:
    environment = {"MODEL_URI": "models:/wine/77", "MLFLOW_TRACKING_URI": wine_registry}
    checks = checked(environment, project)
    assert checks["model"].found.startswith("there is no model models:/wine/77 in the tracking")
    assert checks["load"].status == "skipped"


def test_a_store_of_this_machine(project: Path, store: str) -> None:
    environment = {"MODEL_URI": "models:/wine/1", "MLFLOW_TRACKING_URI": store}
    assert check_of("tracking server", environment, project).found == "sqlite:…/mlflow.db answers"
    assert check_of("reachable", environment, project).advice == (
        "export MLFLOW_TRACKING_URI=https://connect.example.com/mlflow"
    )


@pytest.mark.parametrize("with_rsconnect", [True, False])
def test_a_model_is_looked_up_where_the_content_looks(
    with_rsconnect: bool, wine_registry: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At /mlflow of the Connect that is deployed to, with its key, if no other server is named."""
    if not with_rsconnect:
        monkeypatch.setitem(sys.modules, "rsconnect.metadata", None)
    door = Door(wine_registry, lambda header: header == "Key k")
    with serving(Starlette(routes=[Mount("/mlflow", door)])) as url:
        environment = {"MODEL_URI": "models:/wine/1", "CONNECT_SERVER": f"{url}/"}
        environment["CONNECT_API_KEY"] = "k"
        where, reachable, model = islice(preflight(environment, project), 1, 4)
        assert (where.status, where.found) == (
            "ok",
            f"{url}/mlflow answers; the content asks it, since MLFLOW_TRACKING_URI is not set",
        )
        assert (reachable.status, model.status) == ("ok", "ok")
        named = {**environment, "MLFLOW_TRACKING_URI": f"{url}/mlflow"}
        where = check_of("tracking server", named, project)
        assert where.found == f"{url}/mlflow answers"
    check = check_of("tracking server", environment, project)
    assert (check.status, check.found) == (
        "failed",
        f"the tracking server {url}/mlflow cannot be reached; the content asks it, since "
        "MLFLOW_TRACKING_URI is not set",
    )


def test_a_start_on_this_machine_asks_the_store_of_this_machine(project: Path, store: str) -> None:
    mlflow.set_tracking_uri(store)
    environment = {"MODEL_URI": "models:/wine/1", "CONNECT_SERVER": "https://connect.example.com"}
    checks = preflight(environment, project, local=True)
    check = next(check for check in checks if check.name == "tracking server")
    assert check.found == "sqlite:…/mlflow.db answers"


@pytest.mark.parametrize(
    ("where", "connect", "status"),
    [
        ("sqlite:…/mlflow.db", "", "failed"),
        ("file:…/mlruns", "", "failed"),
        ("/home/me/mlruns", "", "failed"),
        ("http://127.0.0.1:5000", "", "failed"),
        ("http://localhost:5000", "https://connect.example.com", "failed"),
        ("http://localhost:3939/mlflow", "http://localhost:3939/", "ok"),
        ("https://mlflow.example.com", "", "ok"),
        ("databricks", "", "ok"),
    ],
)
def test_what_connect_can_reach(where: str, connect: str, status: str) -> None:
    settings = read_settings({"MODEL_URI": "models:/wine/1"})
    assert check_reachable(where, settings, {"CONNECT_SERVER": connect}).status == status


@pytest.mark.processes
def test_for_a_start_on_this_machine(model_path: Callable[[str], Path], project: Path) -> None:
    """What only a deployment needs is not checked."""
    environment = {"MODEL_URI": str(model_path("wine"))}
    checks = list(preflight(environment, project, OF_THE_ZOO, local=True))
    names = "settings,tracking server,model,installed,base document,load,prediction,OpenAPI"
    assert [check.name for check in checks] == names.split(",")
    assert {check.status for check in checks} == {"ok"}


def changed(model: Path, folder: Path, **files: str) -> str:
    """The URI of a copy of a model, with other files; empty text removes one."""
    copy = shutil.copytree(model, folder / "model")
    for name, text in files.items():
        file = copy / name.replace("__", ".")
        file.write_text(text) if text else file.unlink()
    return str(copy)


@pytest.mark.parametrize(
    ("saved", "wanted", "status", "advice"),
    [
        (HERE, MINOR, "ok", ""),
        (HERE, "3.8", "failed", f"echo {MINOR} > .python-version"),
        (HERE, None, "warning", f"echo {MINOR} > .python-version"),
        ("3.29.1", "3.29", "warning", "python3.29 -m venv .venv3.29"),
        ("3.10", "3.29", "failed", "echo 3.10 > .python-version"),
        ("3.29rc1", "3.28", "failed", "echo 3.29 > .python-version"),
        ("3", MINOR, "warning", f"echo {MINOR} > .python-version"),
        ("3.8.1", "3.8.1", "failed", AGAIN),
        ("2.7", "2.7", "failed", AGAIN),
        ("pypy3.10", MINOR, "failed", AGAIN),
        ("[3, 11]", MINOR, "warning", f"echo {MINOR} > .python-version"),
        (None, MINOR, "warning", f"echo {MINOR} > .python-version"),
    ],
)
def test_python(
    saved: str | None,
    wanted: str | None,
    status: str,
    advice: str,
    model_path: Callable[[str], Path],
    project: Path,
    tmp_path: Path,
) -> None:
    text = f"python: {saved}" if saved else "{}"
    uri = changed(model_path("one_long"), tmp_path, python_env__yaml=text, conda__yaml="{}")
    if wanted:
        (project / ".python-version").write_text(wanted)
    check = check_of("Python", {"MODEL_URI": uri}, project)
    assert (check.status, check.advice) == (status, advice)


def test_a_python_that_is_no_number_is_not_pasted_as_code(tmp_path: Path) -> None:
    saved = SavedWith(tmp_path, (), "$(touch x).11", {})
    outcome = check_python(saved, tmp_path)
    assert outcome.found == (
        "the model was saved with '$(touch x).11', the server needs Python 3.10 on"
    )
    assert outcome.advice == AGAIN


def test_a_project_that_names_no_python(model_path: Callable[[str], Path], project: Path) -> None:
    (project / "pyproject.toml").unlink()
    check = check_of("Python", {"MODEL_URI": str(model_path("one_long"))}, project)
    assert (check.status, check.found) == (
        "failed",
        f"the model was saved with {HERE}, there is no .python-version",
    )


@pytest.mark.processes
def test_a_model_whose_package_is_missing(
    model_path: Callable[[str], Path], project: Path, tmp_path: Path
) -> None:
    broken = "flavors: {python_function: {loader_module: no_such.module}}"
    uri = changed(
        model_path("one_long"),
        tmp_path,
        MLmodel=broken,
        requirements__txt="no-such==1\npandas==0.1",
    )
    checks = checked({"MODEL_URI": uri}, project)
    assert checks["installed"].status == "failed"
    assert "no-such==1 is not installed; pandas==0.1 is here as" in checks["installed"].found
    assert checks["load"].status == "failed"
    assert checks["load"].advice == "add the line `no-such==1` to requirements.txt and deploy again"
    assert checks["prediction"].status == "skipped"


def test_another_version_is_only_a_doubt(
    model_path: Callable[[str], Path], project: Path, tmp_path: Path
) -> None:
    uri = changed(model_path("one_long"), tmp_path, requirements__txt="pandas==2.1.0.1")
    installed = check_of("installed", {"MODEL_URI": uri}, project)
    requirements = check_of("requirements.txt", {"MODEL_URI": uri}, project)
    assert (installed.status, requirements.status) == ("warning", "warning")
    assert installed.advice == f"python main.py install {uri}"


OF_A_MODEL = {"MODEL_URI": "models:/wine/1"}


def test_no_example() -> None:
    outcome = check_prediction(Rehearsal(Answer(200, "{}")), OF_A_MODEL)
    assert (outcome.status, outcome.found) == (
        "warning",
        "the model was logged without an input example",
    )
    assert outcome.advice == "log_model(…, input_example=table.head(2))"


def test_no_signature() -> None:
    health = json.dumps({"warnings": [UNSIGNED]})
    answers = Rehearsal(Answer(200, health), Answer(200, '{"predictions": [1]}'))
    outcome = check_prediction(answers, OF_A_MODEL)
    assert outcome.status == "warning"
    assert outcome.found.startswith("the model was logged without a signature, so wrong input")
    assert outcome.advice.startswith("log it again with input_example=table.head(2)")


@pytest.mark.processes
def test_an_example_that_fails(
    model_path: Callable[[str], Path], project: Path, tmp_path: Path
) -> None:
    body = '{"inputs": {"n": ["seven"]}}'
    uri = changed(model_path("one_long"), tmp_path, serving_input_example__json=body)
    check = check_of("prediction", {"MODEL_URI": uri}, project)
    assert check.status == "failed"
    assert check.found == (
        "the input example that was logged with the model could not be predicted: row 0, column "
        "'n': expected a whole number of 64 bits, found text"
    )
    assert check.advice == "log the model again with an input_example that it predicts"


def test_an_example_that_cannot_be_read() -> None:
    health = json.dumps({"warnings": ["it cannot be read: its file is not JSON; log it again"]})
    outcome = check_prediction(Rehearsal(Answer(200, health)), OF_A_MODEL)
    assert (outcome.status, outcome.found, outcome.advice) == (
        "warning",
        "it cannot be read: its file is not JSON",
        "log it again",
    )


def test_an_example_that_fails_only_the_second_time() -> None:
    message = f"the model raised ValueError; {LOGGED}"
    answer = Answer(500, json.dumps({"message": message}))
    outcome = check_prediction(Rehearsal(Answer(200, "{}"), answer), OF_A_MODEL)
    assert (outcome.status, outcome.found) == ("failed", "500: the model raised ValueError")
    assert outcome.advice == (
        "export MODEL_URI=models:/wine/1; python main.py, and send the example more than once"
    )


@pytest.mark.parametrize(
    ("body", "rows", "status"),
    [
        ('{"predictions": [1, 2]}', 2, "ok"),
        ('{"predictions": [1]}', 2, "warning"),
        ('{"predictions": []}', 1, "warning"),
        ('{"predictions": {"a": 1}}', 2, "ok"),
        ('{"predictions": [1]}', None, "ok"),
        ('[{"choices": []}]', 1, "ok"),
    ],
)
def test_one_prediction_per_row(body: str, rows: int | None, status: str) -> None:
    answers = Rehearsal(Answer(200, "{}"), Answer(200, body), rows=rows)
    outcome = check_prediction(answers, OF_A_MODEL)
    assert outcome.status == status
    assert ("rows, its prediction has" in outcome.found) == (status == "warning")


def test_a_bundle_with_too_much_and_one_with_too_little(project: Path) -> None:
    (project / "modelserver" / "my wines.csv").write_text("a,b")
    check = check_of("bundle", {}, project)
    assert check.found.endswith("should not go: modelserver/my wines.csv (data)")
    assert check.advice == "mv 'modelserver/my wines.csv' .."
    (project / "main.py").unlink()
    check = check_of("bundle", {}, project)
    assert check.found.endswith("missing: main.py")
    assert check.advice == "git checkout -- main.py"


def test_secrets_and_data_that_a_bare_dot_would_send(project: Path, store: str) -> None:
    for name in (".env", "customers.csv", "mlruns/0/meta.yaml", "model_artifacts/MLmodel"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    for name in ("mlflow.db", "a.parquet", "b.parquet"):
        (project / name).touch()
    environment = {"MODEL_URI": "models:/wine/1", "MLFLOW_TRACKING_URI": store}
    check = check_of("whole folder", environment, project)
    assert check.status == "warning"
    assert re.match(
        r"a bare `\.` in the command would send \d+ files, \d\.\d MB, with ", check.found
    )
    assert check.found.endswith(
        ": '.env', 'a.parquet', 'b.parquet', 'customers.csv', 'mlflow.db' and 2 more"
    )
    assert check.advice == ours("deploy", environment["MODEL_URI"], *OF_THE_ZOO)
    (project / ".env").unlink()
    check = check_of("whole folder", environment, project)
    assert (check.status, check.advice) == ("ok", "")
    assert check.found.endswith("'customers.csv', 'mlflow.db', 'mlruns/' and 1 more")


def test_a_folder_that_has_only_what_runs(project: Path, tmp_path: Path) -> None:
    bundle = read_bundle(project)
    for path in bundle.sizes:
        (tmp_path / "bare" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / path, tmp_path / "bare" / path)
    outcome = check_folder(tmp_path / "bare", bundle, "")
    assert (outcome.status, outcome.found) == ("ok", "a bare `.` would send the same files")


def test_what_no_check_expects_is_a_finding(
    model_path: Callable[[str], Path], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = str(model_path("one_long"))
    monkeypatch.setattr(tempfile, "tempdir", str(project / "gone"))
    check = check_of("model", {"MODEL_URI": uri}, project)
    assert check.status == "failed"
    assert check.found.startswith("FileNotFoundError: ")
    assert check.advice == "mend that, and check again"


def test_a_server_that_connect_may_reach(project: Path) -> None:
    """The number is 127.0.0.1 as well, but does not look like this machine."""
    with answering(200, '{"experiments": []}', "application/json") as url:
        elsewhere = url.replace("127.0.0.1", "2130706433")
        environment = {"MODEL_URI": "models:/wine/1", "MLFLOW_TRACKING_URI": elsewhere}
        check = check_of("reachable", environment, project)
    assert check == Check("reachable", "ok", f"{elsewhere} is not only on this machine")


def test_a_document_with_faults() -> None:
    empty = Answer(200, "{}")
    outcome = check_openapi(Rehearsal(empty, None, empty))
    assert outcome.status == "failed"
    assert outcome.found == "it is not OpenAPI 3.1, it has no /invocations"
    assert outcome.advice == "mend openapi_base.yaml"


@pytest.mark.processes
@pytest.mark.parametrize(
    ("code", "file", "named"),
    [
        ("import myhelpers.numbers", "myhelpers/numbers.py", "myhelpers"),
        ("open('my table.csv')", "my table.csv", "'my table.csv'"),
    ],
)
def test_what_a_model_needs_and_was_not_named(
    code: str,
    file: str,
    named: str,
    model_path: Callable[[str], Path],
    project: Path,
    tmp_path: Path,
) -> None:
    """The line to run names it."""
    uri = str(with_loader(model_path("wine"), tmp_path / "needy", code))
    (project / file).parent.mkdir(exist_ok=True)
    (project / file).touch()
    check = check_of("load", {"MODEL_URI": uri}, project)
    assert check.status == "failed"
    words = ["python", "main.py", "check", uri, *sorted(OF_THE_ZOO), named]
    assert check.advice == " ".join(words)


@pytest.mark.processes
def test_what_a_model_needs_and_is_not_beside_main_py(
    model_path: Callable[[str], Path], project: Path, tmp_path: Path
) -> None:
    """The advice is that of the load."""
    uri = str(with_loader(model_path("wine"), tmp_path / "needy", "import myhelpers.numbers"))
    assert "code_paths=" in check_of("load", {"MODEL_URI": uri}, project).advice


def test_who_deploys_to_connect_is_told_of_its_tracking_server(project: Path, store: str) -> None:
    environment = {
        "MODEL_URI": "models:/a/1",
        "MLFLOW_TRACKING_URI": store,
        "CONNECT_SERVER": "https://connect.example.com/",
    }
    check = check_of("reachable", environment, project)
    assert check.advice == "export MLFLOW_TRACKING_URI=https://connect.example.com/mlflow"


SAVED = {"work": {"name": "work", "url": "https://connect.example.com/", "api_key": "k"}}

NO_SERVER = (
    "failed",
    "no server is known: CONNECT_SERVER is not set, and rsconnect list is empty",
    "export CONNECT_SERVER=https://connect.example.com; export CONNECT_API_KEY=your-key",
)

NO_KEY = (
    "failed",
    "CONNECT_SERVER is set, but CONNECT_API_KEY is not",
    "export CONNECT_API_KEY=your-key",
)


@pytest.mark.parametrize(
    ("environment", "saved", "expected"),
    [
        ({}, {}, NO_SERVER),
        ({}, SAVED, ("ok", "deploys to https://connect.example.com", "")),
        ({}, {**SAVED, "home": {"name": "home", "url": "https://home"}},
         ("ok", "knows 'home', 'work'", "")),
        ({"CONNECT_SERVER": "https://me:pw@host"}, SAVED, NO_KEY),
        ({"CONNECT_SERVER": "https://connect.example.com"}, SAVED,
         ("ok", "deploys to https://connect.example.com", "")),
        ({"CONNECT_SERVER": "https://me:pw@host", "CONNECT_API_KEY": "k"}, SAVED,
         ("ok", "deploys to https://host", "")),
    ],
)  # fmt: skip
def test_which_server_rsconnect_knows(
    environment: dict[str, str],
    saved: dict[str, Any],
    expected: tuple[str, str, str],
    tmp_path: Path,
) -> None:
    folder = Path(config_dirname(env={"HOME": str(tmp_path)}))
    folder.mkdir()
    (folder / "servers.json").write_text(json.dumps(saved))
    outcome = check_rsconnect({"HOME": str(tmp_path), **environment}, tmp_path)
    assert (outcome.status, outcome.found, outcome.advice) == expected
    (tmp_path / "manifest.json").touch()  # who publishes from git needs no server
    outcome = check_rsconnect({"HOME": str(tmp_path), **environment}, tmp_path)
    assert outcome.status == ("ok" if expected[0] == "ok" else "warning")


def test_without_rsconnect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "rsconnect.metadata", None)
    outcome = check_rsconnect({}, tmp_path)
    assert (outcome.status, outcome.advice) == ("failed", "pip install rsconnect-python")
