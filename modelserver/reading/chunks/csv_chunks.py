"""CSV in chunks: whole rows, each time with the header and the separator of the first lines.

The separator is found out once, as for a whole body; later chunks begin with a line that states it.
Where there are quotes, a line may end inside of a cell, and Python's csv module says where rows
end. Beside semicolons, all numbers of a table must have the same decimal sign: points and commas
raise `BadRequest`, since they may be in different chunks.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from modelserver.errors import BadRequest
from modelserver.reading.chunks.chunk import Chunk, Chunker, NewFile, refuse_long_row
from modelserver.reading.csv.dialect import heading
from modelserver.reading.csv.format import csv_payload
from modelserver.reading.csv.records import record_ends
from modelserver.reading.csv.words import INFERRED
from modelserver.reading.signatures.signature import Payload, Signature

SIGNS: Final[Mapping[str, "re.Pattern[bytes]"]] = {
    sign: re.compile(rb'[;"\r\n]\s*[+-]?\d*%b\d+(?:[eE][+-]?\d+)?\s*[;"\r\n]' % re.escape(letter))
    for sign, letter in (("commas", b","), ("points", b"."))
}
"""Between semicolons, cells that are numbers with a decimal comma or a point."""

TWO_SIGNS: Final = (
    "the table has cells with decimal commas and others with points, which may be decimal or "
    "separate thousands; a table with both cannot be read in chunks"
)


class CsvChunker(Chunker):
    """Cuts a CSV file for a model with this signature. `limit`: the most bytes of a row."""

    beginning = 64 * 1024
    """From how many bytes the separator is found out."""

    def __init__(self, signature: Signature, limit: int, new_file: NewFile) -> None:
        self._kinds = signature.kinds
        self._has_numbers = any(kind.json_type in INFERRED for kind in self._kinds.values())
        self._limit = limit
        self._rest = b""
        self._separator = ""
        self._before_rows = 0
        """How many bytes stand before the rows of the first chunk; 0 once that was returned."""
        self._heading = b""
        """What later chunks begin with."""
        self._blanks = b"\r\n"
        self._returned = {"lines": 0, "bytes": 0}
        self._signs: set[str] = set()

    def chunks(self, data: bytes, last: bool) -> Iterator[Chunk]:
        """The rows that end in this part of the body."""
        body = self._rest + data
        if not self._separator and (last or len(body) >= self.beginning):
            self._begin(body)
        end = len(body) if last else self._end_of_rows(body)
        has_rows = body[self._before_rows : end].strip(self._blanks)
        if self._before_rows and not has_rows and not last:
            end = 0  # the header waits for the first row
        rows, self._rest = body[:end], body[end:]
        refuse_long_row(len(self._rest), self._limit)
        if has_rows or (self._before_rows and last):
            yield self._chunk(rows)
            self._before_rows = 0
        self._returned["lines"] += rows.count(b"\n")
        self._returned["bytes"] += len(rows.removeprefix(BOM_UTF8))  # errors do not count a mark

    def _begin(self, body: bytes) -> None:
        """Finds out the separator and the header."""
        whole_lines = body[: last_line_end(body)] or body
        self._separator, start, end = heading(whole_lines, self._kinds)
        header = body[start:end].strip(self._blanks)
        self._heading = b"sep=%b\n%b\n" % (self._separator.encode(), header)
        self._before_rows = end
        if self._separator.encode() in header:  # lines of blanks have too few cells, so no reader
            self._blanks += b" "  # takes them for rows

    def _end_of_rows(self, body: bytes) -> int:
        """Where the last row ends that is surely complete; 0 if none is."""
        if not self._separator:
            return 0
        if b'"' not in body:
            return last_line_end(body)
        end = following = 0
        for place in record_ends(body, self._separator):
            end, following = following, place  # the last record may go on
        return end

    def _chunk(self, rows: bytes) -> Chunk:
        """These rows as a chunk."""
        if self._separator == ";" and self._has_numbers:
            self._refuse_two_signs(rows)
        before = b"" if self._before_rows else self._heading
        return Chunk(
            partial(_read, before + rows, self._limit),
            self._returned["lines"] - before.count(b"\n"),
            self._returned["bytes"] - len(before),
        )

    def _refuse_two_signs(self, rows: bytes) -> None:
        self._signs |= {
            name for name, sign in SIGNS.items() if name not in self._signs and sign.search(rows)
        }
        if len(self._signs) > 1:
            raise BadRequest(TWO_SIGNS)


def _read(body: bytes, limit: int, signature: Signature) -> Payload:
    return csv_payload(body, signature, limit)


def last_line_end(body: bytes) -> int:
    """Where the last complete line ends, 0 if none does. A file of old Macs has carriage returns
    alone."""
    return body.rfind(b"\n") + 1 or body.rfind(b"\r") + 1
