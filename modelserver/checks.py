"""The pre-flight: what a deployment needs, checked one after the other.

In: environment variables and the project's folder. Out: one frozen `Check` at a time, with what was
found and the line or command that mends it. A check that needs what an earlier one did not find is
skipped. Nothing is raised for what is wrong.
"""

import platform
import re
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from modelserver.advice import LoadFailed, public_uri
from modelserver.bundle import read_bundle
from modelserver.environment import SavedWith, inspect_model, open_store, read_environment
from modelserver.packages import Comparison, in_file, installed
from modelserver.python_version import chosen_python, minor
from modelserver.quiet import quiet
from modelserver.rehearsal import Rehearsal, faults, rehearse
from modelserver.settings import Settings, SettingsError, read_settings

T = TypeVar("T")

Status: TypeAlias = Literal["ok", "warning", "failed", "skipped"]

NO_URI: Final = "export MODEL_URI=models:/my-model/1"

ONLY_HERE: Final = re.compile(r"(?:\w+://)?(?:[^/]*@)?(?:localhost|127\.|\[::1\]|0\.0\.0\.0)")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `advice` is what to write or run; empty where all is well."""

    name: str
    status: Status
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How a check went, and what later checks can use of it."""

    status: Status
    found: str
    advice: str = ""
    fact: T | None = None


def preflight(environment: Mapping[str, str], root: Path) -> Iterator[Check]:
    """All checks, in order, each as soon as it is done."""
    settings = yield from _step("settings", check_settings, environment)
    reachable = yield from _step("tracking server", check_tracking_server, settings)
    saved = yield from _step("model", check_model, reachable)
    yield from _step("Python", check_python, saved, root)
    yield from _step("requirements.txt", check_requirements, saved, settings, root)
    yield from _step("installed", check_installed, saved, settings)
    rehearsal = yield from _step("load", check_load, saved and settings)
    yield from _step("prediction", check_prediction, rehearsal)
    yield from _step("OpenAPI", check_openapi, rehearsal)
    yield from _step("bundle", check_bundle, root)


def _step(
    name: str, check: Callable[..., Outcome[T]], *needed: Any
) -> Generator[Check, None, T | None]:
    """One check; what it found out is returned, None if it failed or something needed is None."""
    if any(fact is None for fact in needed):
        yield Check(name, "skipped", "not checked, because an earlier check failed")
        return None
    with quiet():
        outcome = _guarded(check, needed)
    yield Check(name, outcome.status, outcome.found, outcome.advice)
    return outcome.fact


def _guarded(check: Callable[..., Outcome[T]], needed: tuple[Any, ...]) -> Outcome[T]:
    try:
        return check(*needed)
    except Exception as error:  # a file that cannot be read, a broken base document: findings, too
        return Outcome("failed", f"{type(error).__name__}: {error}", "mend that, and check again")


def check_settings(environment: Mapping[str, str]) -> Outcome[Settings]:
    """The environment variables can be read, and name a model."""
    try:
        settings = read_settings(environment)
    except SettingsError as error:
        variable = str(error).partition("=")[0]
        return Outcome("failed", str(error), f"unset {variable}")
    if settings.model_uri is None:
        return Outcome("failed", "MODEL_URI is not set", NO_URI)
    uri = settings.model_uri
    return Outcome("ok", public_uri(uri) if "://" in uri else uri, fact=settings)


def check_tracking_server(settings: Settings) -> Outcome[Settings]:
    """The server answers, to this login; Connect could ask it as well."""
    assert settings.model_uri is not None
    if Path(settings.model_uri.removeprefix("file://")).exists():
        advice = "register the model, and set MODEL_URI to models:/<name>/<version>"
        return Outcome("warning", "the model is a folder of this machine", advice, settings)
    try:
        where = open_store(settings)
    except LoadFailed as error:
        return _failed(error)
    if "://" not in where or where.startswith(("sqlite", "file")) or ONLY_HERE.match(where):
        found = f"{where} answers, but only on this machine, not on Connect"
        return Outcome("warning", found, "export MLFLOW_TRACKING_URI=https://…", settings)
    return Outcome("ok", f"{where} answers", fact=settings)


def check_model(settings: Settings) -> Outcome[SavedWith]:
    """The URI names a model, and its files say what it needs."""
    with TemporaryDirectory(prefix="model-") as temporary:
        try:
            registration, folder = inspect_model(settings, Path(temporary))
        except LoadFailed as error:
            return _failed(error)
        saved = read_environment(folder)
    version = f"{registration.name} version {registration.version}, " if registration.name else ""
    flavors = [name for name in saved.flavors if name != "python_function"] or ["pyfunc"]
    return Outcome("ok", f"{version}{', '.join(flavors)}", fact=saved)


