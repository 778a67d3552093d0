"""The type table: what each MLflow column type is in NumPy and pandas, and how cells become it.

In: one column of cells, as a list or tuple of JSON values, or as the array that the CSV or Parquet
reader made. Out: the array that MLflow would have handed to the model. `BadCells` names every cell
(up to `LIMIT`) that cannot be converted without loss, by row and by the kind of value found.

A column is parsed as a whole by NumPy; only when that fails are its cells looked at by type.
Types and dtypes: `mlflow.types.DataType`. Missing values: float NaN, datetime NaT, text missing;
an integer column with gaps becomes float64 with NaN, as pandas reads such a column in training.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

Array: TypeAlias = Any
"""A one-dimensional NumPy array or pandas ExtensionArray; the stubs of pandas tell no more."""

Cells: TypeAlias = Any
"""The cells of a column: a list or tuple of JSON values, or an `Array`."""

LIMIT: Final = 20
"""How many bad cells one answer reports."""

EXACT: Final = 2**53
"""Beyond this magnitude a double no longer holds every integer (IEEE 754)."""

TIMES: Final = (date, np.datetime64, timedelta, np.timedelta64)

TEXT: Final = pd.Series(["a"]).dtype
"""What pandas makes of text: `object` in pandas 2, `str` in pandas 3."""

TEXT_TYPES: Final = frozenset({str, np.str_})

NO_DATE: Final = "text that is no ISO 8601 date between 1677 and 2262"

TEXT_IS_OBJECT: Final = isinstance(TEXT, np.dtype)


class Unfit(ValueError):
    """Values that are not of a type. The text says what was found, never the value."""


class BadCells(ValueError):
    """The cells of one column that cannot be converted: (row, what was found)."""

    def __init__(self, cells: list[tuple[int, str]]) -> None:
        super().__init__("bad cells")
        self.cells = cells


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the type table.

    `parse` takes cells of one Python type without gaps and returns an array, or raises.
    `gaps(n)` is a column of n missing values, `parse_beside_gaps` what parses the rest of it, if
    that is not `parse`. `blanks` are the texts that mean missing.
    """

    name: str
    expects: str
    dtype: Any
    parse: Callable[[Cells], Array]
    gaps: Callable[[int], Array]
    gaps_when_required: bool = True
    parse_beside_gaps: Callable[[Cells], Array] | None = None
    blanks: frozenset[str] = frozenset()

    def convert(self, cells: Cells, required: bool = True) -> Array:
        """The column as the model gets it. Raises `BadCells`."""
        try:
            return self.parse(cells)
        except (ValueError, TypeError, OverflowError):
            return self._convert_by_type(cells, required)

    def _convert_by_type(self, cells: Cells, required: bool) -> Array:
        values = objects(cells)
        missing = pd.isna(values)
        if self.blanks:
            missing |= np.fromiter((_is_blank(v, self.blanks) for v in values), bool, len(values))
        bad: list[tuple[int, str]] = []
        if required and not self.gaps_when_required:
            bad = [(int(row), "null") for row in np.flatnonzero(missing)[:LIMIT]]
        parse, result = self.parse, self._room_for(len(values))
        if missing.any():
            parse, result = self.parse_beside_gaps or self.parse, self.gaps(len(values))
        for rows in _rows_by_type(values, missing):
            group = values[rows].tolist()
            if unfit := _unfit_cells(group, rows, parse):
                bad += unfit
            else:
                result[rows] = parse(group)
        if bad:
            raise BadCells(sorted(bad)[:LIMIT])
        return result

    def _room_for(self, rows: int) -> Array:
        return self.gaps(rows) if self.dtype is TEXT else np.empty(rows, self.dtype)


def objects(cells: Cells) -> "np.ndarray[Any, Any]":
    """The cells one by one, as an object array of the same length, whatever they hold."""
    return np.fromiter(cells, object, len(cells))


def describe(value: object) -> str:
    """What kind of value this is, in JSON's words."""
    for known, words in FOUND:
        if isinstance(value, known):
            return words
    return f"a {type(value).__name__}"


def _rows_by_type(values: Array, missing: "np.ndarray[Any, Any]") -> "Iterable[list[int]]":
    groups: dict[type, list[int]] = {}
    for row in np.flatnonzero(~missing).tolist():
        groups.setdefault(type(values[row]), []).append(row)
    return groups.values()


def _is_blank(value: object, blanks: frozenset[str]) -> bool:
    return isinstance(value, str) and value in blanks


