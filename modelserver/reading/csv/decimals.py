"""Numbers with a decimal comma, as spreadsheets of many countries write them beside semicolons.

In: the columns of a file, as texts. Out: the columns of numbers with decimal points. A file has one
decimal sign: beside a number with a comma, in whichever column, one with a point is refused, since
that point may separate thousands. Numbers with thousands separators are always refused. Raises
`InvalidInput`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from modelserver.errors import LIMIT, bad_values
from modelserver.types.kind import GROUPED, Kind
from modelserver.types.names import quoted

NUMBER: Final = re.compile(r"\s*[+-]?[\d.,]+([eE][+-]?\d+)?\s*", re.ASCII)


class NumberColumn(NamedTuple):
    """A column of numbers; its cells are texts, or something else where they are missing."""

    name: str
    kind: Kind
    cells: Sequence[Any]


class Signed(NamedTuple):
    """A number with points or commas, which are its `signs`."""

    signs: str
    row: int
    column: NumberColumn

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return _place(self.row, self.column.name)


def with_points(
    columns: Sequence[NumberColumn], others: Sequence[tuple[str, Sequence[Any]]] = ()
) -> list[list[Any]]:
    """The cells of the columns, with a point in place of each decimal comma. `others`: the names
    and cells of columns that the model does not take; a decimal comma may stand there alone."""
    found: dict[str, list[Signed]] = {",": [], ".": [], GROUPED: []}
    counted: Counter[tuple[str, str]] = Counter()
    for number in _signed(columns):
        sort = number.signs if number.signs in found else GROUPED
        counted[sort, number.column.name] += 1
        if counted[sort, number.column.name] <= LIMIT:
            found[sort].append(number)
    _refuse(found[GROUPED], GROUPED)
    commas = chain((number.place for number in found[","]), _commas(others))
    if found["."] and (place := next(commas, None)):
        comma = f"there is a decimal comma in {place}"
        _refuse(found["."], f"a point that is decimal or separates thousands: {comma}")
    return [[_with_point(cell) for cell in column.cells] for column in columns]


def _signed(columns: Sequence[NumberColumn]) -> Iterator[Signed]:
    for column in columns:
        for row, cell in enumerate(column.cells):
            if signs := _signs(cell):
                yield Signed(signs, row, column)


def _commas(columns: Sequence[tuple[str, Sequence[Any]]]) -> Iterator[str]:
    """Where numbers with a decimal comma stand, which may also have points that separate
    thousands."""
    for name, cells in columns:
        for row, cell in enumerate(cells):
            if _signs(cell).lstrip(".") == ",":
                yield _place(row, name)


def _place(row: int, name: str) -> str:
    return f"row {row}, column {quoted(name)}"


def _signs(cell: Any) -> str:
    """The points and commas in a cell; empty if it is no number."""
    if not (isinstance(cell, str) and NUMBER.fullmatch(cell)):
        return ""
    return "".join(letter for letter in cell if letter in ".,")


def _with_point(cell: Any) -> Any:
    """The cell; if it is a number with a decimal comma, with a point in its place."""
    is_number = isinstance(cell, str) and NUMBER.fullmatch(cell)
    return cell.replace(",", ".") if is_number else cell


def _refuse(numbers: Sequence[Signed], found: str) -> None:
    """Raises `InvalidInput` if there are any of these numbers, which are `found`."""
    if numbers:
        details = [
            {"row": row, "column": name, "expected": kind.expects, "found": found}
            for _, row, (name, kind, _) in numbers
        ]
        raise bad_values(numbers[0].place, details)
