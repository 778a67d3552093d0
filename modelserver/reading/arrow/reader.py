"""Parquet and Arrow: the bytes of a body to a `Payload`, a `Table` or a DataFrame.

The columns keep the types that the body gives them; integers with gaps stay integers. If pandas
wrote it, names and row labels are those of pandas.
"""

from collections.abc import Container, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from modelserver.errors import BadRequest, bad_values
from modelserver.reading.arrow.content import Column, Content
from modelserver.reading.arrow.ipc import read_ipc
from modelserver.reading.arrow.parquet_file import read_file
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import Cells, Unfit
from modelserver.types.names import clipped, listed, quoted
from modelserver.types.tables import NO_ROWS, Table, refuse_repeated


def parquet_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in a Parquet file. Raises `ApiError`."""
    return content_payload(read_file(body, limit), signature)


def arrow_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in an Arrow stream or file. Raises `ApiError`."""
    return content_payload(read_ipc(body, limit), signature)


def content_payload(content: Content, signature: Signature) -> Payload:
    """The model input in what was read. Raises `ApiError`."""
    return signature.read_file(
        lambda: table_of(content, signature.names), lambda: untyped_frame(content)
    )


def table_of(content: Content, known: Container[str] = ()) -> Table:
    """The table in a body. Raises `BadRequest` or `InvalidInput`.

    pandas writes row labels as columns. Row labels become a column of the table if the model has a
    column of their name (`known`).
    """
    table, leaves, _ = content
    names, levels = _names_of_pandas(content)
    named = {str(name) for place, name in enumerate(names) if place not in levels}
    labels = {
        place for place, name in levels.items() if str(name) in named or str(name) not in known
    }
    index = _labels(content, sorted(labels))
    places = [place for place in range(len(names)) if place not in labels]
    columns = [_cells(names[place], table.column(place), leaves[place]) for place in places]
    names = [names[place] for place in places]
    counted = isinstance(index, pd.RangeIndex)  # of such labels pandas writes only the bounds
    if counted and str(index.name) in known and str(index.name) not in named:
        names, columns = [*names, index.name], [*columns, index.to_numpy()]
    refuse_repeated(names)
    if not names or not table.num_rows:
        raise BadRequest(NO_ROWS)
    return Table(names, table.num_rows, columns=columns, index=None if counted else index)


def untyped_frame(content: Content) -> pd.DataFrame:
    """The body as pandas reads it by default, for a model without a signature. Raises
    `BadRequest`."""
    table = content.table
    try:
        frame: pd.DataFrame = table.to_pandas(use_threads=False)
    except Exception as error:
        names = table.column_names
        broken = [name for name in names if not _is_for_pandas(table, name)]
        found = f"holds columns that pandas cannot read: {listed(broken or names)}"
        raise BadRequest(f"the {content.name} {found}") from error
    if frame.empty:
        raise BadRequest(NO_ROWS)
    return frame


def _is_for_pandas(table: Any, name: str) -> bool:
    try:
        table.column(name).to_pandas()
    except Exception:
        return False
    return True


def _names_of_pandas(content: Content) -> tuple[list[Hashable], Mapping[int, Hashable]]:
    """pandas' names of the table's columns in order, and the names of those that are row labels, by
    position."""
    table = content.table
    if b"pandas" not in (table.schema.metadata or {}):
        return list(table.column_names), {}
    try:
        described = table.schema.pandas_metadata["index_columns"]
        places = [table.schema.get_field_index(f) for f in described if isinstance(f, str)]
        empty = table.slice(0, 0).to_pandas()
        levels = dict(zip((p for p in places if p >= 0), empty.index.names, strict=False))
        others = [place for place in range(table.num_columns) if place not in levels]
        names = levels | dict(zip(others, empty.columns, strict=True))
    except Exception as error:
        raise BadRequest(f"what pandas says of the {content.name} cannot be read") from error
    return [names[place] for place in range(table.num_columns)], levels


def _labels(content: Content, places: Sequence[int]) -> "pd.Index[Any]":
    try:
        index: pd.Index[Any] = content.table.select(places).to_pandas(use_threads=False).index
    except Exception as error:
        raise BadRequest(f"the row labels of the {content.name} cannot be read") from error
    return index


def _cells(name: Hashable, column: Column, leaves: Sequence[str]) -> Cells:
    from modelserver.reading.arrow.cells import read_cells

    try:
        return read_cells(column, leaves)
    except Unfit:
        row, found = _first_unfit(column, leaves)
        at = {"row": row, "column": clipped(name)}
        detail = {**at, "expected": "a value that can be read", "found": found}
        raise bad_values(f"row {row}, column {quoted(name)}", [detail]) from None


def _first_unfit(column: Column, leaves: Sequence[str]) -> tuple[int, str]:
    """The row of the first cell that cannot be read, found by halving, and what was found there."""
    from modelserver.reading.arrow.cells import read_cells

    row, found, length = 0, "", len(column)
    while length:
        half = (length + 1) // 2
        try:
            read_cells(column.slice(row, half), leaves)
            row, length = row + half, length - half
        except Unfit as unfit:
            found, length = str(unfit), half if half < length else 0
    return row, found
