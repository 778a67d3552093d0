"""Models whose code or files lack something, tried as MLflow loads them."""

import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import mlflow
import pytest
from sklearn.base import BaseEstimator

from modelserver.hosting.login import Login
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LOGGED, Attempt, LoadFailed
from modelserver.loading.explaining.advice import advice
from modelserver.loading.loader import load_model

CODE = """\
import mlflow
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [1]
mlflow.models.set_model(Model())
"""


def reason(path: Path) -> str:
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings({"MODEL_URI": str(path)}))
    return str(failed.value).replace(f"file:…/{path.name}", "file:…/m")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import sys; sys.exit(3)", "the code of the model file:…/m called sys.exit; log it witho"),
        ("raise SystemExit('4711')", "the code of the model file:…/m called sys.exit; log it with"),
        (
            "open('data/lookup.txt')",
            "the code of the model needs the file …/lookup.txt, which is not here; log the model "
            "with artifacts= or code_paths= that bring it, and open it from there",
        ),
        ("raise FileNotFoundError('4711')", 'the model file:…/m could not be loaded: "Failed to'),
        ("import sys; sys.nope", 'the model file:…/m could not be loaded: "'),
    ],
)
def test_code_that_fails_while_it_is_loaded(line: str, said: str, tmp_path: Path) -> None:
    script = tmp_path / "code.py"
    script.write_text(CODE)
    mlflow.pyfunc.save_model(
        str(tmp_path / "m"), python_model=str(script), pip_requirements=["mlflow"]
    )
    (tmp_path / "m" / "code.py").write_text(f"{line}\n{CODE}")
    told = reason(tmp_path / "m")
    assert told.startswith(said)
    assert "4711" not in told


IN_A_SCRIPT = """\
import sys, mlflow, sklearn.base
class Mine(sklearn.base.BaseEstimator):
    def predict(self, X): return [1]
options = {"serialization_format": "pickle", "pip_requirements": ["scikit-learn"]}
mlflow.sklearn.save_model(Mine(), sys.argv[1], **options)
"""


@pytest.mark.processes
def test_a_class_of_a_notebook(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", IN_A_SCRIPT, str(tmp_path / "m")], check=True)
    assert reason(tmp_path / "m") == (
        "the model needs Mine of the notebook or script that logged it; put it into a module of "
        "its own, and log the model with code_paths="
    )


CUT_OFF = "a file of the model file:…/m seems to be cut off, empty or no pickle; fetch the files"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", CUT_OFF),
        (b"\x80\x05\x95\xff", CUT_OFF),
        (b"<html>", CUT_OFF),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "the file model.pkl of the model is a pointer of Git LFS; run `git lfs pull`",
        ),
        (None, "the model file:…/m has lost its file model.pkl; fetch it again, or log it again"),
    ],
)
def test_files_that_are_not_whole(
    content: bytes | None, said: str, model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(model_path("wine"), tmp_path / "m")
    (file,) = folder.glob("model.*")
    file = file.rename(folder / "model.pkl")
    mlmodel = (folder / "MLmodel").read_text()
    mlmodel = mlmodel.replace("model.skops", "model.pkl").replace("format: skops", "format: pickle")
    (folder / "MLmodel").write_text(mlmodel)
    file.unlink() if content is None else file.write_bytes(content)
    assert reason(folder).startswith(said)


class Mine(BaseEstimator):  # type: ignore[misc]
    """An estimator of a type that no version of skops trusts by itself."""

    def predict(self, table: Any) -> list[int]:
        return [1] * len(table)


def saved_with_skops(path: Path, *lines: str) -> Path:
    """A model that names the types that skops is to trust, and asks for the packages `lines`."""
    pytest.importorskip("skops")
    parameters = inspect.signature(mlflow.sklearn.save_model).parameters
    if "skops_trusted_types" not in parameters:
        pytest.skip("this MLflow does not save with skops")
    trusted = {"serialization_format": "skops", "skops_trusted_types": [TYPE]}
    mlflow.sklearn.save_model(Mine(), str(path), pip_requirements=[*lines], **trusted)
    return path


TYPE = f"{__name__}.Mine"


def test_types_that_skops_does_not_trust(tmp_path: Path) -> None:
    """As an older skops trusted, with which the model was saved."""
    folder = saved_with_skops(tmp_path / "m", "mlflow", "skops==0.0.1")
    assert load_model(read_settings({"MODEL_URI": str(folder)}))
    mlmodel = (folder / "MLmodel").read_text()
    assert f"    - {TYPE}\n" in mlmodel
    (folder / "MLmodel").write_text(mlmodel.replace(f"    - {TYPE}\n", "    - numpy.dtype\n"))
    assert reason(folder) == (
        f"skops does not trust '{TYPE}' in the model file:…/m; if you do, log it again with "
        f"skops_trusted_types=['{TYPE}']. Often a package has another version: skops==0.0.1 is "
        f"here {version('skops')}"
    )


def test_a_setting_that_forbids_to_load_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved_with_skops(tmp_path / "m", "mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    assert reason(folder) == (
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION forbids to load models, since their files can run any "
        "code; set it to true if you trust the model file:…/m"
    )


class UntrustedTypesFoundException(Exception):
    """As that of skops, with other words."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UntrustedTypesFoundException("no"), "could not be loaded (UntrustedTypesFoundException)"),
        (BadZipFile(), "a file of the model models:/m/1 seems to be cut off, empty or no pickle"),
        (FileNotFoundError(2, "no", "x"), f"could not be loaded (FileNotFoundError); {LOGGED}"),
        (
            AttributeError("module '__main__' has no attribute 'Mine'"),
            "the model needs Mine of the notebook or script that logged it",
        ),
        (AttributeError("no"), f"could not be loaded (AttributeError); {LOGGED}"),
    ],
)
def test_before_the_files_are_known(error: Exception, said: str) -> None:
    attempt = Attempt("models:/m/1", None, Login("check this"), "loading")
    assert said in advice(error, attempt)
