"""The contract of a model's signature: how each input form is read, and what the model gets.

Each of the four ways in which models are typed is a subclass of `Signature`, made once per load.
The readers of the formats and `input_forms.py` find out what was sent, and call the method that
reads it. These methods raise `BadRequest` if a value does not have the shape of its form, and
`InvalidInput` if values do not fit the model. Pure.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from modelserver.errors import BadRequest, InvalidInput, combined
from modelserver.reading.signatures.plain_numbers import plain
from modelserver.reading.wrappings import wrapping_advice
from modelserver.types.frames import Columns
from modelserver.types.kind import Cells, Code, Kind
from modelserver.types.params import Params
from modelserver.types.tables import Table, read_records, read_split
from modelserver.types.tensors import Tensor

LLM_KEYS: Final = ("messages", "prompt", "input")
"""The keys of a chat or completion request; a body that has one is itself the input."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What `predict` is called with.

    `rows`: how many predictions are asked for, None if unknown. `typed`: whether the data already
    has the types of the signature, so that nothing is left to check. `wrapped`: whether the answer
    is put under "predictions". `carried`: the columns of the request, by name, that stand before
    the predictions; None if the answer holds the predictions alone. `asked`: what else a protocol's
    answer depends on, as the protocol's own value.
    """

    data: Any
    params: dict[str, Any] | None = None
    rows: int | None = None
    typed: bool = False
    wrapped: bool = True
    carried: Mapping[str, Cells] | None = None
    asked: Any = None

    def with_plain_numbers(self) -> "Payload":
        """The payload without `WholeFloat`, for a body that was read with it."""
        carried = plain(self.carried)
        return replace(self, data=plain(self.data), params=plain(self.params), carried=carried)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(ABC):
    """What a model declares about its input. The defaults are for a model that declares nothing.

    In the methods, `params` are the params as the request has them, unchecked.
    """

    typed: ClassVar[bool] = False
    """Whether the data that is read has the types of the signature and needs no further check."""
    gap: ClassVar[Any] = None
    """What stands for a name that a record lacks."""

    params: Params
    columns: Columns | None = None
    """The columns of the DataFrames that the model gets; None if it gets something else."""
    tensors: tuple[Tensor, ...] = ()
    """The tensors that the model gets; none if it gets something else."""
    names: frozenset[str] = frozenset()
    """The names of the columns or tensors, as texts; empty if they have no names."""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """The kinds of the columns, by name."""
    chat_keys: frozenset[str] = frozenset()
    """Those of `LLM_KEYS` that make a body a chat or completion request for this model."""
    numbers: Code | None = None
    """The type as which a body that holds only numbers may be read at once, doubles or longs; None
    if it may not."""
    exact_integers: bool = True
    """Whether integers may reach the model unchecked, so that reading must not round them."""
    nan_is_null: bool = False
    """Whether NaN and null mean the same in all columns."""

    def read_split(self, value: Any, params: Any) -> Payload:
        """Reads the value of `dataframe_split`."""
        return self.read_table(read_split(value), params)

    def read_records(self, value: Any, params: Any) -> Payload:
        """Reads the value of `dataframe_records`."""
        return self.read_table(read_records(value, gap=self.gap), params)

    @abstractmethod
    def read_inputs(self, value: Any, params: Any) -> Payload:
        """Reads the value of `inputs`."""

    @abstractmethod
    def read_instances(self, value: Any, params: Any) -> Payload:
        """Reads the value of `instances`."""

    @abstractmethod
    def from_table(self, table: Table) -> Any:
        """The model input for a table, in whatever form the table was sent."""

    def read_table(self, table: Table, params: Any = None) -> Payload:
        """Reads a table and its params, in whatever form the table was sent."""
        data, read = self.read_beside(params, self.from_table, table)
        return Payload(data, read, table.length, self.typed)

    def read_file(
        self, read: Callable[[], Table], read_untyped: Callable[[], pd.DataFrame]
    ) -> Payload:
        """Reads a file with a table. `read` gives its cells. `read_untyped` gives the DataFrame
        that pandas makes of it, for a model without a signature; the reader of a format that pandas
        cannot read calls `read_table` instead."""
        return self.read_table(read())

    def misfit(self, nested: bool, tensors: bool) -> str:
        """What a format cannot hold of the model's input, in words; empty if it can hold it.
        `nested` and `tensors`: whether the format can hold these."""
        return ""

    def read_chat(self, body: dict[str, Any]) -> Payload:
        """Reads a body with one of the `chat_keys`: it is the input itself, and params are among
        its keys. Raises `InvalidInput` for a chat without messages."""
        if body.get("messages") == []:
            raise InvalidInput("the chat is empty: 'messages' has none")
        data, given = self.split_chat(body)
        return Payload(data, self.params.read(given), rows=1, wrapped=False)

    def split_chat(self, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The input and the params in the body of a chat."""
        given = {key: value for key, value in body.items() if key in self.params.names}
        return {key: value for key, value in body.items() if key not in given}, given

    @property
    def kinds_of(self) -> Callable[[Sequence[Any]], Sequence[Kind | None]] | None:
        """A function from the names of columns to their kinds, with which a fast way may read a
        table; None if the model takes no table of typed columns."""
        return None

    def bare_records(self, body: Any) -> list[Any] | None:
        """The records that a body without a form holds; None if it may be anything else. An empty
        array holds none, whatever it was to hold."""
        is_array = isinstance(body, list) and (not body or isinstance(body[0], dict))
        return body if is_array and self.names and not self.chat_keys else None

    def advice(self, body: Any, forms: Sequence[str]) -> str:
        """The advice how to make a body valid that has none of the input `forms`: the continuation
        of a message, empty if there is no advice."""
        return wrapping_advice(body, forms, self.names)

    def read_beside(
        self, params: Any, read: Callable[[Any], Any], sent: Any
    ) -> tuple[Any, dict[str, Any] | None]:
        """What `read` makes of the input `sent`, and the params. Faults of both are raised as one
        error."""
        try:
            data = read(sent)
        except BadRequest as fault:
            raise combined([fault, *self._faults_of(params)]) from None
        return data, self.params.read(params)

    def _faults_of(self, params: Any) -> list[BadRequest]:
        try:
            self.params.read(params)
        except BadRequest as fault:
            return [fault]
        return []


def count_rows(value: Any) -> int | None:
    """How many predictions a value of `inputs` asks for; None if its shape does not show it."""
    if isinstance(value, dict):
        arrays = [cells for cells in value.values() if isinstance(cells, (list, np.ndarray))]
        lengths = set(map(len, arrays))
        return lengths.pop() if len(lengths) == 1 else None
    return len(value) if isinstance(value, (list, np.ndarray)) else 1
