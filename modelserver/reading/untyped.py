"""Input for a model without a signature: what MLflow would have handed over, no types checked.

Tables become DataFrames as pandas reads them; `inputs` and `instances` become NumPy arrays, or
objects of arrays (`mlflow.utils.proto_json_utils.parse_tf_serving_input` with no schema).
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import BadRequest, quoted
from modelserver.types.kind import what_is
from modelserver.types.tables import ROW_NAMES, Table, refuse_unequal


def untyped_frame(table: Table) -> pd.DataFrame:
    """The table with the dtypes that pandas infers, without R's names of rows. Raises `BadRequest`
    for an empty one."""
    table = table.without_row_names(())
    if table.length == 0:
        raise BadRequest("the table is empty: it has no rows")
    if table.rows is not None:
        return pd.DataFrame(table.rows, index=table.index, columns=list(table.names))
    frame = pd.DataFrame(dict(enumerate(table.by_column())), index=table.index)
    return frame.set_axis(list(table.names), axis=1)


def untyped_inputs(value: Any) -> Any:
    """`inputs`: an object of arrays by name, a list of objects as it is, or one array."""
    if isinstance(value, dict):
        return {name: _array(cells, name) for name, cells in value.items()}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return [
            {name: _array(cell, name) for name, cell in item.items() if name != ROW_NAMES}
            for item in value
        ]
    return _array(value, "inputs")


def untyped_instances(value: Any) -> Any:
    """`instances`: rows of objects become columns, anything else is one array. Columns have as many
    values as there are rows."""
    if isinstance(value, dict):
        refuse_unequal("instances", value)
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return untyped_inputs(value)
    for row, item in enumerate(value):
        if not isinstance(item, dict):
            raise BadRequest(f"row {row} of 'instances' is {what_is(item)}, not an object")
        if item.keys() != value[0].keys():
            raise BadRequest(f"row {row} of 'instances' has other keys than row 0")
    names = [name for name in value[0] if name != ROW_NAMES]
    return {name: _array([item[name] for item in value], name) for name in names}


def _array(value: Any, name: str) -> NDArray[Any]:
    try:
        return np.array(value)
    except ValueError:
        raise BadRequest(
            f"the values of {quoted(name)} are no array: their lengths differ, or they are nested "
            "more than 64 deep"
        ) from None
