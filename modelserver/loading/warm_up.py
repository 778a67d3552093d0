"""The first prediction: of the example that was logged with the model, before the first request.

In: a loaded model. Out: what is wrong with the example, in words for the person who publishes the
model, without the example's data; empty if it was predicted. The log has the same line, with the
traceback.
"""

import logging
import time
from collections.abc import Sequence
from typing import Final

from modelserver.errors import ApiError, ModelRaised
from modelserver.loading.explaining.causes import causes
from modelserver.reading.formats import JSON
from modelserver.scoring.blaming.blame import without_request
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, score

logger = logging.getLogger(__name__)

LOGGED: Final = "the input example that was logged with the model"

ADVICE: Final = "log the model again with an input_example that it predicts"


def warm_up(model: Model, limit: int) -> Sequence[str]:
    """Predicts the example, and returns warnings. `limit`: the most bytes of a request."""
    if model.example is None:
        return _without_example(model.example_fault)
    start = time.perf_counter()
    try:
        score(model, Request(model.example, JSON, None, limit))
    except Exception as error:
        warning = f"{LOGGED} could not be predicted: {_fault(error)}; {ADVICE}"
        raised = next((cause for cause in causes(error) if not isinstance(cause, ApiError)), None)
        logger.warning(warning, exc_info=raised)
        return [warning]
    logger.info("warm-up: predicted the logged example in %.2f s", time.perf_counter() - start)
    return []


def _without_example(fault: str) -> Sequence[str]:
    if not fault:
        logger.info("no warm-up: the model was logged without an input example")
        return []
    warning = f"{LOGGED} cannot be read: {fault}; {ADVICE}"
    logger.warning(warning)
    return [warning]


def _fault(error: Exception) -> str:
    """What went wrong. If the model itself raised an exception, only its type, since its text may
    contain data."""
    if isinstance(error, ApiError) and not isinstance(error, ModelRaised):
        return without_request(error.message)
    return f"the model raised {type(error.__cause__ or error).__name__}"
