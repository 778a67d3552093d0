"""A decoded JSON value to what the model's `predict` takes: the input forms of MLflow's protocol.

In: a JSON value. Out: a `Payload` with the types of the signature. The forms are those of
`mlflow.pyfunc.scoring_server`: a key of the body names the form, except for chats, where the body
itself is the input. A body that can only be a record, or an array of records, needs no key. Raises
`BadRequest` or `InvalidInput`. Pure.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading.signatures.signature import LLM_KEYS, Payload, Signature
from modelserver.reading.wrappings import (
    OPEN_INFERENCE,
    is_open_inference,
    misplaced_advice,
    twice_encoded,
)
from modelserver.types.kind import what_is
from modelserver.types.names import MOST_GUESSES, are_params, hint, listed, suggested

logger = logging.getLogger(__name__)


def read_value(value: Any, signature: Signature) -> Payload:
    """The model input in a decoded body. Raises `BadRequest` or `InvalidInput`."""
    if not isinstance(value, dict):
        return _read_bare("the body must be a JSON object with one of {}, not {}", value, signature)
    if not signature.chat_keys.isdisjoint(value):
        return signature.read_chat(value)
    forms = [form for form in FORM_READERS if form in value]
    if len(forms) != 1:
        return _read_bare("the body must have exactly one of {}; it {}", value, signature)
    if len(value) > 1 and (others := sorted(value.keys() - {forms[0], "params"})):
        _refuse_misplaced_params(others, signature)
        logger.info("ignored keys of the body: %s", listed(others))
    return _read_form(forms[0], value, signature)


def _read_form(form: str, body: dict[str, Any], signature: Signature) -> Payload:
    """Reads the value under the key of a form. Raises `BadRequest` or `InvalidInput`, with advice
    if the value seems to be of another form."""
    try:
        return FORM_READERS[form](signature, body[form], body.get("params"))
    except BadRequest as fault:
        if is_open_inference(body[form], signature.names):
            raise BadRequest(OPEN_INFERENCE) from None
        one_row = signature.columns is not None and signature.columns.one_row
        advice = misplaced_advice(form, body[form], signature.names, one_row)
        fault.message += advice
        fault.args = (fault.message,)
        raise


def _read_bare(refusal: str, value: Any, signature: Signature) -> Payload:
    """Reads a body without a form as records. Raises the `refusal` if it may be anything else."""
    may_be = not isinstance(value, dict) or value.keys().isdisjoint(RESERVED)
    records = signature.bare_records(value) if may_be else None
    if records is None:
        raise _no_form(refusal, value, signature)
    return signature.read_records(records, None)


def _no_form(said: str, value: Any, signature: Signature) -> BadRequest:
    """The error for a body with no form or with several, and advice how to correct it."""
    declared = signature.chat_keys & signature.names
    taken = [*(key for key in LLM_KEYS if key in declared), *FORM_READERS]
    if not isinstance(value, dict):
        found, forms = what_is(value), []
    else:
        forms = [form for form in FORM_READERS if form in value]
        found = f"has {listed(forms or value)}" if value else "is empty"
    advice = "" if forms else twice_encoded(value) or signature.advice(value, taken)
    return BadRequest(said.format(listed(taken), found) + advice)


def _refuse_misplaced_params(others: Sequence[str], signature: Signature) -> None:
    """Raises `InvalidInput` for params outside of the key `params`, and for a misspelt `params`."""
    if misplaced := [key for key in others if key in signature.params.names]:
        raise InvalidInput(are_params(misplaced))
    if not signature.params.declared:
        return
    if misspelt := [key for key in others[:MOST_GUESSES] if hint(key, ["params"])]:
        raise InvalidInput(f"unknown key: {suggested(misspelt, ['params'])}")


FORM_READERS: Final[Mapping[str, Callable[[Signature, Any, Any], Payload]]] = {
    "dataframe_split": lambda signature, *sent: signature.read_split(*sent),
    "dataframe_records": lambda signature, *sent: signature.read_records(*sent),
    "instances": lambda signature, *sent: signature.read_instances(*sent),
    "inputs": lambda signature, *sent: signature.read_inputs(*sent),
}

RESERVED: Final = frozenset({*FORM_READERS, "params", *LLM_KEYS})
"""The keys that a record without a form may not have, as they mean something else in a body."""
