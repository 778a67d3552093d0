"""Missing and infinite values in what a model gets: where they are, and which rows have none.

`blame` tries whether a model fails because of them. A missing value in an optional column is
allowed and does not count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelserver.errors import LIMIT, Details, spread
from modelserver.reading.signatures.signature import Signature
from modelserver.types.frames import Column, Columns
from modelserver.types.names import listed
from modelserver.types.tensors import Tensor, dtype_kind

NULL: Final = "null"
INFINITY: Final = "infinity"

WORDS: Final[Mapping[str, str]] = {NULL: "missing", INFINITY: "infinite"}
"""The sorts of gaps, and the word for each in messages."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps in an input: in words `what` they are and `where`, and one detail for each. `rows`:
    the rows with gaps; `other_rows`: the rows without. None: there are no such rows, or the input
    has no rows."""

    what: str
    where: str
    details: Details
    rows: Any
    other_rows: Any


def find_gaps(signature: Signature, data: Any) -> Gaps | None:
    """The missing and infinite values in `data`, which has the types of the signature; None if
    there are none."""
    if signature.columns is not None:
        return _in_columns(signature.columns, data)
    arrays = data if isinstance(data, dict) else {None: data}
    return _in_tensors([(tensor, arrays[tensor.name]) for tensor in signature.tensors])


def _in_columns(columns: Columns, frame: pd.DataFrame) -> Gaps | None:
    known = dict(zip(columns.names if columns.named else frame, columns.columns, strict=True))
    found = {name: _gaps_in(frame[name].to_numpy(), known[name].required) for name in frame}
    found = {name: gaps for name, gaps in found.items() if (gaps != "").any()}
    if not found:
        return None
    details = [
        {"row": int(row), "column": name, "expected": known[name].kind.expects, "found": gaps[row]}
        for name, gaps in found.items()
        for row in np.flatnonzero(gaps)[:LIMIT]
    ]
    has_gaps = np.any([gaps != "" for gaps in found.values()], axis=0)
    others = frame[~has_gaps].reset_index(drop=True)
    return Gaps(
        _what(found.values()),
        listed(found),
        spread(details),
        frame[has_gaps].reset_index(drop=True),
        others.astype(_dtypes_without_gaps(known, others)) if len(others) else None,
    )


def _gaps_in(cells: NDArray[Any], required: bool) -> NDArray[Any]:
    """The gap in each cell (a key of `WORDS`); the empty text for a cell that is no gap."""
    gaps = np.full(cells.shape, "", object)
    if cells.dtype.kind == "f":
        gaps[np.isinf(cells)] = INFINITY
    if required:
        gaps[np.asarray(pd.isna(cells))] = NULL
    return gaps


def _what(found: Iterable[NDArray[Any]]) -> str:
    gaps = {gap for cells in found for gap in cells.ravel().tolist()}
    return " or ".join(word for gap, word in WORDS.items() if gap in gaps) + " values"


def _dtypes_without_gaps(known: Mapping[Any, Column], frame: pd.DataFrame) -> dict[Any, Any]:
    return {
        name: known[name].kind.dtype
        for name in frame
        if known[name].kind.changes_with_gaps and not frame[name].isna().any()
    }


def _in_tensors(read: Sequence[tuple[Tensor, NDArray[Any]]]) -> Gaps | None:
    sought = [(tensor, _gaps_in(np.asarray(array), True)) for tensor, array in read]
    found = [(tensor, gaps) for tensor, gaps in sought if (gaps != "").any()]
    if not found:
        return None
    what = _what(gaps for _, gaps in found)
    details = [
        {
            "tensor": tensor.name,
            "index": index,
            "expected": _expected(tensor),
            "found": gaps[tuple(index)],
        }
        for tensor, gaps in found
        for index in np.argwhere(gaps != "")[:LIMIT].tolist()
    ]
    where = "the tensor" if found[0][0].name is None else listed(t.name for t, _ in found)
    have_rows = all(tensor.shape[:1] == (-1,) for tensor, _ in read)
    if not have_rows or len({len(array) for _, array in read}) > 1:
        return Gaps(what, where, spread(details), None, None)
    masks = [(gaps != "").reshape(len(gaps), -1).any(axis=1) for _, gaps in sought]
    has_gaps = np.any(masks, axis=0)
    return Gaps(what, where, spread(details), _rows(read, has_gaps), _rows(read, ~has_gaps))


def _expected(tensor: Tensor) -> str:
    kind = dtype_kind(tensor.dtype)
    return kind.expects if kind else "a value"


def _rows(read: Sequence[tuple[Tensor, NDArray[Any]]], wanted: NDArray[np.bool_]) -> Any:
    if not wanted.any():
        return None
    parts = {tensor.name: array[wanted] for tensor, array in read}
    return parts.get(None, parts)
