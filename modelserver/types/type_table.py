"""The type table: what each MLflow column type is in NumPy and pandas, in JSON and in JSON Schema.

A row of it is a `Kind`; what parses its cells is in `cell_parsers.py`. Scoring parses by the table,
and description says what it says, so that the document cannot promise what the parser refuses.

Types and dtypes: `mlflow.types.DataType`. Missing values: float NaN, datetime NaT, text missing;
an integer column with gaps becomes float64 with NaN, as pandas reads such a column in training.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from modelserver.types.cell_parsers import (
    EXACT,
    anything,
    binaries,
    booleans,
    floats,
    integers,
    missing_texts,
    nans,
    nats,
    nones,
    texts,
)
from modelserver.types.dates import datetimes
from modelserver.types.kind import TEXT, Kind


def float_kind(name: str, dtype: Any, expects: str) -> Kind:
    """A floating-point type; gaps are NaN."""
    schema = _number_schema(np.finfo(dtype))
    return Kind(name, expects, dtype, schema, 0.5, floats(dtype), nans(dtype), blanks=NO_NUMBERS)


def integer_kind(name: str, dtype: Any, expects: str) -> Kind:
    """An integer type; a column with gaps is float64 and holds what a double holds exactly."""
    dtype = np.dtype(dtype)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    beyond = f"an integer beyond {dtype.itemsize * 8} bits"
    kind = Kind(
        name,
        expects,
        dtype.type,
        {"type": "integer", "format": dtype.name, "minimum": low, "maximum": high},
        1,
        integers(dtype, low, high, beyond),
        nans(np.float64),
        gaps_when_required=False,
        blanks=NO_NUMBERS,
    )
    return _exact_beside_gaps(kind, max(low, -EXACT), EXACT) if dtype.itemsize == 8 else kind


def _exact_beside_gaps(kind: Kind, low: int, high: int) -> Kind:
    inexact = "an integer too large to stand beside missing values"
    bounds = {"minimum": low, "maximum": high}
    return replace(
        kind,
        parse_beside_gaps=integers(kind.dtype, low, high, inexact),
        schema_beside_gaps={**kind.schema, **bounds},
    )


def _number_schema(limits: Any) -> dict[str, Any]:
    """JSON's numbers are doubles to most readers, so a double needs no bounds."""
    if limits.bits == 64:
        return {"type": "number", "format": "double"}
    bounds = {"minimum": float(limits.min), "maximum": float(limits.max)}
    return {"type": "number"} | ({"format": "float"} if limits.bits == 32 else {}) | bounds


DATE_TIME: Final = {"type": "string", "format": "date-time"}
BASE64: Final = {"type": "string", "format": "byte", "contentEncoding": "base64"}
NO_VALUES: Final = frozenset({"NA"})
"""The text that R's jsonlite writes for a missing value."""

NO_NUMBERS: Final = NO_VALUES | {"NaN"}
NO_DATES: Final = NO_VALUES | {"", "NaT"}

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "boolean",
            "true or false",
            np.bool_,
            {"type": "boolean"},
            True,
            booleans,
            nones,
            blanks=NO_VALUES,
        ),
        integer_kind("integer", np.int32, "a whole number of 32 bits"),
        integer_kind("long", np.int64, "a whole number of 64 bits"),
        float_kind("float", np.float32, "a number (32-bit float)"),
        float_kind("double", np.float64, "a number (64-bit float)"),
        Kind("string", "text", TEXT, {"type": "string"}, "text", texts, missing_texts),
        Kind(
            "datetime",
            "an ISO 8601 date or date-time",
            "M8[ns]",
            DATE_TIME,
            "2024-01-31T12:00:00Z",
            datetimes,
            nats,
            blanks=NO_DATES,
        ),
        Kind(
            "binary",
            "base64 text",
            object,
            BASE64,
            "aGVsbG8=",
            binaries,
            nones,
            gaps_when_required=False,
        ),
        Kind("any", "any value", object, {}, "text", anything, nones),
    )
}
"""MLflow's scalar column types by name, and `any`."""