def _unfit_cells(
    values: list[Any], rows: list[int], parse: Callable[[Cells], Array]
) -> list[tuple[int, str]]:
    """The first `LIMIT` cells that `parse` refuses, found by halving; values are of one type."""
    try:
        parse(values)
    except (ValueError, TypeError, OverflowError) as error:
        if len(values) == 1:
            return [(rows[0], str(error) if isinstance(error, Unfit) else describe(values[0]))]
        half = len(values) // 2
        bad = _unfit_cells(values[:half], rows[:half], parse)
        if len(bad) < LIMIT:
            bad += _unfit_cells(values[half:], rows[half:], parse)
        return bad
    return []


def _flat(cells: Cells, dtype: Any = None) -> "np.ndarray[Any, Any]":
    """The cells as a one-dimensional array, or `Unfit` for nested ones."""
    array = np.asarray(cells, dtype)
    if array.ndim != 1:
        raise Unfit("an array")
    return array


def _floats(dtype: Any) -> Callable[[Cells], Array]:
    limit = float(np.finfo(dtype).max)

    def parse(cells: Cells) -> Array:
        if len(cells) and isinstance(cells[0], TIMES):
            raise Unfit(describe(cells[0]))  # NumPy would count them in their unit
        array = _flat(cells, np.float64)  # None becomes NaN, numeric text its number
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


def _integers(dtype: Any, low: int, high: int, beyond: str) -> Callable[[Cells], Array]:
    def parse(cells: Cells) -> Array:
        array = _flat(cells)
        if array.dtype.kind == "U" and set(map(type, cells)) <= TEXT_TYPES:
            array = np.array([_whole_number(text) for text in cells])
        if array.dtype.kind == "f":
            array = _whole_floats(array)
        if array.dtype.kind not in "biu":
            raise Unfit(beyond if _all_ints(array) else describe(cells[0]))
        if array.dtype.kind != "b" and (array.min() < low or array.max() > high):
            raise Unfit(beyond)
        return array.astype(dtype)

    return parse


def _all_ints(array: "np.ndarray[Any, Any]") -> bool:
    """Integers too large for NumPy stay Python integers in an object array."""
    return all(type(value) is int for value in array)


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return int(_whole_floats(np.array([float(text)]))[0])


