"""NDJSON in chunks: whole lines. It must be UTF-8; a body that is read whole may also be UTF-16."""

import json
from collections.abc import Iterator
from functools import partial

from modelserver.errors import BadRequest
from modelserver.reading.chunks.chunk import Chunk, Chunker, NewFile, refuse_long_row
from modelserver.reading.ndjson_format import ndjson_payload
from modelserver.reading.signatures.signature import Payload, Signature


class NdjsonChunker(Chunker):
    """Cuts a body of NDJSON. `limit`: the most bytes of a line."""

    def __init__(self, signature: Signature, limit: int, new_file: NewFile) -> None:
        self._limit = limit
        self._rest = b""
        self._lines = self._bytes = 0
        """How many of the body were returned."""
        self._has_records = False

    def chunks(self, data: bytes, last: bool) -> Iterator[Chunk]:
        """The lines that end in this part of the body."""
        body = self._rest + data
        if not self._bytes and not json.detect_encoding(body).startswith("utf-8"):
            raise BadRequest("a table in chunks must be UTF-8 text")
        end = len(body) if last else body.rfind(b"\n") + 1
        lines, self._rest = body[:end], body[end:]
        refuse_long_row(len(self._rest), self._limit)
        if lines.strip() or (last and not self._has_records):
            self._has_records = True
            yield Chunk(partial(_read, lines, self._limit), self._lines, self._bytes)
        self._lines += lines.count(b"\n")
        self._bytes += len(lines)


def _read(body: bytes, limit: int, signature: Signature) -> Payload:
    return ndjson_payload(body, signature, limit)
