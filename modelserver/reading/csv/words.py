"""What cells of CSV mean besides numbers and texts: words for missing values, true and false.

In: the cells of a column as texts, None for an empty one, and the kind of the column. Out: the
cells for its converter. In a column that is not text, pandas' words (NA, null, …) mean missing.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from modelserver.types.cell_parsers import floats
from modelserver.types.kind import Kind

INFERRED: Final[Mapping[str | None, str]] = {"number": "iuf", "integer": "iuf", "boolean": "bif"}
"""The kinds of dtype (NumPy's letters) that pandas may infer for a column, by the JSON type of its
cells. Columns of other types are read as text."""

# The words that pandas.read_csv takes for missing values by default.
MISSING: Final = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)

# In a number column, true is 1, as in JSON. Case does not matter, as in pandas.
TRUTHS: Final[Mapping[str, bool]] = {"true": True, "false": False}

NUMBERS: Final = floats(np.float64)


def worded(cells: list[Any], kind: Kind | None) -> list[Any]:
    """The cells, with CSV's words replaced by the values that they mean. A boolean may be written
    as a number: R and pandas write 1.0 and 0.0 if a column of booleans has gaps."""
    if kind is None or kind.takes_any_text:
        return cells
    if kind.json_type not in INFERRED:
        return [None if cell in MISSING else cell for cell in cells]
    words = {cell: TRUTHS[cell.lower()] for cell in set(cells) if str(cell).lower() in TRUTHS}
    if kind.json_type == "boolean":
        words |= {cell: _number(cell) for cell in set(cells) - words.keys() - {None}}
    return [words.get(cell, cell) for cell in cells] if words else cells


def _number(cell: str) -> float | str:
    """The number that the cell spells; the cell itself if it spells none."""
    try:
        return float(NUMBERS([cell])[0])
    except ValueError:
        return cell
