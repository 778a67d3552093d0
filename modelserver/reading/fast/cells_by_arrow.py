"""Cells of JSON, line by line, to one array per column without a Python object for each.

In: lines of cells with commas between, as JSON spells them but for escapes, and the kind of each
column. Out: the arrays, or None where a cell is not plainly of its type. Arrow parses the lines as
CSV; without it None is returned.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.types.kind import TEXT, TEXT_IS_OBJECT, Cells, Kind

AVAILABLE: Final = importlib.util.find_spec("pyarrow") is not None

ARROW_TYPES: Final[Mapping[str | None, str]] = {
    "number": "double",
    "integer": "int64",
    "boolean": "bool",
    "string": "string",
}
"""What Arrow makes of cells, by their type in JSON; the columns' converters take it from there."""

BLOCK: Final = 1024 * 1024
"""Bytes that Arrow parses at a time. Less is in the cache, more is not."""


def read_cells(lines: NDArray[np.uint8], kinds: Sequence[Kind]) -> list[Cells] | None:
    """One array or list per column. `lines`: UTF-8, where blank lines are skipped; `kinds`: of the
    columns in order."""
    types = [ARROW_TYPES.get(kind.json_type) for kind in kinds]
    table = _parsed(lines, types) if AVAILABLE and None not in types else None
    if table is None:
        return None
    columns = [_cells(column, kind) for column, kind in zip(table.columns, kinds, strict=True)]
    return None if any(column is None for column in columns) else columns


def _parsed(lines: NDArray[np.uint8], types: Sequence[str | None]) -> Any:
    """Arrow's table, or None where a cell is not of its column's type."""
    import pyarrow as pa
    from pyarrow import csv

    names = list(map(str, range(len(types))))
    conversion = csv.ConvertOptions(
        check_utf8=False,
        column_types=dict(zip(names, types, strict=True)),
        null_values=["null"],
        true_values=["true"],
        false_values=["false"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        return csv.read_csv(
            pa.py_buffer(lines),
            csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names),
            csv.ParseOptions(double_quote=False),
            conversion,
            memory_pool=pa.system_memory_pool(),
        )
    except pa.ArrowInvalid:
        return None


def _cells(column: Any, kind: Kind) -> Cells | None:
    """A column of Arrow's for the converter, or None where that might not see what was sent."""
    if kind.json_type == "number":
        numbers = column.to_numpy()
        return None if np.isinf(numbers).any() else numbers  # perhaps too large for a double
    if kind.json_type != "string":
        return None if column.null_count else column.to_numpy()
    if kind.dtype is not TEXT:
        return column.to_pylist()
    return column.to_numpy() if TEXT_IS_OBJECT else pd.array(column, dtype=TEXT)
