"""Parquet in chunks: the body is kept in a file until its end, where its index is, and then read
some rows at a time."""

from collections.abc import Iterator
from functools import partial

from modelserver.errors import BadRequest
from modelserver.reading.arrow.large_parquet import read_batches
from modelserver.reading.arrow.reader import content_payload
from modelserver.reading.chunks.chunk import Chunk, Chunker, NewFile
from modelserver.reading.signatures.signature import Signature
from modelserver.types.tables import NO_ROWS


class ParquetChunker(Chunker):
    """Cuts a Parquet file. `limit`: the most bytes that a batch of rows takes."""

    def __init__(self, signature: Signature, limit: int, new_file: NewFile) -> None:
        self._limit = limit
        self._file = new_file()
        self._size = 0

    def chunks(self, data: bytes, last: bool) -> Iterator[Chunk]:
        """All rows, once the file is complete."""
        self._file.write(data)
        self._size += len(data)
        if not last:
            return
        is_empty = True
        for content in read_batches(self._file, self._size, self._limit):
            is_empty = False
            yield Chunk(partial(content_payload, content))
        if is_empty:
            raise BadRequest(NO_ROWS)
