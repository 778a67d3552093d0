"""What a model returns to the bytes of the response: JSON, always valid.

The shapes are MLflow's (`mlflow.pyfunc.scoring_server.predictions_to_json`). A DataFrame becomes an
array of objects, one per row; a Series likewise, with one key per object; a NumPy array becomes
nested arrays. NaN, infinities, NaT and NA become null, dates and durations ISO 8601 text, bytes
base64, periods and intervals of pandas the texts that it shows. Decimals, and integers of any size,
become exact numbers. If several columns have one name, numbers are added to it, as in pandas' CSV
reader. A value that JSON cannot hold raises `ModelFailed`, which names its type.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar
from uuid import UUID

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import ModelFailed
from modelserver.scoring.answering.fast_objects import objects_of

T = TypeVar("T")


def encode_predictions(
    predictions: Any, wrapped: bool = True, key: bytes = b"predictions"
) -> bytes:
    """`{"predictions": …}` with what `predict` returned, or without `wrapped`, for chat-style
    input, the bare value. Raises `ModelFailed`."""
    data = attempt(lambda: encode_json(_shaped(predictions)), "JSON")
    return b'{"%b":%b}' % (key, data) if wrapped else data


def attempt(write: Callable[[], T], name: str) -> T:
    """What `write` returns. If it raises since the format of this name cannot hold a value, raises
    `ModelFailed`."""
    try:
        return write()
    except RecursionError:
        found = f"the model returned a value that is nested too deeply for {name}"
        raise ModelFailed(found) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelFailed(f"the model returned a value that {name} cannot hold") from error


def encode_json(value: Any) -> bytes:
    """Any value as JSON. orjson writes it; if orjson refuses the value, `_written` does: keys that
    are no text, integers beyond 64 bits, texts that are no UTF-8, deep nesting."""
    try:
        if isinstance(value, np.ndarray):
            return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
        return orjson.dumps(value, default=_encodable)
    except TypeError:
        return _written(value).encode()


def _shaped(value: Any) -> Any:
    """The prediction in MLflow's shape. Values inside it are converted while they are encoded."""
    if isinstance(value, pd.DataFrame):
        return _records(value)
    if isinstance(value, pd.Series):
        return _records(value.to_frame())
    if isinstance(value, np.ndarray):
        return _array(value)
    return value


def _array(array: NDArray[Any]) -> Any:
    """The array as one that orjson can write, or as nested lists."""
    if isinstance(array, np.ma.MaskedArray):
        return array.tolist()
    if array.dtype.kind == "f":  # float32 becomes float64, as in MLflow
        return np.ascontiguousarray(array, np.float64) if array.ndim else float(array)
    if array.dtype.kind in "biu" and array.ndim:
        return np.ascontiguousarray(array)
    if array.dtype.kind in "mM":
        return _times(array)
    return array.tolist()


def _times(array: NDArray[Any]) -> Any:
    flat = array.ravel()
    if flat.dtype.kind == "M" and np.datetime_data(flat.dtype)[0] in DAYS:
        texts = np.datetime_as_string(flat, "D").astype(object)
    else:
        texts = np.array([moment.isoformat() for moment in pd.Index(flat)], object)
    texts[np.isnat(flat)] = None
    return texts.reshape(array.shape).tolist()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = unique_names(frame.columns)
    columns = [_column(frame.iloc[:, position]) for position in range(len(names))]
    if not columns:
        return [{} for _ in range(len(frame))]
    return objects_of(names, columns)


def _column(column: "pd.Series[Any]") -> Iterable[Any]:
    if isinstance(column.dtype, np.dtype):
        return column.tolist() if column.dtype.kind in "biufO" else _array(column.to_numpy())
    if isinstance(column.dtype, pd.SparseDtype):
        return _column(pd.Series(column.to_numpy()))
    return column.astype(object).tolist()


def cells_of(column: Any) -> list[Any]:
    """The cells of a column, which is a list or an array of NumPy or pandas, as values that
    `encode_json` writes."""
    if isinstance(column, np.ndarray):
        return list(_array_list(column))
    if isinstance(column, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return list(_column(pd.Series(column)))
    return list(column)


def unique_names(keys: Iterable[object]) -> list[str]:
    """The keys as the names of columns: texts, each there once."""
    names = [_key(key) for key in keys]
    taken = set(names)
    if len(taken) == len(names):
        return names
    seen: set[str] = set()
    result = []
    for name in names:
        number, unique = 1, name
        while unique in seen or (unique != name and unique in taken):
            unique, number = f"{name}.{number}", number + 1
        seen.add(unique)
        result.append(unique)
    return result


def _key(key: object) -> str:
    """A key as the text that JSON needs: text unchanged, other scalars as JSON spells them."""
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple):
        return "_".join(map(_key, key))
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    return key.isoformat() if isinstance(key, (date, time)) else str(key)


def dumped(value: Any) -> Any:
    """A dataclass or an object of pydantic as what it holds; any other value unchanged."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value.model_dump() if hasattr(value, "model_dump") else value


def _encodable(value: Any) -> Any:
    """Converts a value that orjson does not know to a simpler one; orjson calls it until it knows
    the value. Raises `ModelFailed`."""
    for known, encode in ENCODERS:
        if isinstance(value, known):
            return encode(value)
    if (held := dumped(value)) is not value:
        return held
    if hasattr(value, "toarray"):  # scipy.sparse
        return _array(value.toarray())
    raise ModelFailed(
        f"the model returned a value of type {type(value).__name__}, which JSON cannot hold"
    )


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    if value is None or isinstance(value, bool):
        return orjson.dumps(value).decode()
    if isinstance(value, float):
        return orjson.dumps(float(value)).decode()  # orjson refuses subclasses, such as NumPy's
    if isinstance(value, int):
        return str(Decimal(int(value)))  # str(int) refuses more than 4,300 digits
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else "null"
    if isinstance(value, Mapping):
        members = (f"{json.dumps(_key(k))}:{_written(item)}" for k, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return _written(_encodable(value))


def _decimal(value: Decimal) -> Any:
    return orjson.Fragment(str(value)) if value.is_finite() else None


def _listed(value: Iterable[Any]) -> list[Any]:
    return list(value)


def _array_list(value: NDArray[Any]) -> Any:
    array = _array(value)
    return array.tolist() if isinstance(array, np.ndarray) else array


DAYS: Final = frozenset({"Y", "M", "W", "D"})
"""NumPy's units of dates that have no time."""

ENCODERS: Final[tuple[tuple[Any, Any], ...]] = (
    (np.ndarray, _array_list),
    ((np.datetime64, np.timedelta64), lambda value: _times(np.array([value]))[0]),
    ((float, np.floating), float),
    (np.generic, lambda value: value.item()),
    (type(pd.NA), lambda value: None),
    (type(pd.NaT), lambda value: None),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: pd.Timedelta(value).isoformat()),
    ((bytes, bytearray, memoryview), lambda value: base64.b64encode(value).decode()),
    (Decimal, _decimal),
    (pd.DataFrame, _records),
    ((pd.Series, pd.Index), lambda value: _column(pd.Series(value))),
    (pd.api.extensions.ExtensionArray, lambda value: _column(pd.Series(value))),
    (Mapping, dict),
    ((set, frozenset, Iterator, range), _listed),
    (Enum, lambda value: value.value),
    ((UUID, pd.Period, pd.Interval), str),
)
