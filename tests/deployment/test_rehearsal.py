"""The real app asked from inside."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient

from modelserver.deployment.bundle import read_bundle
from modelserver.deployment.checks.document_faults import faults
from modelserver.deployment.checks.model_checks import check_load
from modelserver.deployment.checks.rehearsal import Rehearsal, rehearse
from modelserver.deployment.command_line import ours
from modelserver.deployment.environment import SavedWith
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LoadFailed
from modelserver.loading.loader import load_model
from tests.support.processes import ROOT

pytestmark = pytest.mark.processes

OF_THE_ZOO = (
    "tests/__init__.py",
    "tests/support/__init__.py",
    "tests/support/responses.py",
    "tests/support/zoo.py",
)
"""What the models of the tests are made of, beside MLflow."""


def rehearsed(model: Path, root: Path, *extra: str) -> Rehearsal:
    return rehearse({"MODEL_URI": str(model)}, root, read_bundle(root, extra))


def loaded_by(module: str, folder: Path) -> Path:
    """A model that is loaded by a module of its author's own."""
    folder.mkdir()
    (folder / "MLmodel").write_text(
        f"flavors: {{python_function: {{loader_module: {module}, python_version: 2.7.18}}}}"
    )
    return folder


LOADER = """\
class Echo:
    def predict(self, table, params=None):
        return table


def _load_pyfunc(path):
    return Echo()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, which is the current folder."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "mlruns", "mlflow.db*")
    folder = shutil.copytree(ROOT, tmp_path / "project", ignore=ignored)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.measured
def test_a_model_with_an_example(project: Path) -> None:
    (project / "myhelpers.py").write_text(LOADER)
    model = loaded_by("myhelpers", Path("model"))
    example = '{"dataframe_records": [{"a": 1}, {"a": 2}]}'
    (model / "serving_input_example.json").write_text(example)
    rehearsal = rehearsed(model, project, "myhelpers.py")
    assert rehearsal.health.json()["state"] == "ready"
    assert rehearsal.rows == 2
    assert rehearsal.prediction is not None
    assert rehearsal.prediction.status == 200
    assert rehearsal.prediction.json() == {"predictions": [{"a": 1}, {"a": 2}]}
    assert rehearsal.document is not None
    assert list(faults(rehearsal.document.json())) == []


@pytest.mark.measured
def test_only_the_bundles_files_are_there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside main.py is missing unless it is sent. The model has no example."""
    (project / "lookup.txt").write_text("red")
    (project / "myhelpers.py").write_text(f"open('lookup.txt').close()\n{LOADER}")
    model = loaded_by("myhelpers", Path("model"))
    monkeypatch.setenv("PYTHONPATH", str(project))
    saved = SavedWith(model, (), None, {})
    environment, bundle = {"MODEL_URI": str(model)}, read_bundle(project)
    alone = check_load(environment, saved, bundle, project, partial(ours, "check"))
    assert (alone.status, alone.advice) == ("failed", "python main.py check model myhelpers.py")
    both = rehearsed(model, project, "my*.py", "lookup.txt")
    assert both.health.json()["state"] == "ready"
    assert both.prediction is None
    assert both.document is not None


@pytest.mark.usefixtures("mlflow_as_before")
def test_a_store_below_the_current_folder(
    empty_store: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's default."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (project / "myhelpers.py").write_text(LOADER)
    client = MlflowClient(f"sqlite:///{shutil.copy(empty_store, project)}")
    client.create_registered_model("m")
    client.create_model_version("m", str(loaded_by("myhelpers", tmp_path / "model")))
    bundle = read_bundle(project, ["myhelpers.py"])
    health = rehearse({"MODEL_URI": "models:/m/1"}, project, bundle).health.json()
    assert health["state"] == "ready", health


def test_a_model_and_stores_below_the_current_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they are spelled: the model's code writes down what it sees of them."""
    loaded_by("myhelpers", Path("model"))
    Path("mlflow.db").touch()
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "sqlite:///mlflow.db")
    spelled = {
        "MODEL_URI": "'../project/model'",
        "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        "A_URI": "'sqlite:///mlflow.db?timeout=9'",
        "B_PATH": "model",
        "C_DIR": "./model",
        "D_URI": "file:model",
        "E_URI": "model/that is not there",
        "F": "model",
    }
    for name, value in spelled.items():
        monkeypatch.setenv(name, value)
    (project / "myhelpers.py").write_text(
        f"import json, os\nfrom pathlib import Path\n"
        f"Path({str(project / 'seen')!r}).write_text(json.dumps(dict(os.environ)))\n{LOADER}"
    )
    bundle = read_bundle(project, ["myhelpers.py"])
    health = rehearse(spelled, project, bundle).health.json()
    assert health["state"] == "ready", health
    seen = json.loads((project / "seen").read_text())
    assert {name: seen[name] for name in ("MLFLOW_REGISTRY_URI", *spelled)} == {
        "MLFLOW_REGISTRY_URI": f"sqlite:///{project}/mlflow.db",
        "MODEL_URI": f"{project}/model",
        "MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db",
        "A_URI": f"sqlite:///{project}/mlflow.db?timeout=9",
        "B_PATH": f"{project}/model",
        "C_DIR": f"{project}/model",
        "D_URI": f"file:{project}/model",
        "E_URI": "model/that is not there",
        "F": "model",
    }


def test_another_python_is_named_before_the_model_is_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = loaded_by("no_such_module", tmp_path / "model")
    with caplog.at_level("INFO", "modelserver"), pytest.raises(LoadFailed):
        load_model(read_settings({"MODEL_URI": str(model)}))
    said = [message for message in caplog.messages if "2.7.18" in message]
    assert said[0].startswith("the model was saved with Python 2.7.18, here is 3.")


@pytest.mark.parametrize(
    ("line", "end", "python", "advice"),
    [
        (
            "os.kill(os.getpid(), signal.SIGSEGV)",
            "died of SIGSEGV",
            "2.7.18",
            "check with the model's Python 2.7.18, here is ",
        ),
        (
            "os._exit(3)",
            "ended with exit code 3",
            None,
            "export MODEL_URI={model}; python main.py, ",
        ),
    ],
)
def test_a_model_that_ends_the_process(
    line: str, end: str, python: str | None, advice: str, tmp_path: Path
) -> None:
    """As a pickle of another version of Python does."""
    (tmp_path / "deadly.py").write_text(f"import os, signal\n{line}\n")
    model = loaded_by("deadly", tmp_path / "model")
    shutil.copytree(ROOT / "modelserver", tmp_path / "modelserver")
    shutil.copy(ROOT / "openapi_base.yaml", tmp_path)
    bundle = read_bundle(tmp_path, ["deadly.py"])
    saved = SavedWith(model, (), python, {})
    environment = {"MODEL_URI": str(model)}
    outcome = check_load(environment, saved, bundle, tmp_path, partial(ours, "check"))
    assert outcome.found == f"the process that loads the model {end}"
    assert advice.format(model=model) in outcome.advice
