"""Why a model's files could not be fetched, though the model was found.

In: the exception and the attempt that it ended. Out: a sentence, or None if no rule explains it.
The files may be in an artifact store that is asked directly, behind the tracking server, or in a
folder.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from modelserver.loading.attempt import LOGGED, Attempt, public_uri
from modelserver.loading.explaining.causes import (
    causes,
    is_elsewhere,
    is_expired,
    is_foreign_host,
    is_unreachable,
    lacks_login,
    status_of,
)
from modelserver.loading.explaining.looking_up import fault_of_server, no_model, unreadable
from modelserver.loading.explaining.model_packages import to_install
from modelserver.loading.registry import written
from modelserver.loading.stores import Store, store_of
from modelserver.scoring.mlflow_internals import BAD_URI, GONE, says

EXPERIMENT: Final = re.compile(r"mlflow-artifacts:(?://[^/]*)?/(?:workspaces/[^/]+/)?(\d+)/")
"""Finds the experiment's id in the location of files behind a tracking server."""

BAD_ENDPOINT: Final = "Invalid endpoint"
"""Words of botocore: it cannot read the URL of S3."""

NO_HADOOP: Final = ("libjvm", "libhdfs", "HADOOP_HOME", "'hadoop'")
"""Words of pyarrow: it cannot find Java or Hadoop on this machine."""


def while_fetching(error: BaseException, attempt: Attempt) -> str | None:
    """The advice for an error while the model's files were fetched."""
    if store := store_of(attempt.location):
        place = f"the artifact store {public_uri(attempt.location)} ({store.name})"
        faults = (_fault_of_store(cause, place, store, attempt) for cause in causes(error))
        return next(filter(None, faults), _unexplained(error, place, store))
    if attempt.location.startswith("http") and (is_gone(error) or isinstance(error, ValueError)):
        attempt.again = "later"
        return (
            f"{attempt.uri} is no address of MLflow's artifacts; set MODEL_URI to models:/name/1, "
            "and MLFLOW_TRACKING_URI to the server's address"
        )
    if is_gone(error):
        return _gone(attempt)
    if says(error, *BAD_URI):
        return unreadable(attempt, error)
    return _forbidden(error, attempt) or fault_of_server(error, attempt)


def is_gone(error: BaseException) -> bool:
    """Whether the files do not exist where they should be."""
    return isinstance(error, FileNotFoundError) or status_of(error) == 404 or says(error, *GONE)


def _gone(attempt: Attempt) -> str:
    attempt.again = "later"
    uri = attempt.uri
    if uri.startswith("file:"):
        folder = uri.partition("/")[2]
        if registered := written(attempt.model_uri):
            return f"there is no folder {folder}; the registry has {registered}"
        model = folder if "/" in folder else f"{folder}/1"
        return f"there is no folder {folder}; a registered model is written models:/{model}"
    if not uri.startswith("models:"):
        return no_model(attempt)
    place = public_uri(attempt.location)
    if place.startswith("file:"):
        return (
            f"the files of the model {uri} are at {place}, a folder that this machine does not "
            "have; have the tracking server hand them out (mlflow server "
            "--artifacts-destination), and log the model again"
        )
    return (
        f"the files of the model {uri} are not at {place} any more; log and register the model "
        "again"
    )


def _forbidden(error: BaseException, attempt: Attempt) -> str | None:
    """The advice if a tracking server forbids to read the files: the experiment to which they
    belong has its own permissions."""
    if status_of(error) != 403 or is_foreign_host(error):
        return None
    found = EXPERIMENT.match(attempt.location)
    whose = f"experiment {found[1]}" if found else "their experiment"
    return (
        f"{attempt.server} forbids to read the files (403), though the model may be looked up; "
        f"give {attempt.login.user} the permission READ on {whose}"
    )


def _fault_of_store(error: BaseException, place: str, store: Store, attempt: Attempt) -> str | None:
    """The advice for an artifact store that is asked directly, not through the tracking server."""
    if isinstance(error, ImportError) or says(error, *BAD_URI):
        return f"{place} needs {to_install(store.packages)}"
    for is_so, words in FAULTS_OF_STORES:
        if is_so(error):
            attempt.again = "later" if is_so is is_gone else "soon"
            return words.format(place=place, login=store.login)
    return None


FAULTS_OF_STORES: Final[Sequence[tuple[Callable[[BaseException], bool], str]]] = (
    (
        lambda error: says(error, BAD_ENDPOINT),
        "{place} cannot be asked: MLFLOW_S3_ENDPOINT_URL is no address; it begins with http:// or "
        "https://, without quotes",
    ),
    (
        lambda error: says(error, *NO_HADOOP),
        "{place} needs Java and Hadoop on this machine; install both, and set JAVA_HOME and "
        "HADOOP_HOME",
    ),
    (is_gone, "{place} has no such files; check where the model was logged to"),
    (
        is_expired,
        "{place} was asked with a login that has expired; set a new one, AWS_SESSION_TOKEN too",
    ),
    (is_elsewhere, "{place} is in another region; set AWS_DEFAULT_REGION to that of the bucket"),
    (
        lambda error: status_of(error) == 401 or lacks_login(error),
        "{place} was asked without a login that it takes; it needs {login}",
    ),
    (
        lambda error: status_of(error) == 403,
        "{place} forbids to read the files (403); check the rights of {login}",
    ),
    (is_unreachable, "{place} cannot be reached; check the network, and {login}"),
)


def _unexplained(error: BaseException, place: str, store: Store) -> str:
    return (
        f"{place} did not hand out the files ({type(error).__name__}); it is asked with "
        f"{store.login}; {LOGGED}"
    )
