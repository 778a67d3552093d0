"""Parsers: how the cells of a column become the array that MLflow would have handed to the model.

Each takes cells of one type without gaps, as a list or tuple of JSON values or as the array that
the CSV or Parquet reader made, and returns an array, or raises; `Unfit` says what was found
instead. Which parser is whose, and how columns with gaps are parsed: `type_table.py`, `kind.py`.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.types.kind import TEXT, TEXT_IS_OBJECT, Array, Cells, Unfit, describe, objects

EXACT: Final = 2**53
"""Beyond this magnitude a double no longer holds every integer (IEEE 754)."""

TIMES: Final = (date, np.datetime64, timedelta, np.timedelta64)

TEXT_TYPES: Final = frozenset({str, np.str_})

NO_TEXTS: Final = frozenset(np.dtype(code) for code in "?bhilqBHILQefd")
"""The dtypes of arrays of numbers."""

# Not by subclass: Python's booleans and NumPy's durations count as integers.
INTEGER_TYPES: Final = frozenset({int, *(np.dtype(code).type for code in "bhilqBHILQ")})

SPELLED_TYPES: Final = INTEGER_TYPES | {UUID}
"""What has one spelling, so that it may stand for a text."""

INEXACT: Final = "a number too large to be an exact integer"


class WholeFloat(float):
    """A float that was spelled as a whole number, all digits of which are in `whole`."""

    whole: int

    @classmethod
    def of(cls, whole: int) -> "WholeFloat":
        """The float that is nearest to a whole number."""
        made = cls(whole)
        made.whole = whole
        return made


NUMBER_TYPES: Final = INTEGER_TYPES | {
    *(float, WholeFloat, np.float16, np.float32, np.float64, Decimal),
}


def flat(cells: Cells, dtype: Any = None) -> NDArray[Any]:
    """The cells as a one-dimensional array, or `Unfit` for nested ones and for texts that spell
    no number or date: long ones, of which NumPy would make all cells as long, and Python's own
    spellings such as 1_000."""
    if getattr(cells, "dtype", None) not in NO_TEXTS and str in set(map(type, cells)):
        for cell in cells:
            if type(cell) is str and (len(cell) > 64 or "_" in cell or not cell.isascii()):
                raise Unfit("text")
    array = np.asarray(cells, dtype)
    if array.ndim != 1:
        raise Unfit("an array")
    return array


def floats(dtype: Any) -> Callable[[Cells], Array]:
    """Floats of a dtype that hold what was sent, but for digits beyond their precision."""
    limit = float(np.finfo(dtype).max)

    def parse(cells: Cells) -> Array:
        if len(cells) and isinstance(cells[0], TIMES):
            raise Unfit(describe(cells[0]))  # NumPy would count them in their unit
        array = flat(cells, np.float64)  # None becomes NaN, numeric text its number
        infinite = np.isinf(array)
        if infinite.any() and not all(map(_is_infinity, objects(cells)[infinite])):
            raise Unfit("a number too large for a 64-bit float")
        if dtype != np.float64:
            if (np.abs(array[~infinite]) > limit).any():
                raise Unfit(f"a number too large for a {np.dtype(dtype).itemsize * 8}-bit float")
            return array.astype(dtype)
        return array

    return parse


def _is_infinity(value: object) -> bool:
    """Whether the value says infinity, rather than being a number that overflowed to it."""
    return isinstance(value, (float, np.floating)) or "inf" in str(value).lower()


def integers(dtype: Any, low: int, high: int, beyond: str) -> Callable[[Cells], Array]:
    """Integers of a dtype between two bounds; `beyond` says what one outside is."""

    def parse(cells: Cells) -> Array:
        array = flat(cells)
        if array.dtype.kind == "U" and set(map(type, cells)) <= TEXT_TYPES:
            array = np.array([_whole_number(text) for text in cells])
        if _are_decimals(array):
            array = _whole_decimals(array)
        if array.dtype.kind == "f":
            exact = _with_all_digits(cells)
            array = _whole_floats(array) if exact is None else exact
        if array.dtype.kind not in "biu":
            raise Unfit(beyond if _all_ints(array) else describe(cells[0]))
        if array.dtype.kind != "b" and (array.min() < low or array.max() > high):
            raise Unfit(beyond)
        return array.astype(dtype)

    return parse


def _all_ints(array: NDArray[Any]) -> bool:
    """Integers too large for NumPy stay Python integers in an object array."""
    return all(type(value) is int for value in array)


def _with_all_digits(cells: Cells) -> NDArray[Any] | None:
    if set(map(type, cells)) != {WholeFloat}:
        return None
    return np.array([cell.whole for cell in cells])


def _are_decimals(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "O" and set(map(type, array)) == {Decimal}


def _whole_decimals(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers as integers of any size, or `Unfit` where that would lose something."""
    if any(cell != cell.to_integral_value() for cell in array):
        raise Unfit("a number with a fraction")
    return np.array([int(cell) for cell in array])


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return whole_number_of(text) or int(_whole_floats(np.array([float(text)]))[0])


