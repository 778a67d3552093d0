"""Models that declare columns: of a table, or the one that MLflow makes of a type hint.

For the first every form becomes a table, and the table the DataFrame that they declare. For the
others MLflow checks and converts values by the hint itself, so these are handed on as they are; the
column says what files and the document hold.
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
    """A model that takes DataFrames of declared columns."""

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
        """See `table_of`."""
        return self.read_table(table_of("inputs", value, self.columns), params)

    def read_instances(self, value: Any, params: Any) -> Payload:
        """See `table_of`."""
        return self.read_table(table_of("instances", value, self.columns), params)

    def from_table(self, table: Table) -> pd.DataFrame:
        """The columns in order, each of its type."""
        return self.columns.frame(table)

    def misfit(self, nested: bool, tensors: bool) -> str:
        """Where there are arrays, objects or maps."""
        return "" if nested else _nested_column(self.columns)

    def split_chat(self, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Params may also stand under `params`. Clients send null for what they leave open, which
        MLflow refuses in some types."""
        data, given = Signature.split_chat(self, body)
        optional = {str(column.name) for column in self.columns.optional()}
        data = {k: v for k, v in data.items() if v is not None or k not in optional}
        more = None if "params" in self.columns.positions else data.pop("params", None)
        return data, given | (more if isinstance(more, dict) else {})

    @property
    def kinds_of(self) -> Callable[[Sequence[Any]], Sequence[Kind | None]]:
        """As the columns say."""
        return self.columns.kinds_of

    def advice(self, body: Any, forms: Sequence[str]) -> str:
        """An array where a chat is wanted is probably its messages."""
        if isinstance(body, list) and self.chat_keys:
            return f". Send the whole body as the value of '{forms[0]}'"
        return wrapping_advice(body, forms, self.names, self.columns.one_row)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeHintSignature(Signature):
    """A model whose `predict` takes a list of what its type hint says."""

    column: Columns
    """The one column that MLflow makes of the type hint."""

    @classmethod
    def of(cls, column: Columns, params: Params) -> "TypeHintSignature":
        """The signature of this column and params."""
        return cls(params=params, column=column, names=frozenset(column.kinds), kinds=column.kinds)

    def read_inputs(self, value: Any, params: Any) -> Payload:
        """The values as they are."""
        return Payload(value, self.params.read(params), count_rows(value))

    def read_split(self, value: Any, params: Any) -> Payload:
        """Refused, as all forms of tables are."""
        raise InvalidInput("the model is typed by a type hint: send its values under 'inputs'")

    read_records = read_instances = read_split

    def from_table(self, table: Table) -> pd.DataFrame:
        """The one column of a file, of the column's type."""
        return self.column.frame(table)

    def misfit(self, nested: bool, tensors: bool) -> str:
        """Where there are arrays, objects or maps."""
        return "" if nested else _nested_column(self.column)

    def advice(self, body: Any, forms: Sequence[str]) -> str:
        """There is one form only."""
        return ". Send the values in an array under 'inputs'"


def table_of(form: str, value: Any, columns: Columns) -> Table:
    """`inputs` or `instances` as the table that MLflow would make of it for these columns."""
    if isinstance(value, dict):
        if columns.one_row:
            return Table(list(value), 1, columns=[[cell] for cell in value.values()])
        if columns.params & value.keys():  # they are refused, whatever their lengths are
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
    """The first column that is not of single values, in words; empty where there is none."""
    if columns.only_scalars:
        return ""
    column = next(column for column in columns.columns if not column.kind.is_scalar)
    return f"column {column.name!r} takes {column.kind.expects}"
