"""Models without a signature: they get their input unchecked, as MLflow would hand it over.

Tables become DataFrames as pandas reads them; `inputs` and `instances` become NumPy arrays, or
objects of arrays (`mlflow.utils.proto_json_utils.parse_tf_serving_input` with no schema).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import BadRequest
from modelserver.reading.signatures.signature import LLM_KEYS, Payload, Signature, count_rows
from modelserver.types.names import quoted
from modelserver.types.tables import (
    NO_ROWS,
    ROW_NAMES,
    Table,
    read_records,
    refuse_unequal,
)
from modelserver.types.text_arrays import has_texts, refuse_wide

CHAT_KEYS: Final = frozenset(LLM_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Untyped(Signature):
    """A model that declares no input; it may declare params."""

    gap = np.nan  # as in pandas
    chat_keys: frozenset[str] = CHAT_KEYS

    def read_inputs(self, value: Any, params: Any) -> Payload:
        """An object of arrays by name, a list of objects as it is, or one array."""
        return self._read(_inputs, value, params)

    def read_instances(self, value: Any, params: Any) -> Payload:
        """Rows that are objects become one array per key; anything else is read as `inputs` are."""
        return self._read(_instances, value, params)

    def from_table(self, table: Table) -> pd.DataFrame:
        """A DataFrame with the dtypes that pandas infers, without R's row names."""
        table = table.without_row_names(())
        if table.length == 0:
            raise BadRequest(NO_ROWS)
        if table.rows is not None:
            return pd.DataFrame(table.rows, index=table.index, columns=list(table.names))
        frame = pd.DataFrame(dict(enumerate(table.by_column())), index=table.index)
        return frame.set_axis(list(table.names), axis=1)

    def read_file(
        self, read: Callable[[], Table], read_untyped: Callable[[], pd.DataFrame]
    ) -> Payload:
        """The file as pandas reads it."""
        frame = read_untyped()
        return Payload(frame, rows=len(frame))

    def _read(self, to_arrays: Callable[[Any], Any], value: Any, params: Any) -> Payload:
        read_params = self.params.read(params)
        return Payload(to_arrays(value), read_params, count_rows(value))


def _inputs(value: Any) -> Any:
    """The value of `inputs`: an object of arrays by name, a list of objects, or one array."""
    if isinstance(value, dict):
        return {name: _array(cells, name) for name, cells in value.items()}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return [
            {name: _array(cell, name) for name, cell in item.items() if name != ROW_NAMES}
            for item in value
        ]
    return _array(value, "inputs")


def _instances(value: Any) -> Any:
    """The value of `instances`: rows that are objects become one array per key. Columns must have
    equal lengths. Anything else is read as `inputs` are."""
    if isinstance(value, dict):
        refuse_unequal("instances", value)
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return _inputs(value)
    table = read_records(value, "instances", same_keys=True).without_row_names(())
    columns = zip(table.names, table.by_column(), strict=True)
    return {name: _array(cells, str(name)) for name, cells in columns}


def _array(value: Any, name: str) -> NDArray[Any]:
    if has_texts(value):
        refuse_wide(value, f"the array {quoted(name)}", np.dtype(str))
    try:
        return np.array(value)
    except ValueError:
        raise BadRequest(
            f"the values of {quoted(name)} are no array: their lengths differ, or they are nested "
            "more than 64 deep"
        ) from None
