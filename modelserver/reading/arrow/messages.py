"""The messages of Arrow IPC: how much their compressed buffers claim to hold.

pyarrow decompresses a whole message at once, however much that may be. So the size that each buffer
names is read from the message before (Arrow's format, "Recordbatch message" and "File format"). The
tables of a message are FlatBuffers, which pyarrow has checked when it read the message.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DICTIONARY, BATCH = 2, 3
"""The types of messages that hold buffers."""

BEHIND_FOOTER: Final = 10
"""The bytes of a file after its footer: the footer's length, and the magic bytes."""

CONTINUATION: Final = b"\xff\xff\xff\xff"
"""What stands before the length of a message; versions before Arrow 0.15 left it out."""

OLD_COMPRESSION: Final = b"ARROW:experimental_compression"


class Flat(NamedTuple):
    """A table of FlatBuffers: it starts at `place` of `data`. Fields have numbers."""

    data: bytes
    place: int

    @classmethod
    def root(cls, data: bytes) -> "Flat":
        """The outermost table."""
        return cls(data, _integer(data, 0, 4))

    def field(self, number: int) -> int | None:
        """Where the field's value is, None if it is absent."""
        behind = self.data[self.place : self.place + 4]
        layout = self.place - int.from_bytes(behind, "little", signed=True)
        entry = 4 + 2 * number
        if entry >= _integer(self.data, layout, 2):
            return None
        offset = _integer(self.data, layout + entry, 2)
        return self.place + offset if offset else None

    def integer(self, number: int, size: int) -> int:
        """The integer of so many bytes in a field; 0 if it is absent."""
        at = self.field(number)
        return 0 if at is None else _integer(self.data, at, size)

    def table(self, number: int) -> "Flat | None":
        """The table in a field."""
        at = self.field(number)
        return None if at is None else Flat(self.data, at + _integer(self.data, at, 4))

    def structs(self, number: int, width: int) -> NDArray[np.int64]:
        """The structs in a field, each as a row of so many integers of 64 bits."""
        at = self.field(number)
        if at is None:
            return np.empty((0, width), np.int64)
        start = at + _integer(self.data, at, 4)
        count = _integer(self.data, start, 4)
        return np.frombuffer(self.data, "<i8", count * width, start + 4).reshape(-1, width)


def _integer(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "little")


def read_messages(source: Any) -> Iterator[Any]:
    """The messages of a stream, up to its end."""
    return iter(pa.ipc.MessageReader.open_stream(source))


def messages_of_file(body: bytes) -> Iterator[Any]:
    """The messages to which the footer of a file points. Raises `ValueError` if it points to one
    twice."""
    end = len(body) - BEHIND_FOOTER
    footer = Flat.root(body[end - _integer(body, end, 4) : end])
    blocks = np.concatenate([footer.structs(2, 3), footer.structs(3, 3)])
    places = blocks[:, 0].tolist()
    if len(set(places)) < len(places):
        raise ValueError("a message is given twice")
    lengths = (blocks[:, 1] & 0xFFFFFFFF).tolist()
    return (_message_at(body, *at) for at in zip(places, lengths, strict=True))


def _message_at(body: bytes, place: int, length: int) -> Any:
    """The message at a place. Raises `ValueError` if its metadata have another length than the
    footer says: then it would be open where its buffers start."""
    message = pa.ipc.read_message(pa.py_buffer(body).slice(place))
    before = 8 if body[place : place + 4] == CONTINUATION else 4
    if length != before + message.metadata.size:
        raise ValueError("a message has another length")
    return message


def claimed_size(messages: Iterable[Any], limit: int) -> int:
    """What the messages claim to hold: the larger of the number of rows, with the values of all
    dictionaries, and the number of bytes in compressed buffers. It is counted no further than
    beyond the `limit`. Raises `ValueError` for the compression of versions before Arrow 1."""
    rows = size = 0
    for message in messages:
        metadata = message.metadata.to_pybytes()
        if OLD_COMPRESSION in metadata:
            raise ValueError("compressed as no writer does any more")
        header = Flat.root(metadata)
        batch = header.table(2)
        kind = header.integer(1, 1)
        if kind == DICTIONARY and batch is not None:
            batch = batch.table(1)
        if batch is None or kind not in (DICTIONARY, BATCH):
            continue
        rows += batch.integer(0, 8)
        size += _decompressed_size(batch, message.body)
        if max(rows, size) > limit:
            break
    return max(rows, size)


def _decompressed_size(batch: Flat, body: Any) -> int:
    """The bytes that the buffers of a record batch claim, if they are compressed. Each then starts
    with its size, or with -1 if it alone is not compressed."""
    if batch.table(3) is None:
        return 0
    data = memoryview(body)
    sizes = (
        int.from_bytes(data[offset : offset + 8], "little", signed=True)
        for offset, length in batch.structs(2, 2).tolist()
        if length
    )
    return sum(size for size in sizes if size > 0)
