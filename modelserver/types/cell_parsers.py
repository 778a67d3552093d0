"""Parsers: how the cells of a column become the array that MLflow would have handed to the model.

Each parser takes the cells of a column: a list or tuple of JSON values, or the array that the CSV
or Parquet reader made. The cells have one Python type, and none is missing. The parser returns an
array, or raises what `Kind.parse` may raise. `type_table.py` gives each type its parser.
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
from numpy.typing import DTypeLike, NDArray

from modelserver.types.kind import TEXT, TEXT_IS_OBJECT, Array, Cells, Unfit, objects, what_is

EXACT: Final = 2**53
"""Beyond this magnitude a double no longer holds every integer (IEEE 754)."""

TIME_TYPES: Final = (date, np.datetime64, timedelta, np.timedelta64)

TEXT_TYPES: Final = frozenset({str, np.str_})

NO_TEXTS: Final = frozenset(np.dtype(code) for code in "?bhilqBHILQefd")
"""The dtypes of arrays of numbers."""

# To be compared exactly: Python's booleans and NumPy's durations are subclasses of integers.
INTEGER_TYPES: Final = frozenset({int, *(np.dtype(code).type for code in "bhilqBHILQ")})

SPELLED_TYPES: Final = INTEGER_TYPES | {UUID}
"""Types whose values have only one spelling, so that a column of texts may take them."""

MANY: Final = 100
"""From so many texts on, `_fast_texts` takes less time than pandas."""

INEXACT: Final = "a number too large to be an exact integer"


class WholeFloat(float):
    """A float that was sent as a whole number too long for it; `whole` has all the digits."""

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


def flat(cells: Cells, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """The cells as a one-dimensional array; without a dtype, texts stay objects, since NumPy would
    reserve the room of the longest text for each cell. Raises `Unfit` for nested cells, for texts
    with which NumPy is too tolerant (Python's own spellings of numbers, such as 1_000), and for
    long texts, which are no numbers."""
    if getattr(cells, "dtype", None) not in NO_TEXTS and str in set(map(type, cells)):
        given = [cell for cell in cells if type(cell) is str]
        together = "".join(given)
        if max(map(len, given)) > 64 or "_" in together or not together.isascii():
            raise Unfit("text")
        dtype = dtype or object
    array = np.asarray(cells, dtype)
    if array.ndim != 1:
        raise Unfit("an array")
    return array


def floats(dtype: DTypeLike) -> Callable[[Cells], Array]:
    """The parser of floats of a dtype. It rounds numbers to the dtype's precision."""

    def parse(cells: Cells) -> Array:
        if len(cells) and isinstance(cells[0], TIME_TYPES):
            raise Unfit(what_is(cells[0]))  # NumPy would convert dates to numbers
        array = flat(cells, np.float64)  # None becomes NaN, numeric text its number
        infinite = np.isinf(array)
        if infinite.any() and not all(map(_is_infinity, objects(cells)[infinite])):
            raise Unfit("a number too large for a 64-bit float")
        if dtype != np.float64:
            array = rounded(array, dtype)
            if (np.isinf(array) & ~infinite).any():
                raise Unfit(f"a number too large for a {np.dtype(dtype).itemsize * 8}-bit float")
        return array

    return parse


def rounded(array: NDArray[np.float64], dtype: DTypeLike) -> NDArray[Any]:
    """The floats with another precision; those that are too large for it become infinite."""
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def _is_infinity(value: object) -> bool:
    """Whether the value was sent as infinity, and not as a number that is too large for a float."""
    return isinstance(value, (float, np.floating)) or "inf" in str(value).lower()


def integers(dtype: DTypeLike, low: int, high: int, beyond: str) -> Callable[[Cells], Array]:
    """The parser of integers of a dtype between two bounds. `beyond`: how an error message calls an
    integer outside of them."""

    def parse(cells: Cells) -> Array:
        array = flat(cells)
        if array.dtype.kind in "UO" and set(map(type, cells)) <= TEXT_TYPES:
            array = _integers([_whole_number(text) for text in cells])
        if _are_decimals(array):
            array = _whole_decimals(array)
        if array.dtype.kind == "f":
            exact = _with_all_digits(cells)
            array = _whole_floats(array) if exact is None else exact
        if array.dtype.kind not in "biu" and not _all_ints(array):
            raise Unfit(what_is(cells[0]))
        if array.dtype.kind != "b" and (array.min() < low or array.max() > high):
            raise Unfit(beyond)
        return array.astype(dtype)

    return parse


def _all_ints(array: NDArray[Any]) -> bool:
    """Whether all are Python integers: NumPy keeps those that are too large for it as objects."""
    return set(map(type, array)) == {int}


def _integers(values: list[int]) -> NDArray[Any]:
    """Python integers of any size, as objects where NumPy would make floats of some."""
    array = np.array(values)
    return objects(values) if values and array.dtype.kind == "f" else array


def _with_all_digits(cells: Cells) -> NDArray[Any] | None:
    """Numbers that NumPy makes floats of, although all their digits are known."""
    types = set(map(type, cells))
    if types == {int}:  # some below 2**63, some not
        return objects(cells)
    return _integers([cell.whole for cell in cells]) if types == {WholeFloat} else None


def _are_decimals(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "O" and set(map(type, array)) == {Decimal}


def _whole_decimals(array: NDArray[Any]) -> NDArray[Any]:
    """The numbers as integers of any size. Raises `Unfit` if one has a fraction."""
    if any(cell != cell.to_integral_value() for cell in array):
        raise Unfit("a number with a fraction")
    return _integers([int(cell) for cell in array])


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if number.is_integer() and abs(number) < EXACT:  # an array of one takes much longer
            return int(number)
        return whole_number_of(text) or int(_whole_floats(np.array([number]))[0])


def whole_number_of(text: str) -> int | None:
    """The exact integer that a text with a point or an exponent spells, if a float could not hold
    all its digits; None for every other text."""
    if not EXACT <= abs(float(text)) < 2**64:
        return None
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else None


def _whole_floats(array: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers as int64. Raises `Unfit` if that would lose something."""
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise Unfit("a number that is not finite")
    if (np.trunc(array) != array).any():
        raise Unfit("a number with a fraction")
    if (np.abs(array) >= EXACT).any():
        raise Unfit(INEXACT)
    return array.astype(np.int64)


def booleans(cells: Cells) -> Array:
    """The parser of booleans: true and false, or 1 and 0."""
    array = flat(cells)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iuf" and not _are_decimals(array):
        raise Unfit(what_is(cells[0]))
    if not np.isin(array, (0, 1)).all():
        raise Unfit("a number other than 0 and 1")
    return array.astype(np.bool_)


def texts(cells: Cells) -> Array:
    """The parser of texts. Integers and UUIDs become the texts that spell them."""
    if not isinstance(cells, (list, tuple)) and isinstance(
        getattr(cells, "dtype", None), pd.StringDtype
    ):
        return objects(cells) if TEXT_IS_OBJECT else pd.array(cells, dtype=TEXT)
    if (fast := _fast_texts(cells)) is not None:
        return fast
    types = set(map(type, cells))
    if types and types <= SPELLED_TYPES:
        cells = list(map(str, cells))
    elif types == {Decimal} and all(cell.as_tuple().exponent >= 0 for cell in cells):
        cells = [str(int(cell)) for cell in cells]
    elif not types <= {str, type(None)}:
        raise Unfit(what_is(cells[0]))
    return objects(cells) if TEXT_IS_OBJECT else pd.array(cells, dtype=TEXT)


def _fast_texts(cells: Cells) -> Array | None:
    """A fast way to read many texts: Arrow takes them as they are, while pandas looks at each. None
    for other cells."""
    if len(cells) < MANY or getattr(TEXT, "storage", None) != "pyarrow":
        return None
    import pyarrow as pa

    try:
        "".join(cells)  # refuses all but texts; Arrow would take bytes
        arrow = pa.array(list(cells), pa.large_string())
    except (TypeError, UnicodeEncodeError):
        return None
    return pd.array(arrow, dtype=TEXT)


def binaries(cells: Cells) -> Array:
    """The parser of bytes, which JSON and CSV spell as base64."""
    return objects([_bytes(cell) for cell in cells])


def _bytes(cell: object) -> bytes:
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, UUID):
        return cell.bytes
    if not isinstance(cell, str):
        raise Unfit(what_is(cell))
    try:
        # base64.encodebytes writes MIME's line breaks, and clients of MLflow use it.
        return base64.b64decode(cell.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unfit("text that is no base64") from error


def anything(cells: Cells) -> Array:
    """The parser of any values, by pandas' rules: numbers of one type become an array of that type.
    Values stay objects if pandas would make floats of them that lose digits of an integer."""
    array = pd.Series(list(cells)).array
    if str(array.dtype) == "float64" and any(isinstance(c, int) and abs(c) > EXACT for c in cells):
        return objects(cells)
    return array


def nans(dtype: DTypeLike) -> Callable[[int], Array]:
    """Makes columns of missing floats."""
    return lambda rows: np.full(rows, np.nan, dtype)


def nones(rows: int) -> Array:
    """A column of missing values of any type."""
    return np.full(rows, None, object)


def missing_texts(rows: int) -> Array:
    """A column of missing texts."""
    return texts([None] * rows)


def nats(rows: int) -> Array:
    """A column of missing date-times."""
    return np.full(rows, "NaT", "M8[ns]")
