"""The advice for a failed load: picks the rules of the step that failed.

In: the exception, and the attempt to load that it ended. Out: one or two sentences. A rule looks at
the exception's type, code and status, and only if needed at words in its text. If no rule explains
an exception of MLflow, the advice quotes it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from modelserver.loading.attempt import LOGGED, UNREADABLE, Attempt, Step
from modelserver.loading.explaining.causes import causes, is_disk_full
from modelserver.loading.explaining.fetching import while_fetching
from modelserver.loading.explaining.looking_up import unreadable, while_looking_up
from modelserver.loading.explaining.misspelt import fault_of_tracking_uri
from modelserver.loading.explaining.model_packages import guess
from modelserver.loading.explaining.network import fault_of_network
from modelserver.loading.explaining.quotation import quotation
from modelserver.loading.explaining.while_loading import while_loading


def advice(error: BaseException, attempt: Attempt) -> str:
    """What went wrong and what to do, for the `error` that ended `attempt`."""
    if attempt.uri.endswith(UNREADABLE):
        return unreadable(attempt, error)
    if any(is_disk_full(cause) for cause in causes(error)):
        return "the disk is full; make room, or set TMPDIR to a folder on another one"
    if attempt.step in ASKING:
        if said := fault_of_tracking_uri(attempt):
            return said
        for cause in causes(error):
            if said := fault_of_network(cause, attempt):
                return said
    for cause in causes(error):
        if said := RULES[attempt.step](cause, attempt):
            return said
    failed = UNEXPLAINED[attempt.step].format(uri=attempt.uri)
    if quoted := quotation(error, attempt):
        return f'{failed}: "{quoted}"; {LOGGED}'
    guessed = guess(attempt.requirements) if attempt.step == "loading" else ""
    return f"{failed} ({type(error).__name__}); {LOGGED}{guessed}"


def _while_configuring(error: BaseException, attempt: Attempt) -> str | None:
    if not isinstance(error, ImportError):
        return None
    missing = f" for want of the module {error.name}" if error.name else ""
    return f"MLflow cannot be imported{missing}; pip install -r requirements.txt"


ASKING: Final = frozenset({"looking up", "fetching"})
"""The steps in which this server, and not the model's own code, sends requests to other servers."""

RULES: Final[Mapping[Step, Callable[[BaseException, Attempt], str | None]]] = {
    "configuring": _while_configuring,
    "looking up": while_looking_up,
    "fetching": while_fetching,
    "loading": while_loading,
    "predicting": lambda error, attempt: None,
}

UNEXPLAINED: Final[Mapping[Step, str]] = {
    "configuring": "MLflow could not be set up",
    "looking up": "the model {uri} could not be looked up",
    "fetching": "the files of the model {uri} could not be fetched",
    "loading": "the model {uri} could not be loaded",
    "predicting": "the model {uri} was loaded, but could not be asked",
}
