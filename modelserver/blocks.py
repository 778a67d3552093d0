"""Columns of plain numbers out of rows, many at once.

In: rows of JSON values and where their numbers stand. Out: the columns in which every cell is a
number of the type; others are for `Kind.convert` to look at. Row by row the values lie in memory as
they were decoded, column by column each is a cache miss: 1 row of 50 columns 9.0 -> 7.6 ms with
its prediction, 10,000 rows 127 -> 112 ms.
"""

from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import numpy as np

from modelserver.kinds import Array

CODES: Final[Mapping[str, str]] = {"double": "d", "long": "q"}
"""Types of MLflow by the code of the `array` module that takes their numbers and refuses texts."""


def number_columns(
    rows: Sequence[Sequence[Any]], types: Sequence[str], order: Sequence[int | None]
) -> dict[int, Array]:
    """The columns of each of these types, by place, if all its cells are plain numbers.

    `types` are those of the signature's columns, `order` says where each stands in a row.
    """
    found: dict[int, Array] = {}
    for name, code in CODES.items():
        places = [
            place for place, kind in enumerate(types) if kind == name and order[place] is not None
        ]
        if len(places) > 1:
            block = _block(rows, [order[place] for place in places], code)
            found |= zip(places, block, strict=True) if block is not None else {}
    return found


def _block(
    rows: Sequence[Sequence[Any]], positions: Sequence[Any], code: str
) -> "np.ndarray[Any, Any] | None":
    try:
        cells = array(code, chain.from_iterable(map(itemgetter(*positions), rows)))
    except (TypeError, OverflowError):
        return None
    block = np.frombuffer(cells, np.dtype(code)).reshape(len(rows), len(positions))
    if code == "d" and np.isinf(block).any():  # perhaps a number too large for a double
        return None
    return np.ascontiguousarray(block.T)
