"""Numbers with a decimal comma, as spreadsheets of many countries write them beside semicolons.

In: the columns of numbers in a file, as texts. Out: the same cells with decimal points. A file has
one decimal sign: beside a number with a comma, one with a point is refused, since that point may
separate thousands. Numbers with thousands separators are always refused. Raises `InvalidInput`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from modelserver.errors import LIMIT, bad_values
from modelserver.types.kind import Kind
from modelserver.types.names import quoted

NUMBER: Final = re.compile(r"\s*[+-]?[\d.,]+([eE][+-]?\d+)?\s*", re.ASCII)

GROUPED: Final = "a number with thousands separators"


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
        return f"row {self.row}, column {quoted(self.column.name)}"


def with_points(columns: Sequence[NumberColumn]) -> list[list[Any]]:
    """The cells of the columns, with a point in place of each decimal comma."""
    signed = [
        Signed(signs, row, column)
        for column in columns
        for row, cell in enumerate(column.cells)
        if (signs := _signs(cell))
    ]
    comma = next((number for number in signed if number.signs == ","), None)
    _refuse([number for number in signed if len(number.signs) > 1], GROUPED)
    if comma is not None:
        _refuse(
            [number for number in signed if number.signs == "."],
            "a point that is decimal or separates thousands: there is a decimal comma in "
            f"{comma.place}",
        )
    return [
        [cell.replace(",", ".") if _signs(cell) == "," else cell for cell in column.cells]
        for column in columns
    ]


def _signs(cell: Any) -> str:
    """The points and commas in a cell; empty if it is no number."""
    if not (isinstance(cell, str) and NUMBER.fullmatch(cell)):
        return ""
    return "".join(letter for letter in cell if letter in ".,")


def _refuse(numbers: Sequence[Signed], found: str) -> None:
    """Raises `InvalidInput` if there are any of these numbers, which are `found`."""
    if numbers:
        details = [
            {
                "row": n.row,
                "column": n.column.name,
                "expected": n.column.kind.expects,
                "found": found,
            }
            for n in numbers[: LIMIT + 1]
        ]
        raise bad_values(numbers[0].place, details, counted=len(numbers) <= LIMIT)
