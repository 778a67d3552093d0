"""The lines of a CSV file as Python's csv module splits them into cells.

In: a body in UTF-8 and the letter that separates its cells. Out: lists of cells, or where they end.
Raises `BadRequest` for what is no CSV.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import Final

from modelserver.errors import BadRequest

OPEN_QUOTE: Final = "a quoted cell does not end"

MOST_BLANK_LINES: Final = 1_000_000
"""How many blank lines may stand above the header or the first row. The csv module reads these
lines once for each separator, and a second for each 5 million."""


def records(body: bytes, separator: str) -> Iterator[list[str]]:
    """The lines of the file as lists of cells, without blank lines, which pandas skips too. Raises
    `BadRequest`."""
    return filter(None, lines_of(body, separator))


def lines_of(body: bytes, separator: str) -> Iterator[list[str]]:
    """The lines of the file; a blank one is an empty list. Raises `BadRequest`."""
    text = io.TextIOWrapper(io.BytesIO(body), "utf-8", newline="")
    try:
        yield from csv.reader(text, strict=True, delimiter=separator)
    except csv.Error as error:
        fault = OPEN_QUOTE if "end of data" in str(error) else str(error)
        raise BadRequest(f"the body is not valid CSV: {fault}") from None


def next_record(lines: Iterator[list[str]]) -> list[str] | None:
    """The next line that is not blank; None if there is none. Raises `BadRequest`, also if more
    than `MOST_BLANK_LINES` are above it."""
    record = next(filter(None, islice(lines, MOST_BLANK_LINES)), None)
    if record is None and (record := next(lines, None)) == []:
        raise BadRequest(f"more than {MOST_BLANK_LINES} lines above the first row are blank")
    return record


def record_ends(body: bytes, separator: str) -> Iterator[int]:
    """Where each record of the file ends. Raises `BadRequest`."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        # Latin-1 has one letter per byte. What splits cells and lines is the same in UTF-8.
        for line in io.TextIOWrapper(io.BytesIO(body), "latin-1", newline=""):
            read += len(line)
            yield line

    try:
        for _ in csv.reader(lines(), delimiter=separator):
            yield read
    except csv.Error as error:
        raise BadRequest(f"the body is not valid CSV: {error}") from None
