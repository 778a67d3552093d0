"""Who is to blame when a model fails: from its exception to the `ApiError` that answers.

Blame is proven, not guessed. It is the caller's fault if MLflow refuses the input before the
model's code runs. It is the model's fault if the model raises, unless the model predicts the same
input without its missing values, or in another form: then it is the caller's. If nothing is proven,
the answer says what is unusual in the input.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.errors import ApiError, InvalidInput, ModelFailed, ModelRaised
from modelserver.hosting.redaction import struck
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.reading.signatures.untyped import Untyped
from modelserver.scoring.blaming.conversion import is_chosen, is_odd_answer
from modelserver.scoring.blaming.gaps import Gaps, find_gaps
from modelserver.types.names import listed, shortened

LOGGED: Final = "the server's log has the traceback under this request id"

UNFIT: Final = "the input does not fit the model's signature"

LONGEST: Final = 300
"""The most characters of an exception's text in an answer."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What an answer says of a model's exception: its type and, if `text` is set, its text without
    the `secrets`."""

    text: bool = False
    secrets: Sequence[str] = ()

    def failed(self, error: Any) -> ApiError:
        """The error to answer if the model raised `error`. If a model raises an MlflowException on
        purpose, the answer has its message and status."""
        if is_odd_answer(error):
            return ModelFailed(f"the model's answer is not of its declared type; {LOGGED}")
        if is_chosen(error):
            text = self.clean(error.message)
            return ModelRaised(text, error.error_code, error.get_http_status_code())
        said = f"the model raised {type(error).__name__}"
        text = self._text_of(error) if self.text else ""
        return ModelFailed(f"{said}: {text}; {LOGGED}" if text else f"{said}; {LOGGED}")

    def clean(self, text: str) -> str:
        """The text without secrets, and without the logins and queries of URLs."""
        return struck(text, self.secrets)

    def _text_of(self, error: BaseException) -> str:
        try:
            text = str(error)
        except BaseException:  # the `__str__` of a model's own exception may fail
            return ""
        return shortened(" ".join(self.clean(text).split()), LONGEST)


@dataclass(frozen=True, slots=True)
class Case:
    """A prediction that failed, and what is needed to try the model again. `error` is the answer if
    trying again proves nothing."""

    predict: Callable[[Payload], Any]
    signature: Signature
    example: Payload | None
    payload: Payload
    error: ModelFailed

    def verdict(self) -> ApiError:
        """The error that answers the request; `error` itself if nothing more is known."""
        if is_untyped(self.signature):
            return self._of_form()
        return self._of_cells() if self.payload.typed else self.error

    def _predicts(self, data: Any) -> bool:
        return predicts(self.predict, replace(self.payload, data=data))

    def _of_form(self) -> ApiError:
        advice = advised_form(self.payload.data)
        other = None
        with suppress(Exception):  # pandas and NumPy cannot convert cells of all types
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
        if columns := self.signature.columns:
            absent = columns.absent(self.payload.data)
            facts += [f"optional columns were absent: {listed(absent)}"] if absent else []
        return self._with(*facts)

    def _shown_without(self, gaps: Gaps) -> str:
        """What the model predicts without the rows with gaps, in words. Empty if that proves
        nothing: it fails on other rows too, or the second time it predicts the rows with gaps."""
        if gaps.rows is None:
            return ""
        if gaps.other_rows is not None:
            shown, works = "predicts the others", self._predicts(gaps.other_rows)
        else:
            shown = "predicts its logged example"
            # A copy, since a model may write into what it gets.
            works = self.example is not None and predicts(self.predict, deepcopy(self.example))
        return shown if works and not self._predicts(gaps.rows) else ""

    def _said(self) -> str:
        return without_request(self.error.message)

    def _with(self, *facts: str) -> ApiError:
        return ModelFailed("; ".join([self._said(), *facts, LOGGED])) if facts else self.error


def without_request(message: str) -> str:
    """The message without the hint at a request id, for a prediction that no request asked for."""
    return message.removesuffix(f"; {LOGGED}")


def predicts(predict: Callable[[Payload], Any], payload: Payload) -> bool:
    """Whether the model predicts this payload without an error."""
    try:
        predict(payload)
    except ApiError:
        return False
    return True


def is_untyped(signature: Signature) -> bool:
    """Whether the model has no signature."""
    return isinstance(signature, Untyped)


def advised_form(data: Any) -> str:
    """The advice if a model without a signature fails on `data`: the input form to try instead.
    Cells without names are checked against nothing, so names come first."""
    if not isinstance(data, pd.DataFrame):
        return "the model has no signature; try dataframe_split"
    named = any(isinstance(name, str) for name in data.columns)
    check = "check the names of the columns and their order; " if named else ""
    return f"the model has no signature; {check}a model of arrays without names takes inputs"


def _in_other_form(data: Any) -> Any:
    """The same cells in another form: a DataFrame as an array, an array or a dict of columns as a
    DataFrame; None if there is no clear other form."""
    if isinstance(data, pd.DataFrame):
        return data.to_numpy()
    if isinstance(data, np.ndarray):
        return pd.DataFrame(data) if data.ndim == 2 else None
    if isinstance(data, dict):
        shapes = {np.shape(cells) for cells in data.values()}
        if len(shapes) == 1 and len(shapes.pop()) == 1:
            return pd.DataFrame(data)
    return None
