"""Tables to DataFrames: the signature's columns in order, with the types that MLflow would give.

In: a `Table`. Out: the DataFrame that the model gets. Missing or unknown columns, and all cells
that do not fit, raise `InvalidInput` with one detail per fault.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from modelserver.errors import LIMIT, BadRequest, InvalidInput, bad_values, spread
from modelserver.types.fast_blocks import (
    block_of,
    frame_of,
    frame_of_block,
    group_by_type,
    labels_of,
    plain_columns,
)
from modelserver.types.kind import Array, BadCells, Code, Kind, what_is
from modelserver.types.names import (
    are_params,
    clipped,
    listed,
    not_taken,
    quoted,
    suggested,
)
from modelserver.types.tables import NO_ROWS, Table

CARRIED: Final = "?include= with their names carries further columns into the answer"
"""The advice for columns that the model does not take, if nothing else is wrong."""


NULL: Final = what_is(None)

NO_GAPS: Final = (
    ". A required column of this type has no missing values: send a value, or leave out the row; a "
    "model takes them that is logged with an optional column, or with doubles in place of integers"
)
"""The advice for null where the model cannot get it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input column."""

    name: Hashable
    kind: Kind
    required: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """A column signature. `of` makes one and computes the fields that follow from its columns."""

    columns: tuple[Column, ...]
    named: bool
    params: frozenset[str]
    """The names of the model's params, except those that are also the name of a column."""
    names: tuple[Hashable, ...]
    index: pd.Index
    positions: Mapping[str, int]
    one_row: bool
    """Whether an object under `inputs` is one row: MLflow's rule if a column has arrays or
    objects."""
    takes_anything: bool
    """Whether a column takes any value, or contains values of any type."""
    only_numbers: bool
    only_scalars: bool
    only_doubles: bool
    groups: Mapping[Code, Sequence[int]]
    """The positions of the columns that are read together (`fast_blocks.py`)."""
    filled: frozenset[Hashable] = frozenset()
    """The optional columns that are filled with missing values for the model if they are absent."""

    @classmethod
    def of(cls, columns: Sequence[Column], named: bool, params: Collection[str] = ()) -> "Columns":
        """The column signature of these columns, for a model with these params."""
        names = tuple(column.name for column in columns)
        positions = {str(name): position for position, name in enumerate(names)}
        return cls(
            columns=tuple(columns),
            named=named,
            params=frozenset(params) - positions.keys(),
            names=names,
            index=pd.Index(names),
            positions=positions,
            one_row=any(column.kind.one_row for column in columns),
            takes_anything=any(column.kind.takes_anything for column in columns),
            only_numbers=all(column.kind.is_numeric for column in columns),
            only_scalars=all(column.kind.is_scalar for column in columns),
            only_doubles=all(column.kind.plain == "d" for column in columns),
            groups=group_by_type([column.kind for column in columns]),
        )

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds by the columns' names, written as texts; empty if the columns have no names."""
        return {str(column.name): column.kind for column in self.columns if self.named}

    def frame(self, table: Table) -> pd.DataFrame:
        """The table as the model gets it: the signature's columns in order, typed.

        Raises one `InvalidInput` for all missing and unknown columns and all bad cells.
        """
        if table.length == 0:
            raise InvalidInput(NO_ROWS)
        table = table.without_row_names(self.positions if self.named else ())
        order, mismatch = self._order(table)
        if self.only_doubles and table.rows is not None and mismatch is None:
            block = block_of(table.rows, order)
            if block is not None:
                return frame_of_block(
                    block, self._names_of(table, order), labels_of(table.index, table.length)
                )
        columns = self._typed(table, order, mismatch)
        labels = labels_of(table.index, table.length)
        if not columns:  # all are optional, and none was sent
            return pd.DataFrame(index=labels)
        return frame_of(columns, self._names_of(table, order), labels)

    def _names_of(self, table: Table, order: Sequence[int | None]) -> "pd.Index[Any]":
        """The names of the columns that the model gets."""
        if not self.named:
            return pd.Index(list(table.names))
        if None in order:
            places = zip(self.columns, order, strict=True)
            return self.index[[p is not None or c.name in self.filled for c, p in places]]
        return self.index.view()  # a model may set the name of its index; ours keeps its own

    def _typed(
        self, table: Table, order: Sequence[int | None], mismatch: "Mismatch | None"
    ) -> dict[int, Array]:
        """The signature's columns that were sent, by position. Raises one `InvalidInput` for all
        bad cells and for `mismatch`, the missing and unknown columns, if there are any."""
        rows = table.rows if isinstance(table.rows, list) else []
        plain = plain_columns(rows, self.groups, order) if rows else {}
        cells = table.cells(p for place, p in enumerate(order) if place not in plain)
        columns: dict[int, Array] = {}
        bad: list[dict[str, Any]] = []
        for place, (column, position) in enumerate(zip(self.columns, order, strict=True)):
            if position is None:
                if column.name in self.filled:
                    columns[place] = column.kind.make_gaps(table.length)
                continue
            try:
                columns[place] = (
                    plain[place]
                    if place in plain
                    else column.kind.convert(cells[position], column.required)
                )
            except BadCells as error:
                name = column.name if self.named else table.names[position]
                bad += _details(table, name, column.kind, error.cells)
        if mismatch is not None:
            raise mismatch.as_error(bad)
        if bad:
            raise _bad_cells(bad)
        return columns

    def kinds_for(self, names: Sequence[Hashable]) -> list[Kind | None]:
        """The kinds of the columns with these names in a table, None for an unknown name."""
        if not self.named:
            return [column.kind for column in self.columns]
        places = [self.positions.get(str(name)) for name in names]
        return [None if place is None else self.columns[place].kind for place in places]

    def optional(self) -> list[Column]:
        """The columns that may be absent."""
        return [column for column in self.columns if not column.required and self.named]

    def may_be_missing(self) -> list[Hashable]:
        """The names of the columns that may hold missing values."""
        return [c.name for c in self.columns if c.kind.gaps_when_required or not c.required]

    def absent(self, frame: pd.DataFrame) -> list[Hashable]:
        """The names of the optional columns that the table lacks."""
        return [column.name for column in self.optional() if column.name not in frame]

    def with_gaps(self, frame: pd.DataFrame, names: Collection[Hashable]) -> pd.DataFrame:
        """The table in the signature's order, with only missing values in the columns `names`."""
        cells = {
            column.name: column.kind.make_gaps(len(frame))
            if column.name in names
            else frame[column.name].array
            for column in self.columns
            if column.name in names or column.name in frame
        }
        return pd.DataFrame(cells, index=frame.index)

    def _order(self, table: Table) -> "tuple[list[int | None], Mismatch | None]":
        """The position in the table of each column of the signature, None for an absent one; and
        the missing and unknown columns, if there are any."""
        in_order: list[int | None] = list(range(len(self.columns)))
        if not self.named:
            if len(table.names) != len(self.columns):
                raise InvalidInput(
                    f"the model takes {len(self.columns)} columns, got {len(table.names)}"
                )
            return in_order, None
        if not table.named and self.names != tuple(range(len(self.names))):
            raise InvalidInput(
                "the rows have no names, which the model needs: send 'dataframe_split' with "
                f"'columns', or 'dataframe_records'. The model takes: {listed(self.names)}"
            )
        if tuple(table.names) == self.names:
            return in_order, None
        return self._match(table.names)

    def _match(self, names: Sequence[Hashable]) -> "tuple[list[int | None], Mismatch | None]":
        places: list[int | None] = [None] * len(self.columns)
        unknown = []
        for position, name in enumerate(names):
            column = self.positions.get(str(name))
            if column is None:
                unknown.append(name)
            elif places[column] is not None:
                raise BadRequest(f"columns given twice: {quoted(name)}")
            else:
                places[column] = position
        missing = [
            column
            for column, place in zip(self.columns, places, strict=True)
            if place is None and column.required
        ]
        if missing or unknown:
            return places, Mismatch(self.names, self.params, missing, unknown)
        return places, None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The required columns that a table lacks, and the unknown ones that it has. `names` are those
    of the model's columns, `params` those of its params."""

    names: Sequence[Hashable]
    params: Collection[str]
    missing: Sequence[Column]
    unknown: Sequence[Hashable]

    def as_error(self, bad_cells: Sequence[dict[str, Any]] = ()) -> InvalidInput:
        """The error that names these columns, and the bad cells of the other columns."""
        known = [str(name) for name in self.names]
        parts, details = [], []
        if self.missing:
            parts.append("missing columns: " + listed([column.name for column in self.missing]))
            details += [
                {"column": column.name, "expected": column.kind.expects, "found": "nothing"}
                for column in self.missing
            ]
        if params := [name for name in self.unknown if name in self.params]:
            parts.append(are_params(params))
            details += [{"column": clipped(name), "found": "a param"} for name in params[:LIMIT]]
        if unknown := [name for name in self.unknown if name not in self.params]:
            parts.append("unknown columns: " + suggested(unknown, known))
            details += [not_taken("column", name, known) for name in unknown[:LIMIT]]
        if bad_cells:
            parts.append(_bad_cells(bad_cells).message)
        is_extra = len(parts) == 1 and len(unknown) > 0
        advice = f". {CARRIED}" if is_extra else ""
        return InvalidInput(
            f"{'; '.join(parts)}. The model takes: {listed(self.names)}{advice}",
            spread([*details, *bad_cells]),
        )


def _details(
    table: Table, name: Hashable, kind: Kind, cells: Iterable[tuple[int, str]]
) -> Iterable[dict[str, Any]]:
    return (
        {**table.place(row), "column": name, "expected": kind.expects, "found": found}
        for row, found in cells
    )


def _bad_cells(bad: Sequence[dict[str, Any]]) -> InvalidInput:
    """The error for these cells. Null is refused only where a required column cannot hold it."""
    unit = "line" if "line" in bad[0] else "row"
    place = f"{unit} {bad[0][unit]}, column {quoted(bad[0]['column'])}"
    error = bad_values(place, bad)
    advice = NO_GAPS if any(detail["found"] == NULL for detail in bad) else ""
    return InvalidInput(f"{error.message}{advice}", error.details)
