"""The body of a request for a large table: which ones are read in chunks, and how they are cut.

In: a body, part by part, as it was sent. Out: its chunks. Raises `ApiError` for a body that is not
read in chunks, and for one that is too large or cannot be unpacked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from modelserver.errors import PayloadTooLarge, table_too_large
from modelserver.reading.chunks.chunk import Chunk, Chunker
from modelserver.reading.formats import FORMATS
from modelserver.reading.media import Unpacker, format_of
from modelserver.reading.signatures.columns import ColumnSignature
from modelserver.reading.signatures.signature import Signature
from modelserver.scoring.answering.formats import AnswerFormat, offered
from modelserver.scoring.chunking.spool import Files
from modelserver.scoring.model import Model

PIECE: Final = 512 * 1024
"""How many bytes of a compressed body are unpacked at a time."""

UNPACKED: Final = (None, "", "identity")
"""The content encodings of a body that is not compressed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a large table asks for. `too_large`: the message if it cannot be read in
    chunks; `largest_row` and `largest_table`: bytes."""

    content_type: str | None
    content_encoding: str | None
    answer: AnswerFormat
    include: tuple[str, ...] | None
    too_large: str
    largest_row: int
    largest_table: int


def why_whole(model: Model, answer: AnswerFormat, chunked: bool | None) -> str:
    """Under which condition, which is not met, a table would be read in chunks, in words; empty if
    it is. `chunked`: what the caller says of that, None if nothing."""
    if chunked is False:
        return "chunked=false is left out"
    if answer.chunk_writer is None:
        return formats_in_chunks()
    if not isinstance(model.signature, ColumnSignature):
        return "the model declares columns"
    if not model.row_wise and not chunked:
        return (
            "the caller says that the model predicts each row for itself, which is not known of "
            "it: add ?chunked=true"
        )
    return ""


def formats_in_chunks() -> str:
    """Which formats are read and written in chunks, as a condition in words."""
    bodies = [row.name for row in FORMATS.values() if row.chunker and row.is_installed]
    answers = [row.title for row in offered().values() if row.chunk_writer]
    sent, answered = (f"{', '.join(names[:-1])} or {names[-1]}" for names in (bodies, answers))
    return f"it is sent as {sent}, and its answer is {answered}: add ?format=csv"


def not_in_chunks(message: str, unmet: str) -> PayloadTooLarge:
    """The error for a body that is too large, as the message says, and is not read in chunks since
    a condition is unmet."""
    return PayloadTooLarge(f"{message}; a larger table is read in chunks if {unmet}")


class Body:
    """The body of a request: unpacked, measured and cut. It knows nothing of the table, which keeps
    what `chunks` returns: if it did, none of them would be freed before the garbage collector
    runs."""

    def __init__(self, asked: Asked, signature: Signature, files: Files) -> None:
        self._asked = asked
        self._signature = signature
        self._files = files
        self.size = 0
        """Its bytes so far, unpacked."""
        encoding = asked.content_encoding
        self._unpacker = Unpacker(encoding) if encoding not in UNPACKED else None
        self._chunker: Chunker | None = None

    def chunks(self, part: bytes, last: bool) -> Iterator[Chunk]:
        """The chunks that are complete with the next part. Nothing is done before they are asked
        for. Raises `ApiError`."""
        if self._unpacker is None:
            yield from self._cut(part, last)
            return
        for piece in self._unpacker.pieces(part, last, PIECE):
            yield from self._cut(piece, last=False)
        if last:
            yield from self._cut(b"", last)

    def _cut(self, piece: bytes, last: bool) -> Iterator[Chunk]:
        self.size += len(piece)
        if self.size > self._asked.largest_table:
            raise table_too_large(self._asked.largest_table)
        if self._chunker is None:
            self._chunker = self._chunker_for(piece)
        return self._chunker.chunks(piece, last)

    def _chunker_for(self, beginning: bytes) -> Chunker:
        row = format_of(self._asked.content_type, beginning)
        if row.chunker is None:
            raise not_in_chunks(self._asked.too_large, formats_in_chunks())
        row.check(self._signature)
        new_file = partial(self._files.new, "the table")
        return row.chunker(self._signature, self._asked.largest_row, new_file)
