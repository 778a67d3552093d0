"""What pyarrow read from a body: the contract between the readers of formats and `reader`."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from modelserver.errors import BadRequest

Column: TypeAlias = Any
"""A column of pyarrow, or a piece of one: a `ChunkedArray` or an `Array`. pyarrow has no types."""

UNREADABLE: Final = "the {} holds columns that cannot be read: {}"


COUNTED_LABELS: Final = b'"kind": "range", "name": "'
"""In a schema, what pandas writes of row labels with a name that only count the rows."""


class Content(NamedTuple):
    """The content of a body. `table`: the `pyarrow.Table`, checked; `leaves`: for each of its
    columns the Parquet logical types of the columns without parts that make it up, as `cells` needs
    them; `name`: how messages call the body."""

    table: Any
    leaves: Sequence[Sequence[str]]
    name: str


def refuse_counted_labels(schema: bytes) -> None:
    """Raises `BadRequest` if pandas wrote in this schema, or in its metadata, that the row labels
    count the rows and have a name: the labels of a chunk cannot be known."""
    if COUNTED_LABELS in schema:
        raise BadRequest("row labels that only count the rows are not read in chunks")
