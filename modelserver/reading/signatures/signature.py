"""The contract of a model's signature: what becomes of each input form, and what comes out of it.

Each of the four ways in which models are typed is a subclass of `Signature`, made once per load.
`input_forms.py` and `json_reader.py` find out what was sent, and call the method that reads it. All
of these raise `BadRequest` for what has not the shape of its form, `InvalidInput` for values that
do not fit. Pure.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, TypeAlias

import pandas as pd

from modelserver.errors import BadRequest, joined
from modelserver.reading.wrappings import wrapping_advice
from modelserver.types.frames import Columns
from modelserver.types.kind import Kind
from modelserver.types.params import Params
from modelserver.types.tables import Table, read_records, read_split
from modelserver.types.tensors import Tensor

Code: TypeAlias = Literal["d", "i"]
"""What a body of nothing but numbers is read as: doubles, or integers of 64 bits."""

LLM_KEYS: Final = ("messages", "prompt", "input")
"""Keys of a body that is itself the input: a chat or completion request."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What `predict` is called with.

    `rows`: how many predictions are asked for, None where that cannot be said. `typed`: the data
    is what the signature demands, nothing is left to check. `wrapped`: the answer stands under
    "predictions".
    """

    data: Any
    params: dict[str, Any] | None = None
    rows: int | None = None
    typed: bool = False
    wrapped: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(ABC):
    """What a model declares of its input. The defaults are those of a model that declares nothing.

    `params` of the readers are those that were sent beside the input, as they were sent.
    """

    typed: ClassVar[bool] = False
    """Whether what is read is all that the signature demands, so that nobody checks it again."""

    params: Params
    columns: Columns | None = None
    """The columns of the DataFrames that the model gets; None if it gets something else."""
    tensors: tuple[Tensor, ...] = ()
    """The tensors that the model gets; none if it gets something else."""
    names: frozenset[str] = frozenset()
    """The names of the columns or tensors, as texts; none where they go by position."""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """How the cells of the columns are converted, by name."""
    chat_keys: frozenset[str] = frozenset()
    """Those of `LLM_KEYS` that make the body itself the input."""
    numbers: Code | None = None
    """As what a body of nothing but numbers may be read; None where it may not."""
    exact_integers: bool = True
    """Whether integers may reach the model unchecked, so that none may be rounded on the way."""
    nan_is_null: bool = False
    """Whether NaN and null mean the same in all columns."""

    def read_split(self, value: Any, params: Any) -> Payload:
        """The value of `dataframe_split`."""
        return self.read_table(read_split(value), params)

    def read_records(self, value: Any, params: Any) -> Payload:
        """The value of `dataframe_records`."""
        return self.read_table(read_records(value), params)

    @abstractmethod
    def read_inputs(self, value: Any, params: Any) -> Payload:
        """The value of `inputs`."""

    @abstractmethod
    def read_instances(self, value: Any, params: Any) -> Payload:
        """The value of `instances`."""

    @abstractmethod
    def from_table(self, table: Table) -> Any:
        """What the model gets for a table, whatever that was sent as."""

    def read_table(self, table: Table, params: Any = None) -> Payload:
        """A table, whatever it was sent as."""
        data, read = self.read_beside(params, self.from_table, table)
        return Payload(data, read, table.length, self.typed)

    def read_file(
        self, read: Callable[[], Table], read_untyped: Callable[[], pd.DataFrame]
    ) -> Payload:
        """A file of a table, by its readers: one to typed cells, one to what pandas makes of it."""
        return self.read_table(read())

    def misfit(self, nested: bool, tensors: bool) -> str:
        """What of the input a format cannot hold, empty for nothing. `nested`, `tensors`: whether
        it can hold such."""
        return ""

    def read_chat(self, body: dict[str, Any]) -> Payload:
        """A body that has one of the `chat_keys`: the input, with params among its keys."""
        data, given = self.split_chat(body)
        return Payload(data, self.params.read(given), rows=1, wrapped=False)

    def split_chat(self, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The input in the body of a chat, and the params."""
        given = {key: value for key, value in body.items() if key in self.params.names}
        return {key: value for key, value in body.items() if key not in given}, given

    @property
    def kinds_of(self) -> Callable[[Sequence[Any]], Sequence[Kind | None]] | None:
        """From the names of columns to how their cells are converted; None where no fast way may
        read a table of plain cells."""
        return None

    def advice(self, body: Any, forms: Sequence[str]) -> str:
        """What would make a body without an input form one of these `forms`: a sentence behind
        another one, or nothing."""
        return wrapping_advice(body, forms, self.names)

    def read_beside(
        self, params: Any, read: Callable[[Any], Any], sent: Any
    ) -> tuple[Any, dict[str, Any] | None]:
        """What `read` makes of what was sent, and the params. Faults of both are told together."""
        try:
            data = read(sent)
        except BadRequest as fault:
            raise joined([fault, *self._faults_of(params)]) from None
        return data, self.params.read(params)

    def _faults_of(self, params: Any) -> list[BadRequest]:
        try:
            self.params.read(params)
        except BadRequest as fault:
            return [fault]
        return []


def count_rows(value: Any) -> int | None:
    """How many predictions a value of `inputs` asks for, if that can be said of it as it is."""
    if isinstance(value, dict):
        lengths = {len(cells) for cells in value.values() if isinstance(cells, list)}
        return lengths.pop() if len(lengths) == 1 else None
    return len(value) if isinstance(value, list) else 1
