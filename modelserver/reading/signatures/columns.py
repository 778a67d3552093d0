"""Models that declare columns: those of a table, or the one that MLflow makes from a type hint.

For a model with the columns of a table, every input form becomes a table, and the table becomes the
declared DataFrame. For a model with a type hint, MLflow itself checks and converts the values, so
they are passed on unchanged; the column is used for files and for the OpenAPI document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading.signatures.signature import LLM_KEYS, Payload, Signature, count_rows
from modelserver.reading.wrappings import wrapping_advice
from modelserver.types.frames import Columns
from modelserver.types.kind import Kind, what_is
from modelserver.types.params import Params
from modelserver.types.tables import Table, read_columns, read_records, read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSignature(Signature):
    """A model that takes DataFrames with declared columns."""

    typed = True
    columns: Columns

    @classmethod
    def of(cls, columns: Columns, params: Params) -> "ColumnSignature":
        """The signature of these columns and params."""
        return cls(
            params=params,
            columns=columns,
            names=frozenset(columns.kinds),
            kinds=columns.kinds,
            chat_keys=frozenset(LLM_KEYS) & columns.kinds.keys(),
            numbers="d" if columns.only_numbers else None,
            exact_integers=columns.takes_anything,
            nan_is_null=columns.only_scalars,
        )

    def read_inputs(self, value: Any, params: Any) -> Payload:
        """The value of `inputs`, read as `table_of` says."""
        return self.read_table(table_of("inputs", value, self.columns), params)

    def read_instances(self, value: Any, params: Any) -> Payload:
        """The value of `instances`, read as `table_of` says."""
        return self.read_table(table_of("instances", value, self.columns), params)

    def from_table(self, table: Table) -> pd.DataFrame:
        """A DataFrame with the declared columns in order, each with its type."""
        return self.columns.frame(table)

    def misfit(self, nested: bool, tensors: bool) -> str:
        """The first column of arrays, objects or maps, if the format cannot hold them."""
        return "" if nested else _nested_column(self.columns)

    def split_chat(self, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The columns and the params in the body of a chat; params may also be under `params`.
        Nulls in optional columns are left out: clients send them, and MLflow refuses some of
        them."""
        data, given = Signature.split_chat(self, body)
        optional = {str(column.name) for column in self.columns.optional()}
        data = {k: v for k, v in data.items() if v is not None or k not in optional}
        more = None if "params" in self.columns.positions else data.pop("params", None)
        return data, given | (more if isinstance(more, dict) else {})

    def bare_records(self, body: Any) -> list[Any] | None:
        """Also a single record: an object with a column's name among its keys. Unless MLflow reads
        such an object as one row, it may mean columns if all its values are arrays or objects."""
        if not isinstance(body, dict):
            return Signature.bare_records(self, body)
        if self.chat_keys or body.keys().isdisjoint(self.names):
            return None
        may_be_columns = all(isinstance(cell, (list, dict)) for cell in body.values())
        return None if may_be_columns and not self.columns.one_row else [body]

    @property
    def kinds_of(self) -> Callable[[Sequence[Any]], Sequence[Kind | None]] | None:
        """The kinds of columns, by the signature."""
        return self.columns.kinds_for

    def advice(self, body: Any, forms: Sequence[str]) -> str:
        """The advice how to wrap the body. If a chat model gets an array, it is probably the array
        of messages."""
        if isinstance(body, list) and self.chat_keys:
            return f". Send the whole body as the value of '{forms[0]}'"
        return wrapping_advice(body, forms, self.names, self.columns.one_row)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeHintSignature(Signature):
    """A model whose `predict` takes a list of values with its type hint."""

    column: Columns
    """The one column that MLflow makes of the type hint."""

    @classmethod
    def of(cls, column: Columns, params: Params) -> "TypeHintSignature":
        """The signature of this column and params."""
        return cls(params=params, column=column, names=frozenset(column.kinds), kinds=column.kinds)

    def read_inputs(self, value: Any, params: Any) -> Payload:
        """The values unchanged."""
        return Payload(value, self.params.read(params), count_rows(value))

    def read_split(self, value: Any, params: Any) -> Payload:
        """Raises `InvalidInput`: a type hint has no columns, so no form of a table is accepted."""
        raise InvalidInput("the model is typed by a type hint: send its values under 'inputs'")

    read_records = read_instances = read_split

    def from_table(self, table: Table) -> pd.DataFrame:
        """A DataFrame with the single column of a file, with the type of the hint."""
        return self.column.frame(table)

    def misfit(self, nested: bool, tensors: bool) -> str:
        """The column, if it holds arrays, objects or maps and the format cannot."""
        return "" if nested else _nested_column(self.column)

    def advice(self, body: Any, forms: Sequence[str]) -> str:
        """The advice to send an array under `inputs`, the only form."""
        return ". Send the values in an array under 'inputs'"


def table_of(form: str, value: Any, columns: Columns) -> Table:
    """The value of `inputs` or `instances` (`form`) as the table that MLflow would make of it for
    these columns. Raises `BadRequest`."""
    if isinstance(value, dict):
        if columns.one_row:
            return Table(list(value), 1, columns=[[cell] for cell in value.values()])
        if columns.params & value.keys():  # misplaced params are refused later, with any length
            value = {k: None if k in columns.params else cells for k, cells in value.items()}
        return read_columns(form, value)
    if not isinstance(value, list):
        if columns.named:
            raise BadRequest(f"'{form}' must be an array or an object, not {what_is(value)}")
        value = [value]
    if value and isinstance(value[0], dict):
        return read_records(value, form, same_keys=form == "instances")
    if columns.named and len(columns.columns) == 1:
        return Table(columns.names, len(value), columns=[value])
    return read_rows(form, value, None)


def _nested_column(columns: Columns) -> str:
    """The first column with other values than scalars, in words; empty if there is none."""
    if columns.only_scalars:
        return ""
    column = next(column for column in columns.columns if not column.kind.is_scalar)
    return f"column {column.name!r} takes {column.kind.expects}"
