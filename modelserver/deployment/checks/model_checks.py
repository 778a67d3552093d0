"""Checks of the model: the settings that name it, where it is, and that the app serves it.

In: settings, then what earlier checks found. Out: an `Outcome` from each check. The caller must
catch errors that a check does not expect.
"""

import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

from modelserver.deployment.bundle import REMOTE, Bundle
from modelserver.deployment.checks.document_faults import faults
from modelserver.deployment.checks.project_checks import minor
from modelserver.deployment.checks.rehearsal import Died, Rehearsal, rehearse
from modelserver.deployment.checks.report import Outcome
from modelserver.deployment.command_line import set_variable, start, unset_variable
from modelserver.deployment.environment import SavedWith, inspect_model, of_conda, open_store
from modelserver.deployment.servers import EXAMPLE
from modelserver.hosting.connect import Connect
from modelserver.hosting.settings import Settings, read_settings
from modelserver.hosting.variables import SettingsError
from modelserver.loading.attempt import LoadFailed, local_path, public_uri
from modelserver.scoring.blaming.blame import without_request
from modelserver.types.names import shortened

BY_DEFAULT: Final = "the content asks it, since MLFLOW_TRACKING_URI is not set"
"""Why a tracking server is asked that nobody has named."""

Again: TypeAlias = Callable[..., str]
"""Makes the command that checks again, from a model and further words."""

SEMICOLON: Final = re.compile(r'; (?=(?:[^"]*"[^"]*")*[^"]*$)')
"""The separator between the parts of a reason, outside of the text that it quotes."""

MENDS: Final = {"CONNECT_SERVER": set_variable("CONNECT_SERVER", EXAMPLE)}
"""Commands that set settings which are missing."""

NEEDS: Final = re.compile(r"needs the module (\w+)|needs the file …/(.+?), which is not here")
"""Finds in a reason why a model does not load: a missing module of the author, or a missing file
that the model's code opens."""

REGISTER: Final = "register the model, and name it, for example models:/my-model/1"

ONLY_HERE: Final = re.compile(r"(?:\w+://)?(?:[^/]*@)?(?:localhost|127\.|\[::1\]|0\.0\.0\.0)")


def _failed(error: LoadFailed) -> Outcome[Any]:
    """The outcome of a failed check. The text of a `LoadFailed` says what happened, and then what
    to do."""
    found, *advice = SEMICOLON.split(str(error), maxsplit=1)
    return Outcome("failed", found, "".join(advice))


def check_settings(environment: Mapping[str, str], again: str) -> Outcome[Settings]:
    """Checks that the environment variables can be read and name a model. `again`: the command to
    run with a model."""
    try:
        settings = read_settings(environment)
    except SettingsError as error:
        variable = str(error).partition("=")[0]
        return Outcome("failed", str(error), MENDS.get(variable) or unset_variable(variable))
    if settings.model_uri is None:
        found = "; ".join(filter(None, ["MODEL_URI is not set", settings.misnamed]))
        return Outcome("failed", found, again)
    uri = settings.model_uri
    return Outcome("ok", uri if local_path(uri) else public_uri(uri), fact=settings)


def check_tracking_server(settings: Settings, by_default: bool) -> Outcome[str]:
    """Checks that the tracking server accepts the login. The fact is where the model is looked up,
    as it may be shown. `by_default`: whether nobody has named that server."""
    assert settings.model_uri is not None
    if local_path(settings.model_uri):
        return Outcome("ok", "not needed: the model is a folder", fact=settings.model_uri)
    try:
        where = open_store(settings)
    except LoadFailed as error:
        failed = _failed(error)
        return replace(failed, found=f"{failed.found}; {BY_DEFAULT}") if by_default else failed
    why = f"; {BY_DEFAULT}" if by_default else ""
    return Outcome("ok", f"{where} answers{why}", fact=where)


def check_reachable(
    where: str, settings: Settings, environment: Mapping[str, str]
) -> Outcome[None]:
    """Checks that Connect could reach the place where the model is looked up, so far as its address
    shows."""
    assert settings.model_uri is not None
    if local_path(settings.model_uri):
        return Outcome("failed", "the model is a folder of this machine", REGISTER)
    server = environment.get("CONNECT_SERVER", "").rstrip("/")
    if REMOTE.match(where) and (not ONLY_HERE.match(where) or Connect(server, None).covers(where)):
        return Outcome("ok", f"{where} is not only on this machine")
    advice = set_variable("MLFLOW_TRACKING_URI", f"{public_uri(server or EXAMPLE)}/mlflow")
    return Outcome("failed", f"{where} is only on this machine: Connect cannot reach it", advice)


