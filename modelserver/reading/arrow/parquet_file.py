"""Parquet files as pyarrow reads them: opened, measured before they are decoded, checked.

In: the bytes of a body. Out: its `Content`. A file that is damaged, too
large or not readable by pyarrow raises an `ApiError`. Values that pyarrow by default would change
are read with other options.
"""

import inspect
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import cycle, islice
from typing import Any, Final

from modelserver.errors import BadRequest, too_large
from modelserver.reading.arrow.content import UNREADABLE, Column, Content
from modelserver.types.names import listed

NAME: Final = "Parquet file"

WIDTHS: Final[Mapping[str, int]] = {"INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
"""How many bytes a value of each physical type takes in memory, if all take as many."""

ROW: Final = 8
"""How many bytes of a row are counted at least: those of its prediction."""


def read_file(body: bytes, limit: int) -> Content:
    """The content of a Parquet file. Raises `PayloadTooLarge` if its cells take more than `limit`
    bytes, and `BadRequest` if it cannot be read."""
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(body))
        size = _decoded_size(body, file, limit)
    except pyarrow.ArrowNotImplementedError as error:
        raise BadRequest("the Parquet file holds a type that cannot be read") from error
    except Exception as error:  # pyarrow fails in many ways on unusual metadata
        raise BadRequest("the body is not a Parquet file that can be read") from error
    if max(size, ROW * file.metadata.num_rows) > limit:
        raise too_large(limit)
    try:
        table = _table(body, file)
        if "INT96" in {column.physical_type for column in schema_columns(file)}:
            source = io.BytesIO(body)
            coarse = pyarrow.parquet.ParquetFile(source, coerce_int96_timestamp_unit="ms")
            table = with_all_dates(table, _checked(coarse))
    except Exception as error:
        names = file.schema_arrow.names
        broken = [name for name in names if not _is_readable(body, file, name)]
        raise BadRequest(UNREADABLE.format(NAME, listed(broken or names))) from error
    return Content(table, leaves_by_column(file, table.schema), NAME)


def leaves_by_column(file: Any, schema: Any) -> list[list[str]]:
    """The logical types of each column's leaves."""
    from modelserver.reading.arrow.cells import leaves_of

    types = (
        leaf.converted_type if leaf.logical_type.type == "UNKNOWN" else leaf.logical_type.type
        for leaf in schema_columns(file)
    )
    return [list(islice(types, leaves_of(field.type))) for field in schema]


def schema_columns(file: Any) -> Sequence[Any]:
    """The columns in the file's schema, those without parts.

    `file.schema` has them, too, but it and the file's metadata refer to each other. Both would stay
    in memory until the garbage collector runs, after thousands of files: 2 KB per column.
    """
    import pyarrow.parquet

    schema = pyarrow.parquet.ParquetSchema(file.metadata)
    return [schema.column(place) for place in range(len(schema))]


def _is_readable(body: bytes, file: Any, name: str) -> bool:
    try:
        _table(body, file, [name])
    except Exception:
        return False
    return True


def _table(body: bytes, file: Any, columns: Sequence[str] | None = None) -> Any:
    import pyarrow

    try:
        return _checked(file, columns)
    except pyarrow.ArrowInvalid:
        types = str(file.schema_arrow)
        if "fixed_size_list" not in types or "duration" in types or "extension" in types:
            raise
        return _checked(_without_types_of_arrow(body), columns)  # pragma: no cover (see there)


def _without_types_of_arrow(body: bytes) -> Any:  # pragma: no cover (pyarrow 26 reads such files)
    """The file without the Arrow types that pyarrow writes beside Parquet's: with them, pyarrow
    before version 26 cannot read nulls among arrays of a fixed size. A file with durations or
    extension types needs them, so it does not come here."""
    import pyarrow.parquet

    footer = 8 + int.from_bytes(body[-8:-4], "little")
    end = body[-footer:].replace(b"ARROW:schema", b"ARROW:hidden")
    return pyarrow.parquet.ParquetFile(io.BytesIO(body[:-footer] + end))


def _checked(file: Any, columns: Sequence[str] | None = None) -> Any:
    table = file.read(columns=columns, use_threads=False)
    table.validate(full=True)  # finds, for example, texts that are no UTF-8
    return table


def with_all_dates(table: Any, coarse: Any) -> Any:
    """The table with correct dates. pyarrow reads dates of 96 bits as wrong ones if they are beyond
    the years that nanoseconds reach; then they are those of `coarse`, the same table read in
    milliseconds."""
    import pyarrow

    try:
        coarse.cast(table.schema)
    except pyarrow.ArrowInvalid:
        return coarse
    return table


def _decoded_size(body: bytes, file: Any, limit: int) -> int:
    """The number of bytes that the file's cells take at least, found without decoding them.

    A few bytes of a file can stand for any number of equal cells. So texts are read as
    dictionaries, which hold equal texts once.
    """
    import pyarrow.parquet

    check_metadata(len(body), file)
    groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
    columns = [group.column(place) for group in groups for place in range(group.num_columns)]
    leaves = schema_columns(file)
    size: int = sum(
        column.num_values * width_of(leaf)
        for column, leaf in zip(columns, cycle(leaves), strict=False)
    )
    texts = sorted({leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"})
    if size > limit or not texts:
        return size
    options = inspect.signature(pyarrow.parquet.ParquetFile).parameters
    plain = {name: False for name in options if name == "arrow_extensions_enabled"}
    folded = pyarrow.parquet.ParquetFile(io.BytesIO(body), read_dictionary=texts, **plain)
    for group in range(len(groups)):
        table = folded.read_row_group(group, columns=texts, use_threads=False)
        size += sum(text_size(chunk) for column in table.columns for chunk in column.chunks)
    return size


def width_of(leaf: Any) -> int:
    """How many bytes a value of a column in the file's schema takes in memory; of a text, those
    that are not its own."""
    return WIDTHS.get(leaf.physical_type, max(leaf.length, 1))


class _DataAsked(Exception):
    """pyarrow asked for data, so the metadata of all columns is good."""


class _NoData(io.RawIOBase):
    """A file of so many bytes that refuses to be read: only the footer, which was read before, can
    be used."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset if whence == os.SEEK_SET else self._size + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, *size: Any) -> bytes:
        raise _DataAsked  # pragma: no cover (some versions call it in a thread of Arrow's)


def check_metadata(size: int, file: Any) -> None:
    """Raises an exception of pyarrow for corrupt metadata of columns; asking for such metadata
    would crash the process. pyarrow checks that of all columns of a row group before it reads
    data. It would never free what it has begun to read ahead (`pre_buffer`): 3 KB per column."""
    import pyarrow.parquet

    dry = pyarrow.parquet.ParquetFile(
        _NoData(size), metadata=file.metadata, buffer_size=1024, pre_buffer=False
    )
    for group in range(file.metadata.num_row_groups):
        with suppress(_DataAsked):
            next(dry.iter_batches(1, row_groups=[group], use_threads=False), None)


def text_size(array: Column) -> int:
    """The number of bytes of all texts in an Arrow array, at any depth; texts are dictionaries."""
    import pyarrow.compute

    types = pyarrow.types
    if types.is_dictionary(array.type):
        lengths = pyarrow.compute.binary_length(array.dictionary).take(array.indices)
        return pyarrow.compute.sum(lengths).as_py() or 0
    if types.is_struct(array.type):
        return sum(map(text_size, array.flatten()))
    if types.is_map(array.type):
        return text_size(array.keys) + text_size(array.items)
    return text_size(array.flatten()) if array.type.num_fields else 0
