"""One table that is larger than memory: read, predicted and written in chunks.

In: a body, part by part. Out: a file with the answer. Synchronous; a worker runs each step, which
scores one chunk. An answer equals the one that the whole table would get, or the table is refused
with an `ApiError`, which names places in the whole table. What is refused, besides what is always
refused: chunks whose columns differ, and a prediction that has not one row for each row.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from time import perf_counter as clock
from typing import Any, Final

from modelserver.errors import BadRequest, NotAcceptable, PayloadTooLarge, table_too_large
from modelserver.hosting.bodies import TooLarge
from modelserver.hosting.settings import Settings
from modelserver.reading.chunks.chunk import Chunk, locate
from modelserver.reading.signatures.including import IncludingSignature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.answering.encoding import attempt
from modelserver.scoring.answering.formats import AnswerFormat, offered
from modelserver.scoring.answering.tables import NoTable, length_of
from modelserver.scoring.chunking.large_bodies import Asked, Body, not_in_chunks, why_whole
from modelserver.scoring.chunking.spool import Files, Spool
from modelserver.scoring.methods import named
from modelserver.scoring.model import Model
from modelserver.scoring.query import Query
from modelserver.scoring.request import (
    Times,
    no_table,
    not_too_deep,
    predict,
    signature_for,
    table_beside,
)

ROWS: Final = 10_000
"""How many rows a chunk should have. With more, `/ping` takes longer while it is predicted; with
fewer, models that take milliseconds for each call are slower."""

NOT_FOR_EACH_ROW: Final = "a table in chunks needs one prediction per row: the model returned"

OTHER_COLUMNS: Final = (
    "the table cannot be read in chunks: later rows have other columns than the first ones; name "
    "all columns in each row, with null where there is no value"
)

OTHER_PREDICTIONS: Final = (
    "the table cannot be read in chunks: the model returns other columns for later rows"
)


class LargeTable:
    """A table that is being predicted. `feed` and `step` are called in turn, for each part of the
    body, and `finish` at the end."""

    def __init__(self, model: Model, asked: Asked) -> None:
        self.rows = 0
        """How many rows were predicted so far."""
        self.times = Times(0.0, 0.0, 0.0)
        self._model = model
        self._asked = asked
        self._signature = signature_for(model, asked.include)
        self._files = Files(asked.largest_table)
        self._body = Body(asked, self._signature, self._files)
        self._coming: Iterator[Chunk] = iter(())
        assert asked.answer.chunk_writer is not None
        self._writer = asked.answer.chunk_writer(partial(self._files.new, "the answer"))
        self._names: tuple[Hashable, ...] | None = None
        """The columns that the model got of the first chunk."""
        self._carried: tuple[str, ...] = ()
        """The columns of the first chunk that stand before the predictions."""
        self._answered: tuple[str, ...] = ()
        """The columns of the answer to the first chunk."""

    @property
    def part_size(self) -> float:
        """How many bytes the next part of the body should have."""
        return ROWS * self._body.size / self.rows if self.rows else 0.0

    def feed(self, part: bytes, last: bool) -> None:
        """The next part of the body, and whether it is the last one."""
        self._coming = self._body.chunks(part, last)

    def step(self) -> bool:
        """Scores the next chunk; False if there is none in what was fed so far. Raises
        `ApiError`."""
        try:
            return self._step(clock())
        except (BadRequest, PayloadTooLarge):
            if self.rows or (mistaken := self._body.mistaken()) is None:
                raise
            raise mistaken from None

    def _step(self, start: float) -> bool:
        chunk = next(self._coming, None)
        if chunk is None:
            return False
        self._score(chunk, start)
        return True

    def finish(self) -> Spool:
        """The whole answer. Raises `ApiError`."""
        start = clock()
        try:
            answer = self._writer.finish()
        except NoTable as error:
            raise self._no_table(error) from None
        assert isinstance(answer, Spool)
        self._spend(Times(0.0, 0.0, clock() - start))
        return answer

    def _no_table(self, error: NoTable) -> NotAcceptable:
        """The error for predictions that the answer cannot hold. JSON is not written in chunks."""
        answer = self._asked.answer
        rows = [row for row in offered().values() if row.chunk_writer and row.name != answer.name]
        return no_table(answer, error, [row.title for row in rows])

    def free(self) -> None:
        """Frees the space on the disk; to be called at the end, however it comes."""
        self._files.free()

    def _score(self, chunk: Chunk, start: float) -> None:
        """Reads, predicts and writes a chunk. `start`: when that began."""
        read = partial(_read, chunk, self._signature)
        try:
            payload = read()
            has_read = clock()
            predictions = named(predict(self._model, payload, read), self._model.names)
            has_predicted = clock()
            self._write(payload, predictions)
        except BadRequest as fault:
            locate(fault, {"row": self.rows, "line": chunk.lines, "byte": chunk.bytes})
            raise
        self.rows += payload.rows or 0
        self._spend(Times(has_read - start, has_predicted - has_read, clock() - has_predicted))

    def _spend(self, times: Times) -> None:
        self.times = Times(*map(sum, zip(self.times, times, strict=True)))

    def _write(self, payload: Payload, predictions: Any) -> None:
        title = self._asked.answer.title
        try:
            columns = table_beside(self._alike(payload), predictions)
            if (length := length_of(columns)) != payload.rows:
                raise BadRequest(f"{NOT_FOR_EACH_ROW} {length} for {payload.rows} rows")
            if (self._answered or (*columns,)) != (*columns,):
                raise BadRequest(OTHER_PREDICTIONS)
            self._answered = (*columns,)
            attempt(lambda: self._writer.write(columns), title)
        except NoTable as error:
            raise self._no_table(error) from None

    def _alike(self, payload: Payload) -> Payload:
        """The payload with its columns in the order of the first chunk. Raises `BadRequest` if it
        has others."""
        names, carried = (*payload.data.columns,), payload.carried
        if self._names is None:
            self._names, self._carried = names, tuple(carried or ())
            self._signature = _filling(self._signature, names, self._carried)
        if names != self._names or (carried or {}).keys() != set(self._carried):
            raise BadRequest(OTHER_COLUMNS)
        if carried is None:
            return payload
        return replace(payload, carried={name: carried[name] for name in self._carried})


def large_table(
    model: Model,
    headers: Mapping[str, str],
    query: Query,
    answer: AnswerFormat,
    fault: TooLarge,
    settings: Settings,
) -> LargeTable:
    """The table in a request whose body is too large to be read whole, as `fault` says. Raises
    `ApiError` if it cannot be read in chunks either."""
    content_type = headers.get("content-type")
    if unmet := why_whole(model, content_type, answer, query.chunked):
        raise not_in_chunks(fault.message, unmet)
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > settings.max_table_bytes:
        raise table_too_large(settings.max_table_bytes)
    asked = Asked(
        content_type,
        headers.get("content-encoding"),
        answer,
        query.include,
        fault.message,
        settings.max_request_bytes,
        settings.max_table_bytes,
    )
    return LargeTable(model, asked)


def _filling(
    signature: Signature, names: Collection[Hashable], carried: tuple[str, ...]
) -> Signature:
    """The signature with which columns are missing values in chunks that lack them, since the first
    chunk has them: optional columns with these names, and those that the answer carries."""
    columns = signature.columns
    assert columns is not None
    columns = replace(columns, filled=columns.filled.union(names))
    if isinstance(signature, IncludingSignature):
        return replace(signature, columns=columns, known=carried)
    return replace(signature, columns=columns)


def _read(chunk: Chunk, signature: Signature) -> Payload:
    return not_too_deep(lambda: chunk.read(signature))
