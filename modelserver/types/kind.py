"""What a row of the type table holds, and how it converts the cells of a column.

A `Kind` is one row; the table is in `type_table.py`. `Kind.convert` turns the cells of a column
into the array that a model gets. It first converts all cells at once. If that fails, it converts
them in groups of one Python type, and raises `BadCells` for those that cannot be converted without
loss: the row of each and what kind of value was found there, up to `LIMIT` of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import LIMIT

Array: TypeAlias = NDArray[Any] | pd.api.extensions.ExtensionArray
"""A typed column, which has one dimension."""

Cells: TypeAlias = Any
"""The cells of a column: a list or tuple of JSON values, or an `Array`. It is `Any` because the
type stubs of pandas refuse the union of these."""

JsonType: TypeAlias = Literal["boolean", "integer", "number", "string", "array", "object"]
"""The name of a type in JSON Schema."""

NUMERIC: Final = frozenset({"integer", "number"})

SCALAR: Final = NUMERIC | {"boolean", "string"}

Code: TypeAlias = Literal["d", "q", "?", "U"]
"""NumPy's code of a type: doubles, longs, booleans or texts."""

TEXT: Final = pd.Series(["a"]).dtype
"""The dtype that pandas gives to text: `object` in pandas 2, `str` in pandas 3."""

TEXT_IS_OBJECT: Final = isinstance(TEXT, np.dtype)


# The order matters: a NumPy duration is also an instance of NumPy's integers, a boolean of
# Python's.
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


GROUPED: Final = "a number with thousands separators"

MISREAD: Final[Sequence[tuple["re.Pattern[str]", str]]] = (
    (re.compile(""), "an empty text (a missing value is null)"),
    (
        re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", re.ASCII),
        "a number with a comma, decimal or for thousands",
    ),
    (
        re.compile(r"[+-]?\d{1,3}(?:([ .,'\u2019])\d{3}(?:\1\d{3})*)(?:[.,]\d+)?", re.ASCII),
        GROUPED,
    ),
)
"""Texts that are no numbers, and the words for them."""

ELSEWHERE: Final = frozenset(
    {
        "wahr", "falsch", "vrai", "faux", "verdadero", "falso", "vero", "verdadeiro", "waar",
        "onwaar", "prawda", "fałsz", "pravda", "nepravda", "sant", "falskt", "sand", "falsk",
        "sann", "usann", "tosi", "epätosi", "igaz", "hamis", "истина", "ложь",
    }
)  # fmt: skip
"""TRUE and FALSE as Excel and LibreOffice write them in other languages. They are not accepted,
since many mean something else in English or in each other's languages."""

OF_A_SPREADSHEET: Final = (
    "text, as a spreadsheet in another language writes true or false (its formula =N(A2) gives 1 "
    "or 0)"
)


class Unfit(ValueError):
    """Values do not fit a type. The text names the kind of value that was found, not the value."""