def check_python(saved: SavedWith, root: Path) -> Outcome[None]:
    """The model's Python is the one that Connect will take, and the one that runs here."""
    here, choice = platform.python_version(), chosen_python(root)
    model = saved.python or here
    advice = f"echo {'.'.join(model.split('.')[:2])} > .python-version"
    if saved.python is None:
        return Outcome("warning", f"the model does not say which; here is {here}", advice)
    if choice is None or minor(model) not in choice.minors:
        says = f"{choice.source} says {choice.text}" if choice else "there is no .python-version"
        return Outcome("failed", f"the model was saved with {model}, {says}", advice)
    if len(choice.minors) > 1:
        found = f"the model was saved with {model}, Connect may take any {choice.text}"
        return Outcome("warning", found, advice)
    if minor(here) != minor(model):
        advice = f"python3.{minor(model)} -m venv .venv"
        return Outcome("warning", f"the model was saved with {model}, here is {here}", advice)
    return Outcome("ok", f"the model {model}, {choice.source} {choice.text}, here {here}")


def check_requirements(saved: SavedWith, settings: Settings, root: Path) -> Outcome[None]:
    """requirements.txt has a line for each package of the model, in its version."""
    file = root / "requirements.txt"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    advice = f"./install_model_deps.sh --update {shlex.quote(str(settings.model_uri))}"
    return _compared(in_file(text, saved.packages), saved, advice)


def check_installed(saved: SavedWith, settings: Settings) -> Outcome[None]:
    """This interpreter has the model's packages, in their versions."""
    advice = f"./install_model_deps.sh {shlex.quote(str(settings.model_uri))}"
    return _compared(installed(saved.packages), saved, advice)


def check_load(settings: Settings) -> Outcome[Rehearsal]:
    """The app loads the model."""
    rehearsal = rehearse(settings)
    health = rehearsal.health.json()
    if health["state"] != "ready":
        return _failed(LoadFailed(health["reason"]))
    return Outcome("ok", f"loaded in {health['load_seconds']} s", fact=rehearsal)


def check_prediction(rehearsal: Rehearsal) -> Outcome[None]:
    """The app predicts the example that was logged with the model."""
    answer = rehearsal.prediction
    if answer is None:
        found = "the model was logged without an input example"
        return Outcome("warning", found, "log_model(…, input_example=table.head(2))")
    if answer.status != 200:
        advice = "python main.py, and send the example: its log has the traceback"
        return Outcome("failed", f"{answer.status}: {answer.json()['message']}", advice)
    return Outcome("ok", f"the logged example: {_shortened(answer.body.decode(), 60)}")


def check_openapi(rehearsal: Rehearsal) -> Outcome[None]:
    """The API's description is OpenAPI 3.1, and whatever it refers to is in it."""
    document = rehearsal.document.json() if rehearsal.document else {}
    wrong = list(faults(document))
    if wrong:
        return Outcome("failed", ", ".join(wrong), "mend openapi_base.yaml")
    return Outcome("ok", f"{len(document['paths'])} paths, OpenAPI {document['openapi']}")


def check_bundle(root: Path) -> Outcome[None]:
    """What rsconnect would pack is all that runs, and nothing else."""
    bundle = read_bundle(root)
    found = f"{len(bundle.sizes)} files, {bundle.size / 1024:.0f} kB"
    if bundle.missing:
        missing = " ".join(bundle.missing)
        return Outcome("failed", f"{found}; missing: {missing}", f"git checkout -- {missing}")
    if unwanted := list(bundle.unwanted()):
        named = ", ".join(f"{path} ({why})" for path, why in unwanted)
        return Outcome("failed", f"{found}; should not go: {named}", f"mv {unwanted[0][0]} ..")
    return Outcome("ok", found)


def _compared(comparison: Comparison, saved: SavedWith, advice: str) -> Outcome[None]:
    found = "; ".join(comparison.faults + comparison.doubts)
    if comparison.faults:
        return Outcome("failed", found, advice)
    if comparison.doubts:
        return Outcome("warning", found, advice)
    return Outcome("ok", f"the model's {len(saved.packages)} packages")


def _failed(error: LoadFailed) -> Outcome[Any]:
    """What happened and what to do about it, which a reason has in this order."""
    found, _, advice = str(error).partition("; ")
    return Outcome("failed", found, advice)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
