"""The body of a request for a large table: which ones are read in chunks, and how they are cut.

In: a body, part by part, as it was sent. Out: its chunks. Raises `ApiError` for a body that is not
read in chunks, and for one that is too large or cannot be unpacked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from modelserver.errors import BadRequest, PayloadTooLarge, table_too_large
from modelserver.reading.chunks.chunk import Chunk, Chunker
from modelserver.reading.formats import FORMATS, Format
from modelserver.reading.media import Unpacker, format_of, names_format
from modelserver.reading.recognising import BEGINNING
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


def why_whole(
    model: Model, content_type: str | None, answer: AnswerFormat, chunked: bool | None
) -> str:
    """Under which condition, which is not met, a table would be read in chunks, in words; empty if
    it is. `chunked`: what the caller says of that, None if nothing. Raises `UnsupportedMediaType`
    for a content type that is not read."""
    sent = format_of(content_type, b"") if names_format(content_type) else None
    if chunked is False:
        return "chunked=false is left out"
    if answer.chunk_writer is None or (sent is not None and sent.chunker is None):
        return formats_in_chunks(sent, answer)
    if not isinstance(model.signature, ColumnSignature):
        return "the model declares columns"
    if not model.row_wise and not chunked:
        return (
            "the caller says that the model predicts each row for itself, which is not known of "
            "it: add ?chunked=true"
        )
    return ""


def formats_in_chunks(sent: Format | None, answer: AnswerFormat) -> str:
    """Which formats are read and written in chunks, as far as a request has others, as a condition
    in words. `sent`: the format of its body, None if that is not known."""
    unmet = []
    if sent is None or sent.chunker is None:
        bodies = [row.name for row in FORMATS.values() if row.chunker and row.is_installed]
        named = "" if sent is None else f" and not as {sent.media_type}"
        unmet.append(f"it is sent as {_either(bodies)}{named}")
    if answer.chunk_writer is None:
        answers = [row.title for row in offered().values() if row.chunk_writer]
        unmet.append(f"its answer is {_either(answers)}: add ?format=csv")
    return ", and ".join(unmet)


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


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
        self._row: Format | None = None
        """Its format, and then its first bytes."""
        self._beginning = b""

    def mistaken(self) -> BadRequest | None:
        """The error for a body whose first chunk was refused, if it looks like another format than
        its own; otherwise None."""
        if self._row is None:
            return None
        return self._row.mistaken(self._beginning, self._signature.names)

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
        self._row, self._beginning = row, beginning[:BEGINNING]
        if row.chunker is None:
            unmet = formats_in_chunks(row, self._asked.answer)
            raise not_in_chunks(self._asked.too_large, unmet)
        row.check(self._signature)
        new_file = partial(self._files.new, "the table")
        return row.chunker(self._signature, self._asked.largest_row, new_file)
