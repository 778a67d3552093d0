"""The type table: what each MLflow column type is in NumPy and pandas, in JSON and in JSON Schema.

A row is a `Kind` (`kind.py`). The same rows parse requests and write the OpenAPI document, so the
document cannot promise what the parser refuses. Nested types are in `nested.py`.

Types and dtypes are those of `mlflow.types.DataType`. A missing value is NaN in a column of floats,
NaT in one of date-times, and pandas' missing text in one of texts. A column of integers with
missing values becomes float64, as pandas reads such a column in training.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.types.cell_parsers import (
    EXACT,
    NUMBER_TYPES,
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
from modelserver.types.kind import TEXT, Code, Kind

DATE_TIME: Final = {"type": "string", "format": "date-time"}
BASE64: Final = {"type": "string", "format": "byte", "contentEncoding": "base64"}

NO_VALUES: Final = frozenset({"NA"})
"""The text that R's jsonlite writes for a missing value."""

NO_NUMBERS: Final = NO_VALUES | {"NaN"}
NO_DATES: Final = NO_VALUES | {"", "NaT"}

DATES: Final = (date, datetime, np.datetime64, pd.Timestamp)


def float_kind(name: str, dtype: Any, expects: str, plain: Code | None = None) -> Kind:
    """A floating-point type; gaps are NaN."""
    return Kind(
        name=name,
        expects=expects,
        schema=_number_schema(np.finfo(dtype)),
        sample=0.5,
        dtype=dtype,
        parse=floats(dtype),
        plain=plain,
        make_gaps=nans(dtype),
        gaps_in_arrays=True,
        blanks=NO_NUMBERS,
    )


def integer_kind(name: str, dtype: Any, expects: str, plain: Code | None = None) -> Kind:
    """An integer type. A column with gaps is float64; integers that a double cannot hold exactly
    are then refused."""
    dtype = np.dtype(dtype)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    beyond = f"an integer beyond {dtype.itemsize * 8} bits"
    kind = Kind(
        name=name,
        expects=expects,
        schema={"type": "integer", "format": dtype.name, "minimum": low, "maximum": high},
        sample=1,
        dtype=dtype.type,
        parse=integers(dtype, low, high, beyond),
        plain=plain,
        make_gaps=nans(np.float64),
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
    """The JSON Schema of floats. Numbers up to half a step above the largest float are rounded to
    it. Most readers of JSON take numbers as doubles, so a double needs no bounds."""
    if limits.bits == 64:
        return {"type": "number", "format": "double"}
    largest, next_to_it = float(limits.max), float(np.nextafter(limits.max, 0 * limits.max))
    beyond = largest + (largest - next_to_it) / 2
    bounds = {"exclusiveMinimum": -beyond, "exclusiveMaximum": beyond}
    return {"type": "number"} | ({"format": "float"} if limits.bits == 32 else {}) | bounds


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            name="boolean",
            expects="true or false",
            schema={"type": "boolean"},
            sample=True,
            dtype=np.bool_,
            parse=booleans,
            plain="?",
            make_gaps=nones,
            blanks=NO_VALUES,
        ),
        integer_kind("integer", np.int32, "a whole number of 32 bits"),
        integer_kind("long", np.int64, "a whole number of 64 bits", plain="q"),
        float_kind("float", np.float32, "a number (32-bit float)"),
        float_kind("double", np.float64, "a number (64-bit float)", plain="d"),
        Kind(
            name="string",
            expects="text",
            schema={"type": "string"},
            sample="text",
            dtype=TEXT,
            parse=texts,
            plain="U",
            make_gaps=missing_texts,
            gaps_in_arrays=True,
        ),
        Kind(
            name="datetime",
            expects="an ISO 8601 date or date-time",
            schema=DATE_TIME,
            sample="2024-01-31T12:00:00Z",
            dtype="M8[ns]",
            parse=datetimes,
            make_gaps=nats,
            blanks=NO_DATES,
            further_types=(*DATES, *NUMBER_TYPES),
        ),
        Kind(
            name="binary",
            expects="base64 text",
            schema=BASE64,
            sample="aGVsbG8=",
            dtype=object,
            parse=binaries,
            make_gaps=nones,
            gaps_when_required=False,
            further_types=(bytes,),
        ),
        Kind(
            name="any",
            expects="any value",
            schema={},
            sample="text",
            dtype=object,
            parse=anything,
            make_gaps=nones,
            read=lambda value: value,
        ),
    )
}
"""MLflow's scalar column types by name, and `any`."""
