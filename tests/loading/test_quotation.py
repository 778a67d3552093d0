"""What MLflow says of a model that does not load, by models for which it really says it."""

import os
from pathlib import Path

import mlflow
import pytest
import yaml
from mlflow.exceptions import MlflowException

from modelserver.deployment.checks.model_checks import _failed
from modelserver.hosting.login import Login
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LOGGED, Attempt, LoadFailed
from modelserver.loading.explaining.quotation import LONGEST, quotation
from modelserver.loading.loader import load_model
from tests.support.zoo import Echo

CODE = """\
import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import ChatModel, PythonModel
class Model(PythonModel):
    def load_context(self, context):
        {load}
    def predict(self, context, model_input, params=None):
        return [1]
{end}
"""
SET = "mlflow.models.set_model(Model())"


def reason(path: Path, **environment: str) -> str:
    """Why the model does not load."""
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings({"MODEL_URI": str(path), **environment}))
    start, _, said = str(failed.value).partition(
        f"the model file:…/{path.name} could not be loaded"
    )
    assert start == ""
    return said


def of_code(path: Path, load: str = "pass", end: str = SET) -> Path:
    """A model that was logged as code, whose code was changed afterwards."""
    script = path.with_suffix(".py")
    script.write_text(CODE.format(load="pass", end=SET))
    mlflow.pyfunc.save_model(str(path), python_model=str(script), pip_requirements=["mlflow"])
    (path / script.name).write_text(CODE.format(load=load, end=end))
    return path


def changed(path: Path, python_function: dict[str, str | None]) -> Path:
    """A pickled model whose MLmodel file says something else of its flavor."""
    mlflow.pyfunc.save_model(str(path), python_model=Echo(), pip_requirements=["mlflow"])
    file = path / "MLmodel"
    mlmodel = yaml.safe_load(file.read_text())
    flavor = mlmodel["flavors"]["python_function"] | python_function
    mlmodel["flavors"]["python_function"] = {key: value for key, value in flavor.items() if value}
    file.write_text(yaml.safe_dump(mlmodel))
    return path


@pytest.mark.parametrize(
    ("python_function", "sentence"),
    [
        ({"predict_fn": "transform"}, "Model implementation is missing required transform method"),
        ({"python_model": None}, "Python model path was not specified in the model configuration"),
    ],
)
def test_a_flavor_that_does_not_fit(
    tmp_path: Path, python_function: dict[str, str | None], sentence: str
) -> None:
    path = changed(tmp_path / "m", python_function)
    (path / "requirements.txt").write_text("pandas==0.1\n")
    assert reason(path) == f': "{sentence}"; {LOGGED}'


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("", "If the model is logged as code, ensure the model is set using mlflow.models.set_m"),
        ("mlflow.models.set_model(3)", "Model should either be an instance of PyFuncModel, Langc"),
        ("raise ValueError('it was hunter 2')", "Failed to run user code from …/m.py. Error: Val"),
        ("{}['hunter2']", "Failed to run user code from …/m.py. Error: KeyError. Review"),
        ("class M(ChatModel):\n    pass\nM()", "Failed to run user code from …/m.py. Error: Can't"),
        ("raise MlflowException('Run build.py; see /a/b')", "Run build.py; see …/b"),
    ],
)
def test_a_model_as_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, sentence: str
) -> None:
    path = of_code(tmp_path / "m", end=end)
    monkeypatch.setattr(mlflow.models.model, "__mlflow_model__", None)  # which MLflow keeps
    said = reason(path)
    assert said.startswith(f': "{sentence}')
    assert "hunter" not in said
    assert str(tmp_path) not in said


def test_a_model_that_chooses_its_words(tmp_path: Path) -> None:
    """It may know a secret of the server, which is struck out."""
    load = "raise MlflowException('No index for key top-secret-1; build it.')"
    path = of_code(tmp_path / "m", load)
    assert reason(path, MLFLOW_TRACKING_TOKEN="top-secret-1") == (
        f': "No index for key …; build it"; {LOGGED}'
    )


def test_a_sentence_with_a_semicolon_stays_whole_in_the_report() -> None:
    outcome = _failed(LoadFailed('it failed: "build it; then log it"; the log has more; read it'))
    assert (outcome.found, outcome.advice) == (
        'it failed: "build it; then log it"',
        "the log has more; read it",
    )
    assert _failed(LoadFailed("the disk is full")).advice == ""


class Mute(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError


def said_of(error: BaseException, cause: BaseException | None = None) -> str:
    error.__cause__ = cause
    attempt = Attempt("models:/m/1", None, Login("check"), "loading", secrets=["key-of-us"])
    return quotation(error, attempt)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("\n\n One line. And more.\nAnother", "One line. And more"),
        ('Say "this"', "Say 'this'"),
        ("with key-of-us", "with …"),
        ("x" * 400, "x" * (LONGEST - 1) + "…"),
        ("File /home/me/a.py.", "File …/a.py"),
        ("File '/home/me/my own/a.py' (~/b/c/, C:\\me\\d)", "File '…/a.py' (…/c, …/d)"),
        ("Not in /home/my own/models/a: gone", "Not in …/a: gone"),
        ("At:/home/me/a, and/or ./b and …/c", "At:…/a, and/or ./b and …/c"),
        ("Of file:///home/me/a, models:/m/1", "Of file:…/a, models:/m/1"),
        ("See https://me:key@host/page?sig=k.", "See https://host/page"),
        ("Failed with 418. Response body: '<p>me</p>'", "Failed with 418"),
        ("418 Client Error: no. Response text: <p>me</p>", "418 Client Error: no"),
    ],
)
def test_what_is_shown_of_a_text(text: str, shown: str) -> None:
    assert said_of(MlflowException(text)) == shown


@pytest.mark.parametrize(
    ("text", "cause", "shown"),
    [
        ("Failed: a b.", ValueError("a b"), "Failed: ValueError"),
        ("Failed due to a b", ValueError("a b"), "Failed due to ValueError"),
        ("Failed: ab", ValueError("ab"), "Failed: ValueError"),
        ("Type 'ab' is unknown", KeyError("ab"), "Type 'ab' is unknown"),
        ("Failed: no name", NameError("no name"), "Failed: no name"),
        ("Failed: ", ValueError(), "Failed:"),
        ("Failed: ", Mute(), "Failed:"),
        ("Failed: Log it. More", MlflowException("Log it."), "Log it"),
        ("Failed", MlflowException(""), "Failed"),
        ("Failed", MlflowException("otherwise"), "Failed"),
    ],
)
def test_what_repeats_another_exception(text: str, cause: Exception, shown: str) -> None:
    assert said_of(MlflowException(text), cause) == shown


@pytest.mark.parametrize("error", [ValueError("own words"), OSError(os.strerror(2)), Mute()])
def test_other_exceptions_are_not_quoted(error: Exception) -> None:
    assert said_of(error) == ""
    assert said_of(error, MlflowException("before")) == ""


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mlflow-artifacts:/0/model", "Perhaps you forgot to set the tracking URI to the running "
         "MLflow server"),
        ("file://{}/%66older", "[Errno 21] Is a directory: '…/folder'"),
    ],
)  # fmt: skip
def test_no_sentence_ends_in_a_colon(
    uri: str, said: str, tmp_path: Path, mlflow_as_before: None
) -> None:
    (tmp_path / "folder").mkdir()
    settings = {"MODEL_URI": uri.format(tmp_path), "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/m"}
    with pytest.raises(LoadFailed) as failed:
        load_model(read_settings(settings))
    assert f'{said}"; {LOGGED}' in str(failed.value)
