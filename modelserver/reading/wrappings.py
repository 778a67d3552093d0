"""Bodies that other servers accept: which key or array around them would make them valid here.

In: a decoded body with none of the input forms, and the names of the model's columns or tensors.
Out: a sentence of advice for the error, empty if there is none. MLflow 1 took a table without a key
around it, Azure wants `input_data`, Seldon `data`, vetiver an array of records. People also send a
single record without an array, or what pandas writes by default.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from modelserver.types.names import MOST_GUESSES, hint
from modelserver.types.tables import SPLIT_KEYS

FOREIGN: Final = ("input_data", "data", "dataframe", "records", "rows", "features")
"""The keys under which other servers take a table."""

BY_PANDAS: Final = (
    "Have pandas write it with to_json(orient='split', index=False, date_format='iso'), and send "
    "that as the value of 'dataframe_split'"
)

NAMES_BESIDE: Final = (
    "Send the rows as 'data' of 'dataframe_split', with the names of the columns under 'columns'"
)

EMPTY: Final = "The table is empty: send an object with the names of the columns for each row"

TABLES: Final = frozenset({"dataframe_split", "dataframe_records"})

TENSOR_KEYS: Final = frozenset({"name", "shape", "datatype"})

OPEN_INFERENCE: Final = (
    "the body is a request of the Open Inference Protocol: send it to /v2/models/{name}/infer"
)

TWICE: Final = (
    ". It is JSON that was encoded twice: send the array or object itself (Python's requests: "
    "json= takes the object, and data= a text that is JSON)"
)

ONE_EACH: Final = "Send an object with the names of the columns for each row"


def wrapping_advice(
    body: Any, forms: Sequence[str], names: Collection[str], one_row: bool = False
) -> str:
    """The advice under which key to send `body` or its value, as the continuation of a message.
    `names`: those of the model's columns or tensors; `one_row`: whether an object under `inputs` is
    one row."""
    return f". {said}" if (said := _advice(body, forms, names, one_row)) else ""


def misplaced_advice(form: str, value: Any, names: Collection[str], one_row: bool = False) -> str:
    """The advice for a value that was refused under the key `form`, if another key was meant: the
    continuation of a message, empty if there is no advice."""
    if (said := twice_encoded(value)) or form not in TABLES:
        return said
    what, said = f"the value of '{form}'", ""
    are_rows = isinstance(value, list) and len(value) > 0
    if are_rows if form == "dataframe_split" else _is_split(value):
        said = _of_value(what, value, names)
    elif isinstance(value, Mapping) and value.keys() & set(names):
        said = _of_named(what, value, one_row)
    return f". {said}" if said else ""


def twice_encoded(value: Any) -> str:
    """The advice for a text that was sent in place of an array or object, if it holds one."""
    return TWICE if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else ""


def is_open_inference(value: Any, names: Collection[str]) -> bool:
    """Whether the value of `inputs` is that of a request of the Open Inference Protocol."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and first.keys() >= TENSOR_KEYS and TENSOR_KEYS.isdisjoint(names)


def _advice(body: Any, forms: Sequence[str], names: Collection[str], one_row: bool) -> str:
    if isinstance(body, list) or _is_split(body):
        return _of_value("the whole body", body, names)
    if not isinstance(body, Mapping):
        return ""
    if body.keys() & set(names):
        return _of_named("the whole body", body, one_row)
    if "schema" in body and "data" in body:
        return BY_PANDAS
    for key in FOREIGN:
        if isinstance(value := body.get(key), (list, dict)):
            return _of_value(f"the value of '{key}'", value, names)
    some = islice(body, MOST_GUESSES // len(forms))
    meant = next((found for key in some if (found := hint(key, forms))), None)
    return f"D{str(meant)[1:]}" if meant else ""


def _of_value(what: str, value: Any, names: Collection[str]) -> str:
    if isinstance(value, dict) and "ndarray" in value:
        return "Send its 'names' and 'ndarray' as 'columns' and 'data' of 'dataframe_split'"
    if _is_split(value):
        return f"Send {what} under 'dataframe_split'" if "columns" in value else NAMES_BESIDE
    if value == [] and names:
        return EMPTY
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(value, list) and len(names) > 1 and not isinstance(first, (list, dict)):
        return ONE_EACH
    if isinstance(first, dict):
        return f"Send {what} under 'dataframe_records'"
    return NAMES_BESIDE if isinstance(first, list) and names else f"Send {what} under 'inputs'"


def _of_named(what: str, body: Mapping[str, Any], one_row: bool) -> str:
    """The advice for a body, or a value, whose keys are names of columns or tensors."""
    if all(isinstance(value, dict) for value in body.values()) and not one_row:
        return BY_PANDAS
    if all(isinstance(value, list) for value in body.values()) or one_row:
        return f"Send {what} under 'inputs'"
    return f"Send {what} in an array under 'dataframe_records'"


def _is_split(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        return False
    return value.keys() <= SPLIT_KEYS
