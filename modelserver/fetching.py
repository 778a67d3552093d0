"""Why a model's files could not be fetched, though the model was found.

In: the exception and the attempt that it ended. Out: a sentence, or None for what has no rule.
"""

from modelserver.attempt import Attempt, public_uri
from modelserver.causes import status_of
from modelserver.looking_up import fault_of_server, no_model, unreadable
from modelserver.mlflow_words import BAD_URI, GONE, says

FOLDERS = ("", "file")
"""Schemes of this machine."""


def while_fetching(error: BaseException, attempt: Attempt) -> str | None:
    """What the place where the files are did, or lacks."""
    if is_gone(error):
        return _gone(attempt)
    if says(error, *BAD_URI):
        return unreadable(attempt)
    return fault_of_server(error, attempt)


def is_gone(error: BaseException) -> bool:
    """Whether the files are not where they should be."""
    return isinstance(error, FileNotFoundError) or status_of(error) == 404 or says(error, *GONE)


def _gone(attempt: Attempt) -> str:
    uri, name = attempt.uri, attempt.uri.rpartition("/")[2]
    if uri.startswith("file:"):
        return f"there is no folder {name}; a registered model is written models:/{name}/1"
    if not uri.startswith("models:"):
        return no_model(attempt)
    return (
        f"the files of the model {uri} are not at {public_uri(attempt.location)} any more; "
        "log and register the model again"
    )
