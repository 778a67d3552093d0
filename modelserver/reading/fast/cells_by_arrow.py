"""Cells of JSON, line by line, to one array per column without a Python object for each cell.

In: lines of cells with commas between them, as JSON spells them but without escapes, and the kind
of each column. Out: the arrays. None if a cell does not plainly have its column's type. Arrow
parses the lines as CSV; if it is not installed, the result is None.
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
    None: "string",
}
"""The Arrow type of a column by the JSON type of its cells. `Kind.convert` gives the final type.
None: the column may hold anything, and its cells stay as they are spelled, without quotes."""

BLOCK: Final = 1024 * 1024
"""How many bytes Arrow parses at a time. A larger block would not fit into the CPU's cache."""


def parse_cells(lines: NDArray[np.uint8], kinds: Sequence[Kind]) -> list[Cells] | None:
    """One array or list per column, or None. `lines`: text in UTF-8, whose blank lines are skipped;
    `kinds`: the kinds of the columns in order."""
    types = [ARROW_TYPES.get(kind.json_type) for kind in kinds]
    table = _parsed(lines, types) if AVAILABLE and None not in types else None
    if table is None:
        return None
    columns = [_cells(column, kind) for column, kind in zip(table.columns, kinds, strict=True)]
    return None if any(column is None for column in columns) else columns


def _parsed(lines: NDArray[np.uint8], types: Sequence[str | None]) -> Any:
    """Arrow's table, or None if a cell does not have its column's type."""
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
    """A column of Arrow's table for its converter, or None if it may differ from what was sent."""
    if kind.json_type is None:
        return column
    if kind.json_type == "number":
        numbers = column.to_numpy()
        return None if np.isinf(numbers).any() else numbers  # perhaps too large for a double
    if kind.json_type != "string":
        return None if column.null_count else column.to_numpy()
    if kind.dtype is not TEXT:
        return column.to_pylist()
    return column.to_numpy() if TEXT_IS_OBJECT else pd.array(column, dtype=TEXT)
