"""Tensor signatures: nested JSON arrays, or a table, to the NumPy arrays that a model declares.

NumPy parses a tensor as a whole; its elements are then converted by the rules of the type table,
without loss. The shape must be the declared one, in which -1 stands for any size, as in
`mlflow.models.utils._enforce_tensor_schema`. Faults raise `InvalidInput` with the index of each.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import BadRequest, InvalidInput, bad_values, combined
from modelserver.types.kind import Array, BadCells, Cells, Kind, Unfit, objects, what_is
from modelserver.types.names import listed, suggested
from modelserver.types.tables import NO_ROWS, ROW_NAMES, Table, other_keys
from modelserver.types.text_arrays import as_array, refuse_many, refuse_wide
from modelserver.types.type_table import KINDS, float_kind, integer_kind

Tensors: TypeAlias = NDArray[Any] | dict[str, NDArray[Any]]
"""What a model with a tensor signature gets: one array, or arrays by name."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One declared tensor: a NumPy dtype and a shape in which -1 stands for any size."""

    name: str | None
    dtype: "np.dtype[Any]"
    shape: tuple[int, ...]
    convert: Callable[[Any], NDArray[Any]]

    @classmethod
    def compile(cls, spec: Mapping[str, Any]) -> "Tensor":
        """The tensor, from its spec in a signature's JSON."""
        dtype = np.dtype(spec["tensor-spec"]["dtype"])
        shape = tuple(spec["tensor-spec"]["shape"])
        return cls(spec.get("name"), dtype, shape, _converter(dtype, spec.get("name")))

    def read(self, value: Any) -> NDArray[Any]:
        """Nested arrays of JSON values as one array of the declared dtype and shape. Raises
        `InvalidInput`."""
        return self._shaped(self.convert(value))

    def read_column(self, cells: Sequence[Any]) -> NDArray[Any]:
        """The tensor from a column of a table: a scalar or flat list (in C order) per row. Raises
        `InvalidInput`."""
        if self.shape[:1] != (-1,) or -1 in self.shape[1:]:
            raise InvalidInput(
                f"{_label(self.name)} of shape {self.shape} cannot be sent as a table; use 'inputs'"
            )
        array = self.convert(cells)
        size = int(np.prod(self.shape[1:], dtype=int))
        if array.size != size * len(cells):
            raise InvalidInput(
                f"{_label(self.name)}: each row must hold {size} values, see its shape"
            )
        return array.reshape((len(cells), *self.shape[1:]))

    def _shaped(self, array: NDArray[Any]) -> NDArray[Any]:
        if self.dtype == object and self.shape == (-1,):
            return array  # MLflow's way to declare ragged input
        fits = len(array.shape) == len(self.shape) and all(
            declared in (-1, size) for declared, size in zip(self.shape, array.shape, strict=True)
        )
        if not fits:
            raise InvalidInput(
                f"{_label(self.name)}: expected shape {self.shape}, found {array.shape}",
                [{"tensor": self.name, "expected": str(self.shape), "found": str(array.shape)}],
            )
        return array


def read_tensors(tensors: Sequence[Tensor], value: Any) -> Tensors:
    """Reads `inputs` for a tensor signature: one array, or an object of arrays by name."""
    first = tensors[0]
    if first.name is None:
        if isinstance(value, dict):
            raise InvalidInput("the model takes one unnamed tensor: send an array, not an object")
        return first.read(value)
    if len(tensors) == 1 and not isinstance(value, dict):
        value = {first.name: value}
    if not isinstance(value, dict):
        raise InvalidInput(f"expected an object of tensors by name, found {what_is(value)}")
    return _read_named(tensors, value, Tensor.read)


def _read_named(
    tensors: Sequence[Tensor], values: Mapping[Any, Any], read: Callable[[Tensor, Any], Any]
) -> dict[str, NDArray[Any]]:
    """Reads each tensor from the value with its name. Raises `InvalidInput` for all faults at
    once."""
    faults: list[BadRequest] = _misnamed(tensors, list(values))
    arrays = {}
    for tensor in tensors:
        try:
            if tensor.name in values:
                arrays[str(tensor.name)] = read(tensor, values[tensor.name])
        except BadRequest as fault:
            faults.append(fault)
    if faults:
        raise combined(faults)
    return arrays