def _whole_floats(array: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The same numbers as int64, or `Unfit` where that would lose something."""
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise Unfit("a number that is not finite")
    if (np.trunc(array) != array).any():
        raise Unfit("a number with a fraction")
    if (np.abs(array) >= EXACT).any():
        raise Unfit("a number too large to be an exact integer")
    return array.astype(np.int64)


def _booleans(cells: Cells) -> Array:
    array = _flat(cells)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iuf":
        raise Unfit(describe(cells[0]))
    if not np.isin(array, (0, 1)).all():
        raise Unfit("a number other than 0 and 1")
    return array.astype(np.bool_)


def _texts(cells: Cells) -> Array:
    if not isinstance(cells, (list, tuple)) and isinstance(
        getattr(cells, "dtype", None), pd.StringDtype
    ):
        return objects(cells) if TEXT_IS_OBJECT else pd.array(cells, dtype=TEXT)
    types = set(map(type, cells))
    if types and all(issubclass(t, (int, np.integer)) and t is not bool for t in types):
        cells = list(map(str, cells))
    elif not types <= {str, type(None)}:
        raise Unfit(describe(cells[0]))
    return objects(cells) if TEXT_IS_OBJECT else pd.array(cells, dtype=TEXT)


def _datetimes(cells: Cells) -> Array:
    if isinstance(getattr(cells, "dtype", None), pd.DatetimeTZDtype):
        return _nanoseconds(pd.DatetimeIndex(cells))
    array = _flat(cells)
    if array.dtype.kind in "biuf" and isinstance(cells, (list, tuple)) and bool in map(type, cells):
        raise Unfit("a boolean")  # NumPy makes numbers of booleans among numbers
    if array.dtype.kind == "U":
        _check_iso_dates(array)
        return _iso_dates(array)
    if array.dtype.kind == "M":
        return _nanoseconds(pd.DatetimeIndex(array))
    if array.dtype.kind in "iuf":
        return np.asarray(NANOSECONDS(cells)).view("M8[ns]")
    if array.dtype.kind == "O" and all(isinstance(value, date) for value in array):
        return _iso_dates(array.astype(str))
    raise Unfit(describe(cells[0]))


def _iso_dates(texts: "np.ndarray[Any, Any]") -> Array:
    try:
        return _nanoseconds(pd.to_datetime(texts, format="ISO8601", utc=True))
    except ValueError as error:
        raise Unfit(NO_DATE) from error


# The least integer is how NumPy stores NaT.
NANOSECONDS: Final = _integers(np.int64, -(2**63) + 1, 2**63 - 1, "an integer beyond 64 bits")


def _nanoseconds(index: pd.DatetimeIndex) -> Array:
    """Naive UTC at MLflow's precision."""
    naive = index.tz_convert(None) if index.tz is not None else index
    try:
        return naive.as_unit("ns").to_numpy()
    except ValueError as error:
        raise Unfit(NO_DATE) from error


def _check_iso_dates(texts: "np.ndarray[Any, Any]") -> None:
    """Whether each text starts YYYY-MM-DD, has colons, and at most 9 digits of a second.

    pandas also takes a year, "now", and digits beyond the nanosecond, which it drops.
    """
    padded = np.ascontiguousarray(texts.astype("U30"))
    letters = padded.view("U1").reshape(len(texts), 30)
    dashed = (letters[:, 4] == "-") & (letters[:, 7] == "-") & (letters[:, 9] != "")
    if not dashed.all() or np.char.isdigit(letters[:, 13]).any():
        raise Unfit("text that is no ISO 8601 date")
    if np.char.isdigit(letters[:, 29]).any():
        raise Unfit("a time finer than nanoseconds")


def _binaries(cells: Cells) -> Array:
    return objects([_bytes(cell) for cell in cells])


def _bytes(cell: object) -> bytes:
    if isinstance(cell, bytes):
        return cell
    if not isinstance(cell, str):
        raise Unfit(describe(cell))
    try:
        # MIME's line breaks are what base64.encodebytes writes, so clients of MLflow send them.
        return base64.b64decode(cell.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unfit("text that is no base64") from error


def _anything(cells: Cells) -> Array:
    """As pandas reads it: numbers of one kind become an array of their type."""
    return pd.Series(list(cells)).array


def _nans(dtype: Any) -> Callable[[int], Array]:
    return lambda rows: np.full(rows, np.nan, dtype)


def _nones(rows: int) -> Array:
    return np.full(rows, None, object)


def _missing_texts(rows: int) -> Array:
    return _texts([None] * rows)


def _nats(rows: int) -> Array:
    return np.full(rows, "NaT", "M8[ns]")


# In this order: NumPy's durations are integers to Python, and dates of pandas are datetimes.
FOUND: Final[Sequence[tuple[Any, str]]] = (
    (type(None), "null"),
    ((bool, np.bool_), "a boolean"),
    ((timedelta, np.timedelta64), "a duration"),
    ((date, np.datetime64), "a date"),
    ((int, np.integer), "an integer"),
    ((float, np.floating, Decimal), "a number"),
    (str, "text"),
    ((list, tuple, np.ndarray), "an array"),
    (dict, "an object"),
    (bytes, "bytes"),
)


def float_kind(name: str, dtype: Any, expects: str) -> Kind:
    """A floating-point type; gaps are NaN."""
    return Kind(name, expects, dtype, _floats(dtype), _nans(dtype))


def integer_kind(name: str, dtype: Any, expects: str) -> Kind:
    """An integer type; a column with gaps is float64 and holds what a double holds exactly."""
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    beyond = f"an integer beyond {np.dtype(dtype).itemsize * 8} bits"
    inexact = "an integer too large to stand beside missing values"
    return Kind(
        name,
        expects,
        dtype,
        _integers(dtype, low, high, beyond),
        _nans(np.float64),
        gaps_when_required=False,
        parse_beside_gaps=_integers(dtype, max(low, -EXACT), min(high, EXACT), inexact)
        if np.dtype(dtype).itemsize == 8
        else None,
    )


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("boolean", "true or false", np.bool_, _booleans, _nones),
        integer_kind("integer", np.int32, "a whole number of 32 bits"),
        integer_kind("long", np.int64, "a whole number of 64 bits"),
        float_kind("float", np.float32, "a number (32-bit float)"),
        float_kind("double", np.float64, "a number (64-bit float)"),
        Kind("string", "text", TEXT, _texts, _missing_texts),
        Kind(
            "datetime",
            "an ISO 8601 date or date-time",
            "M8[ns]",
            _datetimes,
            _nats,
            blanks=frozenset({"", "NaT"}),
        ),
        Kind("binary", "base64 text", object, _binaries, _nones, gaps_when_required=False),
        Kind("any", "any value", object, _anything, _nones),
    )
}
"""MLflow's scalar column types by name, and `any`."""