def whole_number_of(text: str) -> int | None:
    """The integer that a text with a point or an exponent spells, digit by digit, where a float
    would not hold them all; None for every other text."""
    if not EXACT <= abs(float(text)) < 2**64:
        return None
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else None


def _whole_floats(array: NDArray[Any]) -> NDArray[np.int64]:
    """The same numbers as int64, or `Unfit` where that would lose something."""
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise Unfit("a number that is not finite")
    if (np.trunc(array) != array).any():
        raise Unfit("a number with a fraction")
    if (np.abs(array) >= EXACT).any():
        raise Unfit(INEXACT)
    return array.astype(np.int64)


def booleans(cells: Cells) -> Array:
    """True and false, also as 1 and 0."""
    array = flat(cells)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iuf" and not _are_decimals(array):
        raise Unfit(describe(cells[0]))
    if not np.isin(array, (0, 1)).all():
        raise Unfit("a number other than 0 and 1")
    return array.astype(np.bool_)


def texts(cells: Cells) -> Array:
    """Texts; integers and UUIDs become theirs."""
    if not isinstance(cells, (list, tuple)) and isinstance(
        getattr(cells, "dtype", None), pd.StringDtype
    ):
        return objects(cells) if TEXT_IS_OBJECT else pd.array(cells, dtype=TEXT)
    types = set(map(type, cells))
    if types and types <= SPELLED_TYPES:
        cells = list(map(str, cells))
    elif types == {Decimal} and all(cell.as_tuple().exponent >= 0 for cell in cells):
        cells = [str(int(cell)) for cell in cells]
    elif not types <= {str, type(None)}:
        raise Unfit(describe(cells[0]))
    return objects(cells) if TEXT_IS_OBJECT else pd.array(cells, dtype=TEXT)


def binaries(cells: Cells) -> Array:
    """Bytes, or base64 texts of them."""
    return objects([_bytes(cell) for cell in cells])


def _bytes(cell: object) -> bytes:
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, UUID):
        return cell.bytes
    if not isinstance(cell, str):
        raise Unfit(describe(cell))
    try:
        # MIME's line breaks are what base64.encodebytes writes, so clients of MLflow send them.
        return base64.b64decode(cell.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unfit("text that is no base64") from error


def anything(cells: Cells) -> Array:
    """As pandas reads it: numbers of one kind become an array of their type. Integers that the
    floats of such an array do not hold stay as they are."""
    array = pd.Series(list(cells)).array
    if str(array.dtype) == "float64" and any(isinstance(c, int) and abs(c) > EXACT for c in cells):
        return objects(cells)
    return array


def nans(dtype: Any) -> Callable[[int], Array]:
    """Missing floats."""
    return lambda rows: np.full(rows, np.nan, dtype)


def nones(rows: int) -> Array:
    """Missing values of any type."""
    return np.full(rows, None, object)


def missing_texts(rows: int) -> Array:
    """Missing texts."""
    return texts([None] * rows)


def nats(rows: int) -> Array:
    """Missing date-times."""
    return np.full(rows, "NaT", "M8[ns]")