class BadCells(ValueError):
    """The cells of one column that cannot be converted: (row, what was found)."""

    def __init__(self, cells: list[tuple[int, str]]) -> None:
        super().__init__("bad cells")
        self.cells = cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the type table: all that the server knows of a type. Modules that treat types
    differently, such as CSV or the model's page, ask its properties and not its name."""

    name: str
    """The type as people read it: MLflow's name; a nested type also names its parts."""
    expects: str
    """How error messages call a value of this type, after "expected"."""
    schema: Mapping[str, Any]
    """The JSON Schema of a cell; empty for a type that takes any value."""
    sample: Any
    """A value that fits the schema."""

    dtype: Any
    """The dtype of a column without missing values."""
    parse: Callable[[Cells], Array]
    """Makes a column of cells that all have the same Python type and are not missing. Raises
    `ValueError`, `TypeError` or `OverflowError` if a cell does not fit; an `Unfit`, which is a
    `ValueError`, says what was found."""
    plain: Code | None = None
    """NumPy's code of the type, if a list of such JSON values is a valid column without `parse`."""

    make_gaps: Callable[[int], Array]
    """Makes a column of missing values, given their number."""
    gaps_when_required: bool = True
    """Whether a required column may contain missing values."""
    gaps_in_arrays: bool = False
    """Whether an array with required items may contain missing items."""
    blanks: frozenset[str] = frozenset()
    """Texts that mean a missing value."""
    parse_beside_gaps: Callable[[Cells], Array] | None = None
    """Parses the other cells of a column that has missing values. None: `parse` does."""
    schema_beside_gaps: Mapping[str, Any] | None = None
    """The JSON Schema of a cell in a column that has missing values. None: `schema` is."""

    further_types: tuple[type, ...] = ()
    """Python types that are accepted for a value of this type inside an array, object or map, in
    addition to those that `nested.py` accepts for its JSON type."""
    parts: Sequence["Kind"] = ()
    """The types of the values inside an array, object or map."""
    read: Callable[[Any], Any] | None = None
    """Converts one JSON value to the model's value; set for nested types and `any`. Raises
    `nested.Misplaced` if the value does not fit."""
    read_together: Callable[[Sequence[Any]], list[Any]] | None = None
    """Converts many values as `read` does each, or raises as `parse` does; set for nested types."""
    one_row: bool = False
    """Whether MLflow reads an object under `inputs` as one row if a column has this type."""

    @property
    def json_type(self) -> JsonType | None:
        """The JSON type of its values; None if they may have any."""
        return self.schema.get("type")

    @property
    def takes_anything(self) -> bool:
        """Whether it is MLflow's AnyType, or contains it."""
        return not self.schema or any(part.takes_anything for part in self.parts)

    @property
    def is_scalar(self) -> bool:
        """Whether its values are scalars: booleans, numbers or texts."""
        return self.json_type in SCALAR

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.json_type in NUMERIC

    @property
    def is_moment(self) -> bool:
        """Whether its values are dates or date-times."""
        return self.schema.get("format") == "date-time"

    @property
    def takes_any_text(self) -> bool:
        """Whether every text is a value, even "NA" and "null", and none means a missing one."""
        return self.json_type == "string" and not self.blanks

    @property
    def changes_with_gaps(self) -> bool:
        """Whether a column with missing values has another dtype than `dtype`."""
        return bool(self.make_gaps(0).dtype != self.dtype)

    def convert(self, cells: Cells, required: bool = True) -> Array:
        """The column as the model gets it. `required`: whether the signature calls it required.
        Raises `BadCells`."""
        try:
            return self.parse(cells)
        except (ValueError, TypeError, OverflowError):
            return self._convert_by_type(cells, required)

    def _convert_by_type(self, cells: Cells, required: bool) -> Array:
        values = objects(cells)
        groups = _rows_by_type(values)
        missing = pd.isna(values)
        for rows in (rows for known, rows in groups.items() if issubclass(known, str)):
            missing[rows] = [*map(self.blanks.__contains__, values[rows].tolist())]
        bad: list[tuple[int, str]] = []
        if required and not self.gaps_when_required:
            bad = [(int(row), "null") for row in np.flatnonzero(missing)[:LIMIT]]
        parse, result = self.parse, self._room_for(len(values))
        if missing.any():
            parse, result = self.parse_beside_gaps or self.parse, self.make_gaps(len(values))
        for rows in (rows[~missing[rows]] for rows in groups.values()):
            if len(rows):
                bad += _fill(result, rows, values[rows].tolist(), parse)
        if bad:
            told = [(row, self._told(found, values[row])) for row, found in sorted(bad)[:LIMIT]]
            raise BadCells(told)
        return result

    def _told(self, found: str, value: Any) -> str:
        """What was found, in words. In columns that take true and false, a text is told that
        spreadsheets write for one of them."""
        is_text = found == what_is("") and (self.is_numeric or self.json_type == "boolean")
        return OF_A_SPREADSHEET if is_text and value.strip().casefold() in ELSEWHERE else found

    def _room_for(self, rows: int) -> Array:
        return self.make_gaps(rows) if self.dtype is TEXT else np.empty(rows, self.dtype)


def objects(cells: Cells) -> NDArray[np.object_]:
    """The cells as an object array of the same length; nested cells stay single objects."""
    return np.fromiter(cells, object, len(cells))


def no_number(value: object) -> str:
    """The kind of a value that is no number, in words. A text is told that only people read as
    one: with a decimal comma, with separators of thousands, or with nothing in it."""
    if not isinstance(value, str):
        return what_is(value)
    text = value.strip()
    return next((words for form, words in MISREAD if form.fullmatch(text)), what_is(value))


def what_is(value: object) -> str:
    """The kind of a value in JSON's words, such as "an integer", for error messages."""
    for known, words in FOUND:
        if isinstance(value, known):
            return words
    return f"a {type(value).__name__}"


def _rows_by_type(values: Array) -> dict[type, NDArray[np.intp]]:
    """The rows of the cells of each type, in order."""
    types = list(map(type, values.tolist()))
    found = np.fromiter(map(id, types), np.uintp, len(types))
    return {known: np.flatnonzero(found == id(known)) for known in dict.fromkeys(types)}


def _fill(
    result: Array, rows: NDArray[np.intp], values: list[Any], parse: Callable[[Cells], Array]
) -> list[tuple[int, str]]:
    """Parses values of one type into these rows of the result. Returns the first `LIMIT` cells that
    `parse` refuses, found by halving. Some fit only into arrays of their own; these are filled in
    by the same way."""
    try:
        result[rows] = parse(values)
    except (ValueError, TypeError, OverflowError) as error:
        if len(values) == 1:
            found = str(error) if isinstance(error, Unfit) else no_number(values[0])
            return [(int(rows[0]), found)]
        half = len(values) // 2
        bad = _fill(result, rows[:half], values[:half], parse)
        if len(bad) < LIMIT:
            bad += _fill(result, rows[half:], values[half:], parse)
        return bad
    return []
