"""Columns of a request that are to stand in its answer, for a model with named columns.

They are taken off the table before the signature reads it, so a column that the model does not take
may be among them. Numbers and booleans that the model takes get the type of their column, whatever
other cells hold; all other cells stay as they were sent. The readers notice nothing: they get a
signature, which `including` makes for the one request.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from modelserver.errors import BadRequest
from modelserver.reading.signatures.columns import ColumnSignature
from modelserver.reading.signatures.plain_numbers import all_digits, plain
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import Cells, JsonType, Kind
from modelserver.types.names import MOST_GUESSES, hint, quoted, suggested
from modelserver.types.tables import ROW_NAMES, Table, refuse_repeated
from modelserver.types.type_table import KINDS

ALL: Final = ("inputs",)
"""The names that mean all columns of the request."""

EVERY: Final = f"; include={ALL[0]} means all columns"

NESTED: Final = frozenset({list, dict})

OBJECTS: Final = np.dtype(object)

DEEPEST: Final = 60
"""The most levels of arrays and objects in a carried cell: all formats of answers hold as many."""

WIDEST: Final[Mapping[JsonType | None, Kind]] = {
    "integer": KINDS["long"],
    "number": KINDS["double"],
    "boolean": KINDS["boolean"],
}
"""The type of a carried column, by the JSON type of the model's. A double does not show the digits
by which a 32-bit float differs from the number that was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludingSignature(ColumnSignature):
    """The signature of a model, for a request whose columns `include` stand in its answer."""

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
        payload = ColumnSignature.read_table(self, rest, params)
        typed = {name: _typed(cells, self.kinds.get(name)) for name, cells in carried.items()}
        return replace(payload, carried=typed)

    def _all(self, names: Sequence[str]) -> Sequence[str]:
        """The names of all columns, but for those that are probably misspelt: the signature refuses
        what is not carried."""
        further = [name for name in names if name not in self.columns.positions]
        absent = self.columns.positions.keys() - set(names)
        if len(further) * len(absent) > MOST_GUESSES:
            further = []
        misspelt = {name for name in further if hint(name, [*absent])}
        return [name for name in (*names, *self.known) if name not in misspelt]

    def read_chat(self, body: dict[str, Any]) -> Payload:
        """Raises `BadRequest`: a chat has no columns."""
        raise BadRequest("'include' needs a table, and a chat is none")


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
        nan_is_null=signature.nan_is_null,
        include=include,
    )


def _carried(
    table: Table, names: Sequence[str], wanted: Iterable[str], known: Collection[str]
) -> Mapping[str, Cells]:
    """The cells of the wanted columns by name, as they were sent. Those that are `known` may be
    absent. Raises `BadRequest`, also for cells that no answer can hold."""
    places = {name: place for place, name in enumerate(names)}
    if missing := [name for name in wanted if name not in places and name not in known]:
        alone = f"; {ALL[0]!r} alone means all" if ALL[0] in missing else EVERY
        raise BadRequest(
            f"'include' names columns that the request lacks: {suggested(missing, names)}{alone}"
        )
    columns = table.cells(places.get(name) for name in wanted)
    gaps: Cells = [None] * table.length
    carried = {name: columns[places[name]] if name in places else gaps for name in wanted}
    for name, cells in carried.items():
        if _hold_nested(cells) and any(_is_deep(cell, DEEPEST + 1) for cell in cells):
            raise BadRequest(f"'include' names a column that is nested too deeply: {quoted(name)}")
    return carried


def _hold_nested(cells: Cells) -> bool:
    """Whether a cell is an array or an object."""
    are_objects = getattr(cells, "dtype", OBJECTS) == OBJECTS
    return are_objects and not NESTED.isdisjoint(map(type, cells))


def _is_deep(value: Any, levels: int) -> bool:
    """Whether a value has as many levels of arrays and objects as these, or more."""
    if type(value) not in NESTED:
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 1 or any(_is_deep(item, levels - 1) for item in items)


def _typed(cells: Cells, kind: Kind | None) -> Cells:
    """The cells with the type of a model's column of this kind; None: the model does not take
    them. Integers beside gaps, and those that were read in arrays and objects, keep all digits."""
    widest = None if kind is None else WIDEST.get(kind.json_type)
    if widest is None:
        return [plain(cell, all_digits) for cell in cells] if kind and kind.parts else cells
    column = widest.convert(cells, required=False)
    if widest is not KINDS["long"] or column.dtype == widest.dtype:
        return column
    return [None if cell != cell else int(cell) for cell in column]
