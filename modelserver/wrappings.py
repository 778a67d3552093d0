"""Bodies of other servers: which wrapping would make them valid here.

In: a decoded body without any of the input forms, and the names of the model's columns. Out: a
sentence for the error, empty where nothing can be said. MLflow 1 took a table without a key around
it, Azure wants `input_data`, Seldon `data`, vetiver an array of records; people send a bare record.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from modelserver.errors import hint
from modelserver.tables import SPLIT_KEYS

FOREIGN: Final = frozenset({"input_data", "data", "dataframe", "records", "rows", "features"})
"""Under which other servers take a table."""


def wrapping_advice(body: Any, forms: Sequence[str], columns: Collection[str]) -> str:
    """What to wrap `body`, or its only value, into. `columns`: names, if the model has them."""
    if isinstance(body, list) or _is_split(body):
        return f". Send the whole body as the value of '{_form_for(body)}'"
    if not isinstance(body, Mapping):
        return ""
    if columns & body.keys() and all(isinstance(value, dict) for value in body.values()):
        return (
            ". Have pandas write it with to_json(orient='split', date_format='iso'), and send that "
            "as the value of 'dataframe_split'"
        )
    if columns & body.keys():
        is_record = not all(isinstance(value, list) for value in body.values())
        form = "in an array as the value of 'dataframe_records'" if is_record else "under 'inputs'"
        return f". Send the whole body {form}"
    for key in FOREIGN & body.keys():
        if isinstance(body[key], (list, dict)):
            return f". {_advice_on(key, body[key])}"
    hints = [str(meant) for key in body if (meant := hint(key, forms))]
    return f". D{hints[0][1:]}" if hints else ""


def _advice_on(key: str, value: Any) -> str:
    if "ndarray" in value:
        return "Send its 'names' and 'ndarray' as 'columns' and 'data' of 'dataframe_split'"
    return f"Send the value of '{key}' under '{_form_for(value)}'"


def _is_split(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        return False
    return value.keys() <= SPLIT_KEYS


def _form_for(value: Any) -> str:
    """The form that takes such a value."""
    if _is_split(value):
        return "dataframe_split"
    is_records = isinstance(value, list) and value and isinstance(value[0], dict)
    return "dataframe_records" if is_records else "inputs"