def check_model(settings: Settings) -> Outcome[SavedWith]:
    """Checks that the URI names a model, and that its files say what it needs."""
    with TemporaryDirectory(prefix="model-") as temporary:
        try:
            registration, saved = inspect_model(settings, Path(temporary))
        except LoadFailed as error:
            return _failed(error)
    version = f"{registration.name} version {registration.version}, " if registration.name else ""
    flavors = [name for name in saved.flavors if name != "python_function"] or ["pyfunc"]
    found = f"{version}{', '.join(flavors)}"
    if risk := of_conda(saved):
        return Outcome("warning", f"{found}; {risk.found}", risk.advice, saved)
    return Outcome("ok", found, fact=saved)


def check_load(
    environment: Mapping[str, str], saved: SavedWith, bundle: Bundle, root: Path, again: Again
) -> Outcome[Rehearsal]:
    """Checks that the app loads the model, with the files of the bundle. `again`: the command to
    run with further files."""
    uri = environment["MODEL_URI"]
    try:
        rehearsal = rehearse(environment, root, bundle)
    except Died as death:
        return Outcome("failed", f"the process that loads the model {death}", _revive(saved, uri))
    health = rehearsal.health.json()
    if health["state"] != "ready":
        failed = _failed(LoadFailed(health["reason"]))
        own = _not_named(health["reason"], root)
        return replace(failed, advice=again(uri, own)) if own else failed
    return Outcome("ok", f"loaded in {health['load_seconds']} s", fact=rehearsal)


def _not_named(reason: str, root: Path) -> str:
    """The file or module that the model lacks, if the project's folder has it but the bundle does
    not; otherwise empty."""
    for module, file in NEEDS.findall(reason):
        for path in (f"{module}.py", module) if module else (file,):
            if (root / path).exists():
                return str(path)
    return ""


def _revive(saved: SavedWith, uri: str) -> str:
    """The advice if the app's process died. Most often a pickle of another Python version is the
    cause."""
    here = platform.python_version()
    if saved.python and minor(saved.python) != minor(here):
        return f"check with the model's Python {saved.python}, here is {here}"
    return f"{start(uri)}, whose log says what it did last"


def check_prediction(rehearsal: Rehearsal, environment: Mapping[str, str]) -> Outcome[None]:
    """Checks that the app predicts the example that was logged with the model."""
    answer = rehearsal.prediction
    fails = answer is not None and answer.status != 200
    for warning in rehearsal.health.json().get("warnings", []):
        found, _, advice = warning.rpartition("; ")
        return Outcome("failed" if fails else "warning", found, advice)
    if answer is None:
        found = "the model was logged without an input example"
        return Outcome("warning", found, "log_model(…, input_example=table.head(2))")
    if fails:
        found = f"{answer.status}: {without_request(answer.json()['message'])}"
        advice = f"{start(environment['MODEL_URI'])}, and send the example more than once"
        return Outcome("failed", found, advice)
    predicted = _predictions(answer.json())
    if None not in (predicted, rehearsal.rows) and predicted != rehearsal.rows:
        found = f"the logged example has {rehearsal.rows} rows, its prediction has {predicted}"
        return Outcome("warning", found, "let the model return one prediction per row")
    return Outcome("ok", f"the logged example: {shortened(answer.body, 60)}")


def _predictions(answer: Any) -> int | None:
    """The number of predictions in an answer; None if they are no list."""
    predictions = answer.get("predictions") if isinstance(answer, dict) else None
    return len(predictions) if isinstance(predictions, list) else None


def check_openapi(rehearsal: Rehearsal) -> Outcome[None]:
    """Checks that the API's description is OpenAPI 3.1, and that all its references exist."""
    document = rehearsal.document.json() if rehearsal.document else {}
    wrong = list(faults(document))
    if wrong:
        return Outcome("failed", ", ".join(wrong), "mend openapi_base.yaml")
    return Outcome("ok", f"{len(document['paths'])} paths, OpenAPI {document['openapi']}")