def read_instances(tensors: Sequence[Tensor], value: Any) -> Tensors:
    """Reads `instances` for a tensor signature: an array of rows. Rows that are objects become one
    array per key."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        for row, item in enumerate(value):
            if not isinstance(item, dict) or item.keys() != value[0].keys():
                raise InvalidInput(other_keys(row, "instances"))
        known = [tensor.name for tensor in tensors]
        names = [name for name in value[0] if name != ROW_NAMES or name in known]
        value = {name: [item[name] for item in value] for name in names}
    return read_tensors(tensors, value)


def tensors_from_table(tensors: Sequence[Tensor], table: Table) -> Tensors:
    """Tensors from a table: `dataframe_split`, `dataframe_records` or Parquet."""
    if table.length == 0:
        raise InvalidInput(NO_ROWS)
    table = table.without_row_names([tensor.name for tensor in tensors])
    columns = dict(zip(table.names, map(_plain, table.by_column()), strict=True))
    first = tensors[0]
    if first.name is not None:
        return _read_named(tensors, columns, Tensor.read_column)
    if len(columns) == 1:
        return first.read_column(next(iter(columns.values())))
    return first.read(list(map(list, zip(*columns.values(), strict=True))))


def _plain(cells: Any) -> Sequence[Any]:
    """The cells as a list; date-times without their time zone, since NumPy has none."""
    zoned = isinstance(getattr(cells, "dtype", None), pd.DatetimeTZDtype)
    return list(cells.tz_convert(None) if zoned else cells)


def _misnamed(tensors: Sequence[Tensor], given: Sequence[Any]) -> list[BadRequest]:
    """One fault for all missing and unknown names; empty if there are none."""
    names = [str(tensor.name) for tensor in tensors]
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if not missing and not unknown:
        return []
    faults = [f"missing {listed([name])}" for name in missing]
    faults += [f"unknown {suggested(unknown, names)}"] if unknown else []
    return [InvalidInput(f"tensors: {', '.join(faults)}. The model takes: {listed(names)}")]


def _label(name: str | None) -> str:
    return "the tensor" if name is None else f"tensor {name!r}"


def _converter(dtype: "np.dtype[Any]", name: str | None) -> Callable[[Any], NDArray[Any]]:
    kind = dtype_kind(dtype)
    label = _label(name)

    def convert(value: Any) -> NDArray[Any]:
        if kind is None:
            return _cast(value, dtype, label)
        try:
            array = as_array(value)
        except ValueError:
            place = _ragged(value, ())
            fault = f"ragged: {place}" if place else "nested too deeply"
            raise InvalidInput(f"{label} is {fault}") from None
        if array.size == 0:
            raise InvalidInput(f"{label} is empty")
        refuse_many(array.size, label, dtype)
        if array.dtype.kind not in ("biu" if dtype.kind in "iu" else "biuf") or dtype.kind == "U":
            array = np.asarray(value, object)  # the elements before NumPy gave them one type
        try:
            cells = np.asarray(kind.convert(array.ravel()))
            refuse_wide(cells, label, dtype)
            return cells.astype(dtype).reshape(array.shape)
        except BadCells as error:
            raise bad_elements(label, name, kind.expects, error.cells, array.shape) from None

    return convert


def _cast(value: Any, dtype: "np.dtype[Any]", label: str) -> NDArray[Any]:
    refuse_wide(value, label, dtype)
    try:
        with np.errstate(over="ignore"):
            array = np.array(value, dtype)
        if dtype.kind in "Sc" and not _holds(array, np.array(value, object)):
            raise ValueError("NumPy makes texts of all, and cuts what is too long")
        return array
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(f"{label}: the values are not of type {dtype.name}") from None


def _holds(array: NDArray[Any], sent: NDArray[Any]) -> bool:
    """Whether an array of bytes or complex numbers equals what was sent."""
    types = set(map(type, sent.ravel().tolist()))
    if array.dtype.kind == "c":
        infinite = np.isinf(sent.astype(float)) if types <= {int, float} else None
        return infinite is not None and bool((np.isinf(array) == infinite).all())
    return types <= {str, bytes} and array.astype(object).ravel().tolist() == [
        cell if isinstance(cell, bytes) else cell.encode() for cell in sent.ravel().tolist()
    ]


def dtype_kind(dtype: "np.dtype[Any]") -> Kind | None:
    """The `Kind` of a dtype's elements; None for dtypes that NumPy converts itself (object, bytes,
    …)."""
    name = f"a number of type {dtype.name}"
    if dtype.kind == "f":
        return float_kind(dtype.name, dtype, name)
    if dtype.kind in "iu":
        return integer_kind(dtype.name, dtype, name)
    if dtype.kind == "M":
        return replace(KINDS["datetime"], parse=_moments(dtype))
    if dtype.kind == "U":
        return replace(TEXTS, parse=_texts_of(dtype.itemsize // 4))
    return BOOLEANS if dtype.kind == "b" else None


def _moments(dtype: "np.dtype[Any]") -> Callable[[Cells], Array]:
    """The parser of date-times. It refuses those that are finer than the dtype's unit."""

    def parse(cells: Cells) -> Array:
        moments = np.asarray(KINDS["datetime"].parse(cells))
        if (moments.astype(dtype) != moments).any():
            raise Unfit(f"a time finer than {dtype.name} holds")
        return moments

    return parse


def _texts(cells: Cells) -> Array:
    if any(cell is None for cell in cells):
        raise Unfit("null")  # a NumPy text array has no missing values
    return objects(KINDS["string"].parse(cells))


# NumPy's booleans have no missing values either.
BOOLEANS: Final = replace(KINDS["boolean"], gaps_when_required=False)


def _texts_of(width: int) -> Callable[[Cells], Array]:
    """The parser of texts with at most `width` letters; 0 means any length."""

    def parse(cells: Cells) -> Array:
        found = _texts(cells)
        if width and max(map(len, found)) > width:
            raise Unfit(f"text of more than {width} letters")
        return found

    return parse


TEXTS: Final = replace(KINDS["string"], parse=_texts, gaps_when_required=False)


def bad_elements(
    label: str,
    name: str | None,
    expects: str,
    cells: Sequence[tuple[int, str]],
    shape: tuple[int, ...],
) -> InvalidInput:
    """The error for elements of a tensor that are not what is expected. `cells`: the place of each
    in row-major order, and what was found there."""
    details = []
    for place, found in cells:
        index = [int(i) for i in np.unravel_index(place, shape)]
        details.append({"tensor": name, "index": index, "expected": expects, "found": found})
    return bad_values(f"{label} at {details[0]['index']}", details)


def _ragged(value: Any, at: tuple[int, ...]) -> str:
    """The first place where nested arrays differ in length, in words; empty if there is none."""
    sizes = [len(item) if isinstance(item, list) else None for item in value]
    for position, size in enumerate(sizes):
        if size != sizes[0]:
            here = [*at, position]
            return f"{here} holds {_sized(size)}, {[*at, 0]} holds {_sized(sizes[0])}"
    for position, item in enumerate(value):
        if isinstance(item, list) and (found := _ragged(item, (*at, position))):
            return found
    return ""


def _sized(size: int | None) -> str:
    return "a single value" if size is None else f"{size} values"
