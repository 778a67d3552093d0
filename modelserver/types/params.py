"""Inference params: the `params` of a request against the model's params schema.

In: the decoded `params` object. Out: every declared param with its value or default, as MLflow
hands them over (`mlflow.models.utils._enforce_params_schema`): strict types, numbers widen where
nothing is lost, a null replaces the default. Unknown names and wrong types raise `InvalidInput`.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from modelserver.errors import LIMIT, InvalidInput, clipped, hint, listed, quoted
from modelserver.types.cell_parsers import EXACT, INEXACT, WholeFloat
from modelserver.types.kind import describe
from modelserver.types.nested import Misplaced, is_missing, nested_kind
from modelserver.types.type_table import KINDS


@dataclass(frozen=True, slots=True)
class Param:
    """One declared param; `shape` is None for a single value, (-1,) for a flat list."""

    name: str
    type: Mapping[str, Any]
    default: Any
    shape: tuple[int, ...] | None

    def read(self, value: Any) -> Any:
        """The value as the model gets it. Raises `Misplaced`."""
        if self.shape is None:
            return self._read_one(value)
        if not isinstance(value, list):
            raise Misplaced(describe(value), f"an array of {self.expects}")
        return [self._read_one(item) for item in value]

    @property
    def expects(self) -> str:
        """What the param takes, in words."""
        name = self.type["type"]
        return "an object" if name == "object" else KINDS[name].expects

    def _read_one(self, value: Any) -> Any:
        if self.type["type"] == "object":
            return _as_sent(nested_kind(self.type, required=True).parse([value])[0], value)
        name = self.type["type"]
        return None if is_missing(value, KINDS[name]) else SCALARS[name](value, self.expects)


@dataclass(frozen=True, slots=True)
class Params:
    """The params that a model declares."""

    declared: tuple[Param, ...]

    @classmethod
    def compile(cls, specs: Sequence[Mapping[str, Any]]) -> "Params":
        """From the params part of a signature's JSON."""
        return cls(tuple(_compile(spec) for spec in specs))

    @property
    def names(self) -> frozenset[str]:
        """The names of the declared params."""
        return frozenset(param.name for param in self.declared)

    def read(self, given: Any) -> dict[str, Any] | None:
        """All params by name. For a model that declares none, None or the empty object given."""
        if given is None:
            return self.read({}) if self.declared else None
        if not isinstance(given, dict):
            raise InvalidInput(f"'params' must be an object, not {describe(given)}")
        known = {param.name: param for param in self.declared}
        unknown = [name for name in given if name not in known]
        faults = [_unknown(name, list(known)) for name in unknown[:LIMIT]]
        values: dict[str, Any] = {}
        for name, param in known.items():
            try:
                # A model may write into what it gets.
                value = param.read(given[name]) if name in given else deepcopy(param.default)
            except Misplaced as error:
                faults.append({"param": name, "expected": error.expects, "found": error.place})
            else:
                values[name] = value
        if faults:
            raise InvalidInput(_message(faults[:LIMIT], list(known)), faults[:LIMIT])
        return values


def _as_sent(read: Any, value: Any) -> Any:
    """What was read of an object, as Python's values; dates stay texts, as with MLflow."""
    if isinstance(read, dict):
        return {name: _as_sent(item, value[name]) for name, item in read.items()}
    if isinstance(read, list):
        return [_as_sent(*pair) for pair in zip(read, value, strict=True)]
    if isinstance(read, datetime):
        return value
    return read.item() if isinstance(read, np.generic) else read


def _compile(spec: Mapping[str, Any]) -> Param:
    shape = spec.get("shape")
    kind = spec.get("type", spec.get("dtype"))
    type_ = spec if kind == "object" else {"type": kind}
    default = spec.get("default")
    if kind == "datetime" and default is not None:
        default = [_read_datetime(d, "") for d in default] if shape else _read_datetime(default, "")
    return Param(spec["name"], type_, default, tuple(shape) if shape else None)


def _exactly(*allowed: type, make: Any) -> Any:
    def read(value: Any, expects: str) -> Any:
        if type(value) not in allowed:
            raise Misplaced(describe(value), expects)
        return make(value)

    return read


def _read_integer(value: Any, expects: str) -> int:
    """An integer, which JSON may also spell 5.0. Large ones come as floats that are not exact."""
    if type(value) is WholeFloat:
        value = value.whole
    if type(value) is float and value.is_integer():
        if abs(value) >= EXACT:
            raise Misplaced(INEXACT, expects)
        return int(value)
    if type(value) is not int:
        raise Misplaced(describe(value), expects)
    if not -(2**63) <= value < 2**63:
        raise Misplaced("an integer beyond 64 bits", expects)
    return value


def _read_datetime(value: Any, expects: str) -> Any:
    if not isinstance(value, str):
        raise Misplaced(describe(value), expects)
    try:
        moment = np.asarray(KINDS["datetime"].parse([value]))
    except ValueError as error:
        raise Misplaced(str(error), expects) from error
    # MLflow gives a date for a date, a datetime for a date-time (numpy.datetime64.item).
    unit = "D" if len(value.strip()) == len("2024-01-31") else "us"
    if moment.astype(f"M8[{unit}]").astype("M8[ns]")[0] != moment[0]:
        raise Misplaced("a time finer than microseconds", expects)
    return moment.astype(f"M8[{unit}]")[0].item()


def _unknown(name: str, known: Sequence[str]) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "param": clipped(name),
        "found": "a param that the model does not take",
    }
    if meant := hint(name, known):
        detail["did_you_mean"] = meant.name
    return detail


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
    return f"{'; '.join(texts)}. The model takes: {takes}"


SCALARS: Mapping[str, Any] = {
    "boolean": _exactly(bool, make=bool),
    "integer": _read_integer,
    "long": _read_integer,
    "float": _exactly(int, float, WholeFloat, make=float),
    "double": _exactly(int, float, WholeFloat, make=float),
    "string": _exactly(str, make=str),
    "datetime": _read_datetime,
}
