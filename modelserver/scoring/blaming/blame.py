"""Who is to blame when a model fails: from what a prediction raised to the `ApiError` that answers.

Blame is proven, not guessed. What MLflow refuses before the model is entered is the caller's; what
the model raises is the model's, unless it predicts without the missing values, or in another form.
Where nothing is proven, the answer says what stands out in the input.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.errors import ApiError, InvalidInput, ModelFailed, ModelRaised, listed, shortened
from modelserver.hosting.redaction import struck
from modelserver.reading.signatures.columns import ColumnSignature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.reading.signatures.untyped import Untyped
from modelserver.scoring.blaming.conversion import is_chosen, is_odd_answer
from modelserver.scoring.blaming.gaps import Gaps, find_gaps

LOGGED: Final = "the server's log has the traceback under this request id"

UNFIT: Final = "the input does not fit the model's signature"

LONGEST: Final = 300
"""Characters of an exception's text in an answer."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What an answer tells of a model's exception: its type, or also its text without `secrets`."""

    text: bool = False
    secrets: Sequence[str] = ()

    def failed(self, error: Any) -> ApiError:
        """The error that answers a request on which the model raised `error`. If a model chose to
        raise an MlflowException, its message and status are the answer."""
        if is_odd_answer(error):
            return ModelFailed(f"the model's answer is not of its declared type; {LOGGED}")
        if is_chosen(error):
            text = self.clean(error.message)
            return ModelRaised(text, error.error_code, error.get_http_status_code())
        said = f"the model raised {type(error).__name__}"
        text = self._text_of(error) if self.text else ""
        return ModelFailed(f"{said}: {text}; {LOGGED}" if text else f"{said}; {LOGGED}")

    def clean(self, text: str) -> str:
        """The text without secrets, logins and queries."""
        return struck(text, self.secrets)

    def _text_of(self, error: BaseException) -> str:
        try:
            text = str(error)
        except BaseException:  # a model's own exceptions may fail at that, too
            return ""
        return shortened(" ".join(self.clean(text).split()), LONGEST)


@dataclass(frozen=True, slots=True)
class Case:
    """A prediction that failed, and what the model can be asked to find out why."""

    predict: Callable[[Payload], Any]
    signature: Signature
    example: Payload | None
    payload: Payload
    error: ModelFailed

    def verdict(self) -> ApiError:
        """The error that answers the request."""
        if is_untyped(self.signature):
            return self._of_form()
        return self._of_cells() if self.payload.typed else self.error

    def _predicts(self, data: Any) -> bool:
        return predicts(self.predict, replace(self.payload, data=data))

    def _of_form(self) -> ApiError:
        advice = advised_form(self.payload.data)
        other = None
        with suppress(Exception):  # cells of types that pandas and NumPy have no other form of
            other = _in_other_form(self.payload.data)
        if other is not None and self._predicts(other):
            return InvalidInput(f"{advice}; {self._said()}")
        return self._with(advice)

    def _of_cells(self) -> ApiError:
        facts = []
        gaps = find_gaps(self.signature, self.payload.data)
        if gaps is not None:
            if shown := self._shown_without(gaps):
                failed = f"the model failed on rows with {gaps.what} in {gaps.where}"
                return InvalidInput(f"{failed}, and {shown}; {self._said()}", gaps.details)
            facts.append(f"there are {gaps.what} in {gaps.where}")
        if isinstance(self.signature, ColumnSignature):
            absent = self.signature.columns.absent(self.payload.data)
            facts += [f"optional columns were absent: {listed(absent)}"] if absent else []
        return self._with(*facts)

    def _shown_without(self, gaps: Gaps) -> str:
        """What the model was seen to do without the rows with gaps; empty if that proves nothing,
        because it fails there, too, or predicts the rows with gaps the second time."""
        if gaps.rows is None:
            return ""
        if gaps.other_rows is not None:
            shown, works = "predicts the others", self._predicts(gaps.other_rows)
        else:
            shown = "predicts its logged example"
            # A model may write into what it gets.
            works = self.example is not None and predicts(self.predict, deepcopy(self.example))
        return shown if works and not self._predicts(gaps.rows) else ""

    def _said(self) -> str:
        return without_request(self.error.message)

    def _with(self, *facts: str) -> ApiError:
        return ModelFailed("; ".join([self._said(), *facts, LOGGED])) if facts else self.error


def without_request(message: str) -> str:
    """The message without its pointer to a request id, for where nobody sent a request."""
    return message.removesuffix(f"; {LOGGED}")


def predicts(predict: Callable[[Payload], Any], payload: Payload) -> bool:
    """Whether the model predicts this payload without an error."""
    try:
        predict(payload)
    except ApiError:
        return False
    return True


def is_untyped(signature: Signature) -> bool:
    """Whether the model declares nothing of its input."""
    return isinstance(signature, Untyped)


def advised_form(data: Any) -> str:
    """What to try where a model without a signature does not take the form of `data`."""
    form = "inputs" if isinstance(data, pd.DataFrame) else "dataframe_split"
    return f"the model has no signature; try {form}"


def _in_other_form(data: Any) -> Any:
    """The same cells in another form: a table as an array, an array or columns as a table. None if
    they have no clear other form."""
    if isinstance(data, pd.DataFrame):
        return data.to_numpy()
    if isinstance(data, np.ndarray):
        return pd.DataFrame(data) if data.ndim == 2 else None
    if isinstance(data, dict):
        shapes = {np.shape(cells) for cells in data.values()}
        if len(shapes) == 1 and len(shapes.pop()) == 1:
            return pd.DataFrame(data)
    return None
