"""Streams of Arrow IPC in chunks: whole record batches, each time behind the schema.

The messages of a stream are told apart by their lengths (Arrow's format, "Encapsulated message
format"); what they hold is left to the reader of the chunks. Each chunk repeats the dictionaries
that came before it, so all of them together must be small.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from modelserver.errors import BadRequest
from modelserver.reading.arrow.content import refuse_counted_labels
from modelserver.reading.arrow.reader import arrow_payload
from modelserver.reading.chunks.chunk import Chunk, Chunker, NewFile, refuse_long_row
from modelserver.reading.signatures.signature import Payload, Signature

if TYPE_CHECKING:
    from modelserver.reading.arrow.messages import Flat

PREFIX: Final = 8
"""The bytes before the metadata of a message: a continuation mark, and the metadata's length."""

END: Final = b"\xff\xff\xff\xff\0\0\0\0"
"""The end of a stream."""

CONTINUATION: Final = END[:4]

NO_STREAM: Final = (
    "the body is no Arrow stream that can be read in chunks; a file of Arrow IPC cannot, and no "
    "stream of versions before Arrow 0.15"
)

SCHEMA, DICTIONARY = 1, 2
"""Kinds of messages; the third are record batches."""


class ArrowChunker(Chunker):
    """Cuts a stream of Arrow IPC. `limit`: the most bytes of a record batch, and of all
    dictionaries."""

    def __init__(self, signature: Signature, limit: int, new_file: NewFile) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._schema = b""
        self._dictionaries: dict[int, list[bytes]] = {}
        """The messages that make up each dictionary, by its number."""
        self._has_ended = False
        self._has_rows = False

    def chunks(self, data: bytes, last: bool) -> Iterator[Chunk]:
        """The record batches that end in this part of the body."""
        self._rest += data
        batches: list[bytes] = []
        for message in self._messages():
            kind = _header(message).integer(1, 1)
            if kind == DICTIONARY and batches:  # which have the values of earlier ones
                yield self._chunk([*batches, END])
                batches = []
            if kind == SCHEMA:
                self._keep_schema(message)
            elif kind == DICTIONARY:
                self._keep_dictionary(message)
            else:
                batches.append(message)
        refuse_long_row(len(self._rest), self._limit)
        if batches:
            yield self._chunk([*batches, END])
        if last and (self._rest.strip(b"\0") or not self._has_rows):
            end = END if self._has_ended else b""
            yield self._chunk([end, bytes(self._rest)])  # its reader says what is wrong

    def _messages(self) -> Iterator[bytes]:
        """The messages that are complete, which are taken off what waits."""
        while not self._has_ended and (end := self._end_of_message()):
            message = bytes(self._rest[:end])
            del self._rest[:end]
            self._has_ended = message == END
            if not self._has_ended:
                yield message

    def _end_of_message(self) -> int:
        """Where the first message that waits ends; 0 if it is not complete. Raises `BadRequest`."""
        if len(self._rest) < PREFIX:
            return 0
        if not self._rest.startswith(CONTINUATION):
            raise BadRequest(NO_STREAM)
        end = PREFIX + int.from_bytes(self._rest[4:PREFIX], "little")
        if end == PREFIX or len(self._rest) < end:
            return end if end == PREFIX else 0
        end += _header(bytes(self._rest[:end])).integer(3, 8)
        return end if len(self._rest) >= end else 0

    def _keep_schema(self, message: bytes) -> None:
        refuse_counted_labels(message)
        self._schema = message

    def _keep_dictionary(self, message: bytes) -> None:
        described = _header(message).table(2)
        assert described is not None
        number, is_more = described.integer(0, 8), described.integer(2, 1)
        before = self._dictionaries.get(number, []) if is_more else []
        self._dictionaries[number] = [*before, message]
        refuse_long_row(sum(map(len, self._kept())), self._limit)

    def _kept(self) -> Iterator[bytes]:
        return chain.from_iterable(self._dictionaries.values())

    def _chunk(self, messages: Sequence[bytes]) -> Chunk:
        self._has_rows = True
        body = b"".join([self._schema, *self._kept(), *messages])
        return Chunk(partial(_read, body, self._limit))


def _header(message: bytes) -> "Flat":
    """What a message says of itself."""
    from modelserver.reading.arrow.messages import Flat

    return Flat.root(message[PREFIX:])


def _read(body: bytes, limit: int, signature: Signature) -> Payload:
    return arrow_payload(body, signature, limit)
