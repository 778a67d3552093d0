"""Answers in Arrow and Parquet that are written chunk by chunk. Needs pyarrow.

All rows of an answer have one schema, but chunks may not: a column may be null in one of them and a
text in another. So a file keeps the chunks as streams of Arrow IPC, one after the other; a stream
ends where a chunk does not fit into its schema. At the end, they become one stream or one Parquet
file, with the schema that the whole table would have had. Values of several types raise `NoTable`.
"""

from collections.abc import Callable, Iterator
from io import SEEK_SET, RawIOBase
from typing import Any, TypeAlias

from modelserver.scoring.answering.arrow_writer import FAULTS, arrow_table, for_parquet
from modelserver.scoring.answering.chunk_writers import ChunkWriter, NewFile
from modelserver.scoring.answering.tables import Columns, NoTable

Schema: TypeAlias = Any
"""A `pyarrow.Schema`. pyarrow has no types."""

LARGE: int = 16 * 1024 * 1024
"""From how many bytes on a table is written as a group of rows."""


class ArrowWriter(ChunkWriter):
    """Writes an answer. `write_all` writes tables with one schema into a file; None for a stream of
    Arrow, which a single stream is already."""

    def __init__(
        self,
        new_file: NewFile,
        write_all: Callable[[Schema, Iterator[Any], RawIOBase], None] | None = None,
    ) -> None:
        self._new_file = new_file
        self._file = new_file()
        self._write_all = write_all
        self._schema: Schema = None
        """That of all chunks so far, and of the last stream."""
        self._stream: Any = None
        self._streams = 0

    def write(self, columns: Columns) -> None:
        """Writes the next chunk."""
        table = arrow_table(columns)
        schema = table.schema if self._schema is None else _unified(self._schema, table.schema)
        if schema != self._schema:
            self._begin(schema)
        self._stream.write_table(_cast(table, schema))

    def finish(self) -> RawIOBase:
        """The answer as one file."""
        self._stream.close()
        if self._write_all is None and self._streams == 1:
            return self._file
        answer = self._new_file()
        write_all = self._write_all or write_stream
        write_all(self._schema, self._tables(), answer)
        return answer

    def _begin(self, schema: Schema) -> None:
        import pyarrow.ipc

        if self._stream is not None:
            self._stream.close()
        self._stream = pyarrow.ipc.new_stream(self._file, schema)
        self._schema = schema
        self._streams += 1

    def _tables(self) -> Iterator[Any]:
        """All rows as tables, each of the unified schema and so large that it is worth a group of
        its own in a Parquet file."""
        import pyarrow

        waiting: list[Any] = []
        for batch in self._batches():
            waiting.append(_cast(pyarrow.Table.from_batches([batch]), self._schema))
            if sum(table.nbytes for table in waiting) >= LARGE:
                yield pyarrow.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pyarrow.concat_tables(waiting)

    def _batches(self) -> Iterator[Any]:
        import pyarrow.ipc

        self._file.seek(0, SEEK_SET)
        for _ in range(self._streams):
            yield from pyarrow.ipc.open_stream(self._file)


def write_stream(schema: Schema, tables: Iterator[Any], file: RawIOBase) -> None:
    """Writes the tables as a stream of Arrow IPC."""
    import pyarrow.ipc

    with pyarrow.ipc.new_stream(file, schema) as stream:
        for table in tables:
            stream.write_table(table)


def write_groups(schema: Schema, tables: Iterator[Any], file: RawIOBase) -> None:
    """Writes the tables as a Parquet file. Raises `NoTable`."""
    import pyarrow.parquet

    with for_parquet(), pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for table in tables:
            writer.write_table(table)


def _unified(schema: Schema, other: Schema) -> Schema:
    """The schema that holds the values of both. Raises `NoTable`."""
    import pyarrow

    if schema == other:
        return schema
    try:
        return pyarrow.unify_schemas([schema, other], promote_options="permissive")
    except FAULTS:
        raise NoTable("a column has values of several types") from None


def _cast(table: Any, schema: Schema) -> Any:
    """The table with this schema. Raises `NoTable` if values do not fit."""
    if table.schema == schema:
        return table
    try:
        return table.cast(schema)
    except FAULTS:
        raise NoTable("a column has values of several types") from None
