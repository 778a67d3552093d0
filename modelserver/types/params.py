"""Inference params: the `params` of a request against the model's params schema.

In: the decoded `params` object. Out: every declared param with its value or default, as MLflow
hands them over (`mlflow.models.utils._enforce_params_schema`). Types are strict, except that a
float may be sent as an integer, and an integer as 5.0. A null reaches the model as None, not as the
default. Unknown names and wrong types raise `InvalidInput`.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from modelserver.errors import LIMIT, InvalidInput
from modelserver.types.cell_parsers import EXACT, INEXACT, WholeFloat
from modelserver.types.kind import Kind, what_is
from modelserver.types.names import hint, listed, not_taken, quoted
from modelserver.types.nested.fast_values import is_missing
from modelserver.types.nested.kinds import Misplaced, kind_of

NO_PARAMS: Final = "methods other than 'predict' take no params; leave 'params' out"


@dataclass(frozen=True, slots=True)
class Param:
    """One declared param. `shape` is None for a single value, (-1,) for a flat list."""

    name: str
    kind: Kind
    default: Any
    shape: tuple[int, ...] | None
    read_given: Callable[[Any, Kind], Any]

    def read(self, value: Any) -> Any:
        """The value as the model gets it. Raises `Misplaced`."""
        if self.shape is None:
            return self._read_one(value)
        if not isinstance(value, list):
            raise Misplaced(what_is(value), f"an array of {self.kind.expects}")
        return [self._read_one(item) for item in value]

    def _read_one(self, value: Any) -> Any:
        if self.kind.is_scalar and is_missing(value, self.kind):
            return None
        return self.read_given(value, self.kind)


@dataclass(frozen=True, slots=True)
class Params:
    """The params that a model declares."""

    declared: tuple[Param, ...]

    @classmethod
    def compile(cls, specs: Sequence[Mapping[str, Any]]) -> "Params":
        """The params, from the `params` part of a signature's JSON."""
        return cls(tuple(_compile(spec) for spec in specs))

    @property
    def names(self) -> frozenset[str]:
        """The names of the declared params."""
        return frozenset(param.name for param in self.declared)

    def read(self, given: Any) -> dict[str, Any] | None:
        """The values of all params by name; None if the model declares none and none were sent.
        Raises `InvalidInput` for all faults at once."""
        if given is None:
            return self.read({}) if self.declared else None
        if not isinstance(given, dict):
            raise InvalidInput(f"'params' must be an object, not {what_is(given)}")
        known = {param.name: param for param in self.declared}
        unknown = [name for name in given if name not in known]
        faults = [not_taken("param", name, list(known)) for name in unknown[:LIMIT]]
        values: dict[str, Any] = {}
        for name, param in known.items():
            try:
                # A copy, since a model may write into what it gets.
                value = param.read(given[name]) if name in given else deepcopy(param.default)
            except Misplaced as error:
                faults.append({"param": name, "expected": error.expects, "found": error.place})
            else:
                values[name] = value
        if faults:
            raise InvalidInput(_message(faults[:LIMIT], list(known)), faults[:LIMIT])
        return values


@dataclass(frozen=True, slots=True)
class NoParams(Params):
    """The params of a method besides `predict`. Such a method takes none, so none may be sent."""

    declared: tuple[Param, ...] = ()

    def read(self, given: Any) -> None:
        """Raises `InvalidInput` if there are any params."""
        if given:
            raise InvalidInput(NO_PARAMS)


def _read_object(value: Any, kind: Kind) -> Any:
    return _as_sent(kind.parse([value])[0], value)


def _as_sent(read: Any, value: Any) -> Any:
    """An object as MLflow hands it over: with Python numbers, and dates as the texts in `value`.
    `read` is the object as `nested` reads it, `value` as it was sent."""
    if isinstance(read, dict):
        return {name: _as_sent(item, value[name]) for name, item in read.items()}
    if isinstance(read, list):
        return [_as_sent(*pair) for pair in zip(read, value, strict=True)]
    if isinstance(read, datetime):
        return value
    return read.item() if isinstance(read, np.generic) else read


def declared_type(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A param's spec with its type under the key `type`, as a column's spec has it. MLflow writes
    `dtype` for params that are no objects."""
    return {**spec, "type": spec.get("type", spec.get("dtype"))}


def _compile(spec: Mapping[str, Any]) -> Param:
    shape, default = spec.get("shape"), spec.get("default")
    kind = kind_of(declared_type(spec))
    read = _read_moment if kind.is_moment else READERS[kind.json_type]
    if kind.is_moment and default is not None:
        default = [read(item, kind) for item in default] if shape else read(default, kind)
    return Param(spec["name"], kind, default, tuple(shape) if shape else None, read)


def _exactly(*allowed: type, make: Callable[[Any], Any]) -> Callable[[Any, Kind], Any]:
    def read(value: Any, kind: Kind) -> Any:
        if type(value) not in allowed:
            raise Misplaced(what_is(value), kind.expects)
        return make(value)

    return read


def _read_integer(value: Any, kind: Kind) -> int:
    """An integer, also if it was sent as 5.0. Raises `Misplaced` for a large float, which may have
    lost digits."""
    if type(value) is WholeFloat:
        value = value.whole
    if type(value) is float and value.is_integer():
        if abs(value) >= EXACT:
            raise Misplaced(INEXACT, kind.expects)
        return int(value)
    if type(value) is not int:
        raise Misplaced(what_is(value), kind.expects)
    if not -(2**63) <= value < 2**63:
        raise Misplaced("an integer beyond 64 bits", kind.expects)
    return value


def _read_moment(value: Any, kind: Kind) -> Any:
    if not isinstance(value, str):
        raise Misplaced(what_is(value), kind.expects)
    try:
        moment = np.asarray(kind.parse([value]))
    except ValueError as error:
        raise Misplaced(str(error), kind.expects) from error
    # As MLflow (numpy.datetime64.item): a date becomes a `date`, a date-time a `datetime`.
    unit = "D" if len(value.strip()) == len("2024-01-31") else "us"
    if moment.astype(f"M8[{unit}]").astype("M8[ns]")[0] != moment[0]:
        raise Misplaced("a time finer than microseconds", kind.expects)
    return moment.astype(f"M8[{unit}]")[0].item()


def _message(faults: Sequence[Mapping[str, Any]], known: Sequence[str]) -> str:
    texts = []
    for fault in faults:
        if "expected" in fault:
            text = f"param {fault['param']!r}: expected {fault['expected']}, found {fault['found']}"
        else:
            meant = hint(str(fault["param"]), known)
            text = f"unknown param {quoted(fault['param'])}" + (f", {meant}" if meant else "")
        texts.append(text)
    takes = listed(known) if known else "no params"
    return f"{'; '.join(texts).removesuffix('?')}. The model takes: {takes}"


READERS: Final[Mapping[str | None, Callable[[Any, Kind], Any]]] = {
    "boolean": _exactly(bool, make=bool),
    "integer": _read_integer,
    "number": _exactly(int, float, WholeFloat, make=float),
    "string": _exactly(str, make=str),
    "object": _read_object,
}
"""The readers of a param's value, by its JSON type; `_read_moment` reads date-times."""
