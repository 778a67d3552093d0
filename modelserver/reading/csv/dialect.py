"""How a CSV file is written: which letter separates its cells, and what its header says.

In: a body and the names of the model's columns. Out: a `CsvFile`. The separator is a comma, a
semicolon, a tab or a vertical bar: the one that splits the header into the model's columns. For a
model without names of columns, it is the one that splits the header into as many cells as the first
row. Excel's first line `sep=;` decides, if there is one. Raises `BadRequest` if the header can be
read in two ways, and for wrong headers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from modelserver.errors import BadRequest
from modelserver.reading.csv.encoding import utf8_of
from modelserver.reading.csv.records import lines_of, next_record, record_ends, records
from modelserver.types.names import folded
from modelserver.types.tables import MOST_CELLS, NO_ROWS, refuse_repeated

SEPARATORS: Final = ",;\t|"

NO_COMMAS: Final = frozenset(SEPARATORS) - {","}

STATED: Final = re.compile(rb'"?sep=([^"\r\n])"?[,;\t|]*(?:\r\n?|\n)')
"""A first line that states the separator, for Excel. Other programs may have quoted it, or filled
it up with empty cells."""

NO_HEADER: Final = (
    "the first line holds none of the model's columns; CSV needs a header (with curl, send it "
    "with --data-binary, not with -d)"
)

WRONG_SEPARATOR: Final = (
    "the header, split at {!r} as the line sep= above it states, holds none of the model's columns"
)

ONLY_A_HEADER: Final = (
    f"{NO_ROWS} below its header (with curl, send it with --data-binary, not with -d, which "
    "joins the lines)"
)

LABELS: Final = "Unnamed: 0"
"""pandas' name for a first column without a name, which a signature may therefore have."""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file in UTF-8 with a checked header, which has the `names`."""

    body: bytes
    separator: str
    names: Sequence[str]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)

    @property
    def may_have_decimal_commas(self) -> bool:
        """Whether a comma may stand in a number: where programs write decimal commas, they
        separate cells by semicolons."""
        return self.separator == ";" and b"," in self.body

    @property
    def lacks_most_cells(self) -> bool:
        """Whether the table is large, and most of its cells are missing."""
        lines = _fast_count(self.body, "\n") + _fast_count(self.body, "\r")
        return lines * self.width > max(MOST_CELLS, 10 * (self.count_separators() + lines))

    def count_separators(self) -> int:
        """How often the separator occurs, also inside of quotes."""
        return _fast_count(self.body, self.separator)

    def count_lines(self) -> int:
        """The number of lines, also of blank ones and of those inside of quotes."""
        return _fast_count(self.body, "\n") + (not self.body.endswith(b"\n"))

    def refuse_ragged_rows(self) -> None:
        """Raises `BadRequest` for the first row that has more or fewer cells than the header."""
        for number, record in enumerate(records(self.body, self.separator)):
            if len(record) != self.width:
                raise _ragged(number - 1, len(record), self.width)


class Beginning(NamedTuple):
    """The header and the first row, read with one of the separators. If the first row is no valid
    CSV, `fault` says why; then, and if there is none, `first` is None."""

    separator: str
    names: list[str]
    first: list[str] | None
    fault: BadRequest | None = None

    @property
    def is_even(self) -> bool:
        """Whether the first row has as many cells as the header."""
        if self.first is None:
            return self.fault is None
        return len(self.first) == len(self.names)


def open_csv(body: bytes, known: Mapping[str, Any]) -> CsvFile:
    """The file in a body. `known`: the signature's columns by name, empty if they have no names.
    Raises `BadRequest`, also for a first row that has more or fewer cells than the header: pandas
    would take its first cells for row labels."""
    body, stated = _without_stated(utf8_of(body))
    if (returns := _fast_count(body, "\r")) and returns != body.count(b"\r\n"):
        body = _with_newlines(body)
    _refuse_widest(body)
    begun = _begin(body, stated) if stated else _recognised(body, known)
    if begun.fault is not None:
        raise begun.fault
    names, first = begun.names, begun.first
    if names[0] == "" and LABELS in known:
        names[0] = LABELS
    _check_names(names, known, only_header=first is None, stated=stated)
    if first is not None and len(first) != len(names):
        raise _ragged(0, len(first), len(names))
    file = CsvFile(body, begun.separator, names)
    if file.lacks_most_cells:
        file.refuse_ragged_rows()  # pandas would reserve memory for the missing cells
    return file


MOST_COLUMNS: Final = 1_000_000


def _refuse_widest(body: bytes) -> None:
    """Raises `BadRequest` if the first two lines have more separators than tables have columns: the
    csv module reads a whole line at a time, and nothing else runs meanwhile."""
    end = body.find(b"\n", body.find(b"\n") + 1)
    end = len(body) if end < 0 else end
    if end > MOST_COLUMNS and any(
        body.count(separator.encode(), 0, end) > 2 * MOST_COLUMNS for separator in SEPARATORS
    ):
        raise BadRequest(f"the first lines have more than {MOST_COLUMNS} cells each")


