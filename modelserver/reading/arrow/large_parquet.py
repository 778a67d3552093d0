"""Parquet files that are larger than memory: read some rows at a time, measured before that.

In: a file. Out: a `Content` for each batch of rows, checked as that of a whole file. A file that is
damaged, or whose batches stand for too much, raises an `ApiError`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import RawIOBase
from typing import Any, Final

from modelserver.errors import ApiError, BadRequest
from modelserver.reading.arrow.content import Content, refuse_counted_labels
from modelserver.reading.arrow.parquet_file import (
    NAME,
    check_metadata,
    leaves_by_column,
    schema_columns,
    text_size,
    width_of,
    with_all_dates,
)
from modelserver.reading.chunks.chunk import refuse_long_row

BATCH: Final = 8 * 1024 * 1024
"""About how many bytes the rows of a batch take in memory."""

MOST_ROWS: Final = 64 * 1024
"""The most rows of a batch."""

BUFFER: Final = 64 * 1024
"""How many bytes of a column are read at a time. pyarrow would read the whole column of a row
group."""


def read_batches(file: RawIOBase, size: int, limit: int) -> Iterator[Content]:
    """The rows of a Parquet file of `size` bytes, batch by batch. Raises `PayloadTooLarge` if one
    takes more than `limit` bytes, and `BadRequest` if the file cannot be read."""
    with _readable():
        whole = _opened(file)
        check_metadata(size, whole)
        refuse_counted_labels((whole.schema_arrow.metadata or {}).get(b"pandas", b""))
        groups = whole.metadata.num_row_groups
        leaves = leaves_by_column(whole, whole.schema_arrow)
    for group in range(groups):
        with _readable():
            rows = _rows_at_once(whole, group, limit)
            _measure(file, whole, group, rows, limit)
        for table in _tables(file, whole, group, rows):
            yield Content(table, leaves, NAME)


@contextmanager
def _readable() -> Iterator[None]:
    """Raises `BadRequest` in place of the many exceptions of pyarrow."""
    import pyarrow

    try:
        yield
    except ApiError:
        raise
    except pyarrow.ArrowNotImplementedError as error:
        raise BadRequest("the Parquet file holds a type that cannot be read") from error
    except Exception as error:
        raise BadRequest("the body is not a Parquet file that can be read in chunks") from error


def _opened(file: RawIOBase, **options: Any) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False, **options)


def _rows_at_once(whole: Any, group: int, limit: int) -> int:
    """How many rows of a row group are read at a time. Raises `PayloadTooLarge` if the arrays of
    all its rows take too many bytes: how many those of one row take is not known."""
    described = whole.metadata.row_group(group)
    columns = [described.column(place) for place in range(described.num_columns)]
    leaves = schema_columns(whole)
    nested = sum(
        column.num_values * width_of(leaf)
        for column, leaf in zip(columns, leaves, strict=True)
        if leaf.max_repetition_level
    )
    fixed = sum(8 + max(leaf.length, 0) for leaf in leaves)  # `length`: of values of a fixed size
    refuse_long_row(max(fixed, nested), limit)
    decoded = max(described.total_byte_size, nested)
    width: int = max(fixed, decoded // max(described.num_rows, 1))
    return max(1, min(MOST_ROWS, BATCH // width))


def _measure(file: RawIOBase, whole: Any, group: int, rows: int, limit: int) -> None:
    """Raises `PayloadTooLarge` if the texts of a batch take too many bytes. For this they are read
    as dictionaries, which hold equal texts once."""
    described = whole.metadata.row_group(group)
    columns = (described.column(place) for place in range(described.num_columns))
    texts = sorted(c.path_in_schema for c in columns if c.physical_type == "BYTE_ARRAY")
    if not texts:
        return
    folded = _opened(file, read_dictionary=texts)
    for batch in _batches(folded, group, rows, columns=texts):
        refuse_long_row(sum(map(text_size, batch.columns)), limit)


def _tables(file: RawIOBase, whole: Any, group: int, rows: int) -> Iterator[Any]:
    """The rows of a row group as tables."""
    coarse = _batches(_opened(file, coerce_int96_timestamp_unit="ms"), group, rows)
    has_old_dates = "INT96" in {column.physical_type for column in schema_columns(whole)}
    batches = _batches(whole, group, rows)
    while True:
        with _readable():
            if (batch := next(batches, None)) is None:
                return
            table = _checked(batch)
            if has_old_dates:
                table = with_all_dates(table, _checked(next(coarse)))
        yield table


def _batches(file: Any, group: int, rows: int, columns: Sequence[str] | None = None) -> Any:
    return file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def _checked(batch: Any) -> Any:
    import pyarrow

    table = pyarrow.Table.from_batches([batch])
    table.validate(full=True)
    return table
