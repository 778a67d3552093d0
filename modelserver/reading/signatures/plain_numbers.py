"""Plain numbers in place of `WholeFloat`, the float that knows with which digits it was sent.

A body is read with `WholeFloat` only if a column or a param of integers needs all its digits.
Everything else in that body gets plain floats again, so that no model sees this type.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from modelserver.types.cell_parsers import WholeFloat

OBJECTS: Final = np.dtype(object)

Number: TypeAlias = Callable[[WholeFloat], Any]
"""What stands in the place of a `WholeFloat`: `float`, or `all_digits`."""


def all_digits(number: WholeFloat) -> int:
    """The whole number that was sent."""
    return number.whole


def plain(value: Any, number: Number = float) -> Any:
    """The value with another number in place of each `WholeFloat`, at any depth. It may be a JSON
    value, an array or a DataFrame."""
    if type(value) is WholeFloat:
        return number(value)
    if isinstance(value, dict):
        return {name: plain(item, number) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, number) for item in value]
    if isinstance(value, np.ndarray) and value.dtype == OBJECTS:
        flat = [plain(item, number) for item in value.ravel()]
        return np.fromiter(flat, object, value.size).reshape(value.shape)
    return _plain_frame(value, number) if isinstance(value, pd.DataFrame) else value


def _plain_frame(frame: pd.DataFrame, number: Number) -> pd.DataFrame:
    frame = frame.copy(deep=False)
    for place, dtype in enumerate(frame.dtypes):
        if dtype == OBJECTS:
            frame.isetitem(place, plain(frame.iloc[:, place].to_numpy(), number))
    return frame
