"""Waiting requests for one model are predicted together, and each gets its own answer.

`workers` calls `score_together` with requests for a model that is proven to predict each row
independently (`proofs.py`). It returns for each request, in the same order, what that request alone
would have returned or raised; only the rounding of floats may differ.

Each body is read by itself. Typed DataFrames with the same columns and dtypes are joined, predicted
at once, and the prediction is split. A request with params, row labels or many rows is predicted
alone. If a joined prediction fails, each of its requests is predicted alone, so that only the
request that caused the error gets it.
"""

from collections.abc import Callable, Hashable, Sequence
from time import perf_counter as clock
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.model import Model
from modelserver.scoring.request import (
    Request,
    Scored,
    Work,
    encode,
    predict_and_encode,
    read_timed,
)

T = TypeVar("T")

MANY_ROWS: Final = 64
"""A request with more rows is predicted alone, since joining it would save little."""


def score_together(works: Sequence[Work]) -> list[Scored | Exception]:
    """The result of each piece of work, or the exception that it raised. All have one model, which
    may be asked by several methods."""
    outcomes: list[Any] = [_outcome(read_timed, work.model, work.request) for work in works]
    groups: dict[Hashable, list[int]] = {}
    for place, found in enumerate(outcomes):
        if not isinstance(found, Exception):
            model = works[place].model
            likeness = _likeness(model.signature, found[0])
            alike = (place,) if likeness is None else (id(model), likeness)
            groups.setdefault(alike, []).append(place)
    for places in groups.values():
        requests = [works[place].request for place in places]
        answers = _score_group(
            works[places[0]].model, requests, [outcomes[place] for place in places]
        )
        for place, answer in zip(places, answers, strict=True):
            outcomes[place] = answer
    return outcomes


def _outcome(work: Callable[..., T], *arguments: Any) -> T | Exception:
    try:
        return work(*arguments)
    except Exception as error:  # raised again in the coroutine that waits for this work
        return error


def _likeness(signature: Signature, payload: Payload) -> Hashable:
    """A key that payloads must share to be joined; None for a payload that is predicted alone."""
    columns = signature.columns
    if columns is None or not payload.typed or payload.params:
        return None
    frame: pd.DataFrame = payload.data
    if len(frame) > MANY_ROWS or not isinstance(frame.index, pd.RangeIndex):
        return None
    if columns.only_doubles and frame.shape[1] == len(columns.names):
        return True  # the dtypes are known; asking pandas for them takes as long as reading
    return tuple(frame.columns), tuple(frame.dtypes)


def _score_group(
    model: Model, requests: Sequence[Request], found: Sequence[tuple[Payload, float]]
) -> list[Scored | Exception]:
    """The results for requests that can be joined. `found`: the payload of each, and the seconds
    for which it was read."""
    start = clock()
    payloads = [payload for payload, _ in found]
    predictions = _predict_joined(model, payloads) if len(payloads) > 1 else None
    if predictions is None:
        return [
            _outcome(predict_and_encode, model, request, *one)
            for request, one in zip(requests, found, strict=True)
        ]
    seconds = clock() - start
    ends = np.cumsum([len(payload.data) for payload in payloads])[:-1]
    parts = np.split(predictions, ends)
    return [
        _outcome(encode, model, request, payload, part, read_seconds, seconds)
        for request, (payload, read_seconds), part in zip(requests, found, parts, strict=True)
    ]


def _predict_joined(model: Model, payloads: Sequence[Payload]) -> NDArray[Any] | None:
    """The predictions for the rows of all payloads. None if the model fails, or does not return an
    array with one prediction per row."""
    frame = _joined(model.signature, [payload.data for payload in payloads])
    predictions = _outcome(model.predict, Payload(frame, rows=len(frame), typed=True))
    if isinstance(predictions, np.ndarray) and predictions.shape[:1] == (len(frame),):
        return predictions
    return None


def _joined(signature: Signature, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if signature.columns is not None and signature.columns.only_doubles:
        block = np.concatenate([frame.to_numpy() for frame in frames])
        return pd.DataFrame(block, columns=frames[0].columns, copy=False)
    return pd.concat(frames, ignore_index=True)
