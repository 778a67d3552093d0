"""Missing values in what a model gets: where they are, and the input with and without their rows.

Only those count that the signature does not call optional, which a model may or may not cope with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.errors import LIMIT, Details, listed
from modelserver.frames import Column, Columns
from modelserver.signature import Signature
from modelserver.tensors import Tensor, dtype_kind

CHANGED_BY_GAPS: Final = frozenset({"boolean", "integer", "long"})
"""Kinds whose columns have another dtype where values are missing."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """`where` they are, in words; one detail for each; the rows that have some, and the others,
    each None where there are no such rows or the input has none."""

    where: str
    details: Details
    rows: Any
    other_rows: Any


def find_gaps(signature: Signature, data: Any) -> Gaps | None:
    """The missing values in `data`, which is of the types of the signature."""
    if signature.columns is not None:
        return _in_columns(signature.columns, data)
    arrays = data if isinstance(data, dict) else {None: data}
    return _in_tensors([(tensor, arrays[tensor.name]) for tensor in signature.tensors])


def _in_columns(columns: Columns, frame: pd.DataFrame) -> Gaps | None:
    known = dict(zip(columns.names if columns.named else frame, columns.columns, strict=True))
    missing = frame[[name for name in frame if known[name].required]].isna()
    missing = missing.loc[:, missing.any()]
    if missing.empty:
        return None
    details = [
        {"row": int(row), "column": name, "expected": known[name].kind.expects, "found": "null"}
        for name in missing
        for row in np.flatnonzero(missing[name])[:LIMIT]
    ]
    has_gaps = missing.any(axis=1).to_numpy()
    others = frame[~has_gaps].reset_index(drop=True)
    return Gaps(
        listed(missing),
        details[:LIMIT],
        frame[has_gaps].reset_index(drop=True),
        others.astype(_dtypes_without_gaps(known, others)) if len(others) else None,
    )


def _dtypes_without_gaps(known: Mapping[Any, Column], frame: pd.DataFrame) -> dict[Any, Any]:
    return {
        name: known[name].kind.dtype
        for name in frame
        if known[name].kind.name in CHANGED_BY_GAPS and not frame[name].isna().any()
    }


def _in_tensors(read: Sequence[tuple[Tensor, "np.ndarray[Any, Any]"]]) -> Gaps | None:
    missing = [(tensor, np.asarray(pd.isna(array))) for tensor, array in read]
    found = [(tensor, mask) for tensor, mask in missing if mask.any()]
    if not found:
        return None
    details = [
        {"tensor": tensor.name, "index": index, "expected": _expected(tensor), "found": "null"}
        for tensor, mask in found
        for index in np.argwhere(mask)[:LIMIT].tolist()
    ]
    where = "the tensor" if found[0][0].name is None else listed(t.name for t, _ in found)
    have_rows = all(tensor.shape[:1] == (-1,) for tensor, _ in read)
    if not have_rows or len({len(array) for _, array in read}) > 1:
        return Gaps(where, details[:LIMIT], None, None)
    has_gaps = np.any([mask.reshape(len(mask), -1).any(axis=1) for _, mask in missing], axis=0)
    return Gaps(where, details[:LIMIT], _rows(read, has_gaps), _rows(read, ~has_gaps))


def _expected(tensor: Tensor) -> str:
    kind = dtype_kind(tensor.dtype)
    return kind.expects if kind else "a value"


def _rows(read: Sequence[tuple[Tensor, "np.ndarray[Any, Any]"]], wanted: Any) -> Any:
    if not wanted.any():
        return None
    parts = {tensor.name: array[wanted] for tensor, array in read}
    return parts.get(None, parts)
