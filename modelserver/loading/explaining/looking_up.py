"""Why a model could not be looked up: what the tracking server did, or what MODEL_URI names.

In: the exception and the attempt that it ended. Out: a sentence, or None if no rule explains it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from modelserver.hosting.login import ANYBODY
from modelserver.loading.attempt import LOGGED, Attempt, is_malformed
from modelserver.loading.explaining.causes import (
    code_of,
    is_cut_off,
    is_foreign_host,
    is_of_database,
    is_page,
    is_sent_on,
    is_unreachable,
    status_of,
)
from modelserver.loading.explaining.misspelt import meant, unknown_scheme
from modelserver.loading.registry import NotRegistered
from modelserver.scoring.mlflow_internals import (
    BAD_URI,
    NO_ENDPOINT,
    NO_LOGIN,
    OLD_STORE,
    UNKNOWN_STORE,
    is_error_of_another,
    says,
    setting_in,
)


def while_looking_up(error: BaseException, attempt: Attempt) -> str | None:
    """The advice for an error while the model was looked up: about the tracking server, its store,
    or the model's URI."""
    if says(error, *NO_LOGIN):
        return (
            f"{attempt.server} was asked without a login; set DATABRICKS_HOST and DATABRICKS_TOKEN "
            "(with the package databricks-sdk), or another MLFLOW_TRACKING_URI"
        )
    if fault := fault_of_server(error, attempt) or _fault_of_settings(error, attempt):
        return fault
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        return f"{attempt.server} cannot be asked without the module {top}; install its package"
    return _wrong_uri(error, attempt)


def _fault_of_settings(error: BaseException, attempt: Attempt) -> str | None:
    """The advice for a wrong setting of MLflow, or for the store that it names."""
    if setting := setting_in(error):
        return f"{setting} has a value that MLflow cannot read; correct or unset it"
    if says(error, UNKNOWN_STORE):
        return unknown_scheme(attempt)
    if says(error, OLD_STORE):
        return (
            f"{attempt.server} is a folder of files, which this MLflow does not read any more; "
            "bring it into a database with `mlflow migrate-filestore` and set MLFLOW_TRACKING_URI "
            "to sqlite:///mlflow.db, or to a server's http://…"
        )
    if is_of_database(error):
        return f"{attempt.server} cannot be opened as a database; check MLFLOW_TRACKING_URI"
    return None


TOO_MANY: Final = 429

GATEWAY: Final = frozenset({502, 503, 504})
"""The statuses of a proxy when the server behind it is down (RFC 9110 15.6.3 to 15.6.5)."""


def fault_of_server(error: BaseException, attempt: Attempt) -> str | None:
    """The advice if the tracking server refused, failed or could not be reached; None for other
    errors."""
    server, login, status = attempt.server, attempt.login, status_of(error)
    if is_foreign_host(error):
        return (
            f"{server} does not take this name of its machine, whatever the login; start it with "
            "`mlflow server --allowed-hosts` and the name, or ask it by one that it takes"
        )
    if is_page(error):
        return f"{server} refused the login (it answered with a web page): {login.check}"
    if status == 403 and login.user != ANYBODY:
        return f"{server} forbids {login.user} to read the model (403); give the permission READ"
    if status in (401, 403):
        return f"{server} refused the login: {login.check}"
    if says(error, NO_ENDPOINT):
        return (
            f"{server} does not know what it was asked: it is no MLflow server, or an older one; "
            "check MLFLOW_TRACKING_URI"
        )
    if status == TOO_MANY:
        return f"{server} was asked too often (429); wait a while"
    if status is not None and status >= 500 and status not in GATEWAY:
        return f"{server} answered with an error of its own ({status}); its log has the reason"
    if status in GATEWAY or is_unreachable(error):
        named = "where the model was logged to" if attempt.host_of_files else "MLFLOW_TRACKING_URI"
        return f"{server} cannot be reached; check {named} and that it is running"
    found = (words for is_so, words in FAULTS_OF_ANSWERS if is_so(error))
    return next((words.format(server=server) for words in found), None)


FAULTS_OF_ANSWERS: Final[Sequence[tuple[Callable[[BaseException], bool], str]]] = (
    (is_cut_off, "the answer of {server} was cut off; check the network and the proxies before it"),
    (
        is_sent_on,
        "{server} redirects without end; check MLFLOW_TRACKING_URI, whether it is http:// or "
        "https:// and which path it has",
    ),
    (
        is_error_of_another,
        "{server} answered with an error that is none of MLflow's, such as that of a proxy before "
        f"it; check MLFLOW_TRACKING_URI and the login; {LOGGED}",
    ),
)


def _wrong_uri(error: BaseException, attempt: Attempt) -> str | None:
    """The advice for a URI that names no model, or that MLflow cannot read; None for other
    errors."""
    uri = attempt.uri
    if isinstance(error, NotRegistered):
        attempt.again = "later"
        return f"there is no model {uri} in {attempt.server}; {meant(uri) or error}"
    if found := re.fullmatch(r"models:/*(?!m-)([^/@]+)/*", uri):
        attempt.again = "never"
        name = f"models:/{found[1]}"
        return f"MODEL_URI {uri} names no version; write {name}/1 or {name}@alias"
    if says(error, *BAD_URI) or code_of(error) == "INVALID_PARAMETER_VALUE":
        return unreadable(attempt, error)
    return no_model(attempt) if status_of(error) == 404 else None


def unreadable(attempt: Attempt, error: BaseException) -> str:
    """The advice for a URI that MLflow cannot read. If `error` is about its form, and not about an
    alias or the location of a version, which may change, there is no use in trying again."""
    of_its_own = attempt.location in ("", attempt.model_uri)
    if is_malformed(attempt.model_uri) or (of_its_own and says(error, *BAD_URI)):
        attempt.again = "never"
    hint = meant(attempt.uri) or "see docs/operations.md for its forms"
    return f"MODEL_URI {attempt.uri} cannot be read as a model URI; {hint}"


def no_model(attempt: Attempt) -> str:
    """The advice for a URI that names no model."""
    attempt.again = "later"
    hint = meant(attempt.uri) or "check MODEL_URI and MLFLOW_TRACKING_URI"
    return f"there is no model {attempt.uri} in {attempt.server}; {hint}"
