"""What cells of CSV say beside numbers and texts: words for missing values, true and false.

In: the cells of a column as texts, None where they are empty, and the kind of the column. Out: the
cells for its converter. In a column that is not text pandas' words (NA, null, …) are missing.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from modelserver.types.cell_parsers import floats
from modelserver.types.kind import Kind

INFERRED: Final[Mapping[str | None, str]] = {"number": "iuf", "integer": "iuf", "boolean": "bif"}
"""What pandas may make of a column, as NumPy's kinds of dtype, by the type that its cells have in
JSON. Other columns are read as text."""

# The words of pandas.read_csv's na_values.
MISSING: Final = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)

# JSON's true is 1 in a number column; so is CSV's, as in pandas, which minds no case.
TRUTHS: Final[Mapping[str, bool]] = {"true": True, "false": False}

NUMBERS: Final = floats(np.float64)


def worded(cells: list[Any], kind: Kind | None) -> list[Any]:
    """The cells, with values for CSV's own words. A boolean may be spelled as a number: a column of
    flags that has gaps is one of floats to R and pandas."""
    if kind is None or kind.takes_any_text:
        return cells
    if kind.json_type not in INFERRED:
        return [None if cell in MISSING else cell for cell in cells]
    words = {cell: TRUTHS[cell.lower()] for cell in set(cells) if str(cell).lower() in TRUTHS}
    if kind.json_type == "boolean":
        words |= {cell: _number(cell) for cell in set(cells) - words.keys() - {None}}
    return [words.get(cell, cell) for cell in cells] if words else cells


def _number(cell: str) -> float | str:
    """The number that the cell spells, else the cell."""
    try:
        return float(NUMBERS([cell])[0])
    except ValueError:
        return cell