def heading(body: bytes, known: Mapping[str, Any]) -> tuple[str, int, int]:
    """The separator of the file that begins with `body`, and where its header starts and ends.
    Raises `BadRequest`."""
    text, stated = _without_stated(utf8_of(body))
    if b"\r" in text:
        text = _with_newlines(text)
    separator = stated or _recognised(text, known).separator
    start = len(body) - len(text)
    text = text.lstrip(b"\n")  # no header, but a blank line
    return separator, start, len(body) - len(text) + next(record_ends(text, separator), 0)


def _without_stated(body: bytes) -> tuple[bytes, str | None]:
    """The body below a first line that states the separator, and that separator."""
    line = STATED.match(body)
    if line is None:
        return body, None
    stated = line[1].decode()
    if stated not in SEPARATORS:
        raise BadRequest(
            f"the first line states the separator {stated!r}; it must be a comma, a semicolon, a "
            "tab or a vertical bar"
        )
    return body[line.end() :], stated


def _begin(body: bytes, separator: str) -> Beginning:
    """The beginning, read with this separator. Raises `BadRequest` if there is no header."""
    lines = lines_of(body, separator)
    names = next_record(lines)
    if names is None:
        raise BadRequest("the body is empty; send a header and rows")
    try:
        return Beginning(separator, names, next_record(lines))
    except BadRequest as fault:
        return Beginning(separator, names, None, fault)


def _recognised(body: bytes, known: Mapping[str, Any]) -> Beginning:
    """The beginning of the file, read with the separator that its header shows; with the comma if
    it shows none. Raises `BadRequest` if it can be read in two ways."""
    by_comma = _maybe_begin(body, ",")
    if by_comma is not None and not any(map(NO_COMMAS.intersection, by_comma.names)):
        return by_comma
    others = [_maybe_begin(body, separator) for separator in SEPARATORS[1:]]
    split = [begun for begun in others if begun is not None and len(begun.names) > 1]
    possible = _possible(split if by_comma is None else [by_comma, *split], known)
    if len(possible) > 1:
        raise _ambiguous(possible)
    return possible[0] if possible else _begin(body, ",")


def _maybe_begin(body: bytes, separator: str) -> Beginning | None:
    """The beginning; None if the header is no valid CSV with this separator."""
    try:
        return _begin(body, separator)
    except BadRequest:
        return None


def _possible(begun: Sequence[Beginning], known: Mapping[str, Any]) -> list[Beginning]:
    """The readings of a header between which nothing decides."""
    if not known:
        split = [reading for reading in begun if len(reading.names) > 1]
        return [reading for reading in split if reading.is_even] or split[:1]
    letters = {folded(name) for name in known}
    whole = [reading for reading in begun if {*reading.names} - {""} <= known.keys()]
    part = [reading for reading in begun if letters & {folded(name) for name in reading.names}]
    return whole or part


def _ambiguous(readings: Sequence[Beginning]) -> BadRequest:
    ways = " or ".join(f"{r.separator!r} (columns: {len(r.names)})" for r in readings)
    return BadRequest(
        f"the header can be read with the separator {ways}; state the right one in a line above "
        f"it, such as sep={readings[-1].separator}"
    )


def _check_names(
    names: Sequence[str], known: Mapping[str, Any], only_header: bool, stated: str | None
) -> None:
    """Raises `BadRequest` for a header without names, with a name given twice, or with none of the
    model's columns. `stated`: the separator that a line above the header states."""
    if not any(name.strip() or name in known for name in names):
        raise BadRequest("the first line holds no names; send a header and rows")
    if known and not {folded(name) for name in known} & {folded(name) for name in names}:
        # The names may be cells of data, so the message must not repeat them.
        if stated:
            raise BadRequest(WRONG_SEPARATOR.format(stated))
        raise BadRequest(NO_HEADER)
    given = [name for name in names if name]
    if only_header and len(set(given)) != len(given):
        raise BadRequest(ONLY_A_HEADER)  # curl -d joins all lines, so these may be cells of data
    refuse_repeated(given)


def _fast_count(body: bytes, letter: str) -> int:
    """A fast way to count a letter in the body: ten times as fast as the plain way,
    `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(letter)))


def _with_newlines(body: bytes) -> bytes:
    """The body with a newline in place of each carriage return outside of quotes. If only carriage
    returns end lines, pandas takes a blank line together with an empty cell for one cell, and the
    row is shifted."""
    letters = np.frombuffer(body, np.uint8).copy()
    inside = np.bitwise_xor.accumulate(letters == ord('"'))
    letters[(letters == ord("\r")) & ~inside] = ord("\n")
    return letters.tobytes()


def _ragged(row: int, found: int, width: int) -> BadRequest:
    return BadRequest(f"row {row} has {found} cells, the header has {width}")
