"""What pyarrow read from a body: the contract between the readers of formats and `reader`."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

Column: TypeAlias = Any
"""A column of pyarrow, or a piece of one: a `ChunkedArray` or an `Array`. pyarrow has no types."""

UNREADABLE: Final = "the {} holds columns that cannot be read: {}"


class Content(NamedTuple):
    """The content of a body. `table`: the `pyarrow.Table`, checked; `leaves`: for each of its
    columns the Parquet logical types of the columns without parts that make it up, as `cells` needs
    them; `name`: how messages call the body."""

    table: Any
    leaves: Sequence[Sequence[str]]
    name: str
