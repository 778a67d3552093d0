"""Models typed by tensors: every form becomes an array, or an object of arrays by name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from modelserver.errors import InvalidInput
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.kind import Code
from modelserver.types.names import are_params
from modelserver.types.params import Params
from modelserver.types.tables import Table
from modelserver.types.tensors import Tensor, read_instances, read_tensors, tensors_from_table

NUMBERS: Final[Mapping[str, Code]] = {"f": "d", "i": "q", "u": "q"}
"""The type as which numbers are read, by NumPy's kind of the tensor's dtype."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSignature(Signature):
    """A model that takes NumPy arrays of declared dtypes and shapes."""

    typed = True
    tensors: tuple[Tensor, ...]

    @classmethod
    def of(cls, tensors: Sequence[Tensor], params: Params) -> "TensorSignature":
        """The signature of these tensors and params."""
        alone = tensors[0] if len(tensors) == 1 else None
        return cls(
            params=params,
            tensors=tuple(tensors),
            names=frozenset(str(tensor.name) for tensor in tensors if tensor.name is not None),
            numbers=NUMBERS.get(alone.dtype.kind) if alone else None,
            exact_integers=False,
        )

    def read_inputs(self, value: Any, params: Any) -> Payload:
        """An array, or an object of arrays by name."""
        return self._read(read_tensors, value, params)

    def read_instances(self, value: Any, params: Any) -> Payload:
        """An array of rows, which may be objects."""
        return self._read(read_instances, value, params)

    def from_table(self, table: Table) -> Any:
        """The tensors in a table, whose cells are scalars or arrays."""
        self._refuse_params_among(table.names)
        return tensors_from_table(self.tensors, table)

    def misfit(self, nested: bool, tensors: bool) -> str:
        """Says that the model takes tensors, if the format cannot hold them."""
        return "" if tensors else "the model takes tensors"

    def _read(self, to_tensors: Callable[..., Any], value: Any, params: Any) -> Payload:
        first = value[0] if isinstance(value, list) and value else value
        self._refuse_params_among(first if isinstance(first, dict) else ())
        data, read = self.read_beside(params, partial(to_tensors, self.tensors), value)
        array = next(iter(data.values())) if isinstance(data, dict) else data
        return Payload(data, read, len(array) if array.ndim else 1, typed=True)

    def _refuse_params_among(self, sent: Iterable[Any]) -> None:
        if misplaced := [n for n in sent if n in self.params.names and n not in self.names]:
            raise InvalidInput(are_params(misplaced))
