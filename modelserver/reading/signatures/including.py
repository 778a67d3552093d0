"""Columns of a request that are to stand in its answer, for a model with named columns.

They are taken off the table before the signature reads it, so a column that the model does not take
may be among them. The readers notice nothing: they get a signature, which `including` makes for the
one request.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from modelserver.errors import BadRequest
from modelserver.reading.signatures.columns import ColumnSignature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import Cells
from modelserver.types.names import hint, suggested
from modelserver.types.tables import ROW_NAMES, Table, refuse_repeated

ALL: Final = ("inputs",)
"""The names that mean all columns of the request."""

MOST_GUESSES: Final = 10_000
"""The most pairs of names that are compared to find misspelt ones; it takes 10 µs each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludingSignature(ColumnSignature):
    """The signature of a model, for a request whose columns `include` stand in its answer.

    The fast readers of JSON are not used, since they change the cells to the types of the model.
    """

    include: tuple[str, ...]
    known: tuple[str, ...] = ()
    """The columns that the answer holds in any case: they are missing where the table, which is a
    chunk of a larger one, lacks them."""

    def read_table(self, table: Table, params: Any = None) -> Payload:
        """Takes the columns off the table, and reads what is left of it."""
        if ROW_NAMES not in self.include:
            table = table.without_row_names(self.columns.positions)
        names = [str(name) for name in table.names]
        refuse_repeated(names)
        wanted = self._all(names) if self.include == ALL else self.include
        carried = _carried(table, names, dict.fromkeys(wanted), self.known)
        taken = self.columns.positions
        kept = [p for p, name in enumerate(names) if name in taken or name not in carried]
        rest = table if len(kept) == len(names) else table.only(kept)
        return replace(ColumnSignature.read_table(self, rest, params), carried=carried)

    def _all(self, names: Sequence[str]) -> Sequence[str]:
        """The names of all columns, but for those that are probably misspelt: the signature refuses
        what is not carried."""
        further = [name for name in names if name not in self.columns.positions]
        absent = {str(column.name) for column in self.columns.optional()}.difference(names)
        if len(further) * len(absent) > MOST_GUESSES:
            further = []
        misspelt = {name for name in further if hint(name, [*absent])}
        return [name for name in (*names, *self.known) if name not in misspelt]

    def read_chat(self, body: dict[str, Any]) -> Payload:
        """Raises `BadRequest`: a chat has no columns."""
        raise BadRequest("'include' needs a table, and a chat is none")

    @property
    def kinds_of(self) -> None:
        """None, so that no fast way reads the table."""
        return


def including(signature: Signature, include: tuple[str, ...]) -> IncludingSignature:
    """The signature that also carries these columns. Raises `BadRequest` for a model without named
    columns."""
    if not isinstance(signature, ColumnSignature) or not signature.columns.named:
        raise BadRequest("'include' needs a model that takes a table with named columns")
    return IncludingSignature(
        params=signature.params,
        columns=signature.columns,
        names=signature.names.union(include),
        kinds=signature.kinds,
        chat_keys=signature.chat_keys,
        include=include,
    )


def _carried(
    table: Table, names: Sequence[str], wanted: Iterable[str], known: Collection[str]
) -> Mapping[str, Cells]:
    """The cells of the wanted columns by name, as they were sent. Those that are `known` may be
    absent."""
    places = {name: place for place, name in enumerate(names)}
    if missing := [name for name in wanted if name not in places and name not in known]:
        raise BadRequest(
            f"'include' names columns that the request lacks: {suggested(missing, names)}"
        )
    columns = table.by_column()
    gaps = [None] * table.length
    return {name: columns[places[name]] if name in places else gaps for name in wanted}
