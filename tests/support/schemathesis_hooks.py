"""What the document cannot say to schemathesis, which loads this file (SCHEMATHESIS_HOOKS).

Three rules are beyond JSON Schema and stand in the document's prose: columns that stand beside
each other, or labels beside rows, have one length; a date is between 1678 and 2261; and `include`
names columns that the body has. Formats beside JSON have no schema, so bodies in them are the
example as it is, and that as a file. The body of the Open Inference Protocol is the example, too:
its inputs have the model's names, and as many elements as their shapes say.
"""

import io
import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pandas as pd
import schemathesis
from hypothesis import strategies

from modelserver.reading.formats import ARROW, FORMATS, JSON, NDJSON, PARQUET

FILES = sorted(FORMATS.keys() - {JSON})

INFER = "/infer"

DOCUMENT: dict[str, Any] = json.loads(os.environ["SCHEMATHESIS_DOCUMENT"])


def date_times() -> Any:
    return strategies.datetimes(
        datetime(1678, 1, 1), datetime(2261, 12, 31), timezones=strategies.just(timezone.utc)
    ).map(datetime.isoformat)


def examples(media_type: str) -> dict[str, Any]:
    content = DOCUMENT["paths"]["/invocations"]["post"]["requestBody"]["content"]
    found = content.get(media_type, {}).get("examples", {})
    return {name: example["value"] for name, example in found.items()}


def as_file(media_type: str) -> bytes:
    """The example of `dataframe_split`, or for tensors that of `inputs`, a row per row."""
    examples_ = examples(JSON)
    if "split" in examples_:
        table = examples_["split"]["dataframe_split"]
        frame = pd.DataFrame(table["data"], columns=table.get("columns"))
    else:
        tensors = examples_["inputs"]["inputs"]
        named = tensors if isinstance(tensors, dict) else {"tensor": tensors}
        frame = pd.DataFrame({name: [flat(row) for row in rows] for name, rows in named.items()})
    frame.columns = frame.columns.astype(str)
    target = io.BytesIO()
    WRITERS[media_type](frame, target)
    return target.getvalue()


def flat(row: Any) -> Any:
    return np.ravel(row).tolist() if isinstance(row, list) else row


WRITERS: dict[str, Callable[[pd.DataFrame, io.BytesIO], None]] = {
    NDJSON: lambda frame, file: frame.to_json(file, orient="records", lines=True),
    PARQUET: lambda frame, file: frame.to_parquet(file),
    ARROW: lambda frame, file: frame.to_feather(file),
}


def have_one_length(parts: list[Any]) -> bool:
    return len({len(part) for part in parts if isinstance(part, list)}) <= 1


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    body = case.body
    if not isinstance(body, dict):
        return True
    inputs, split = body.get("inputs"), body.get("dataframe_split")
    if isinstance(inputs, dict):
        return have_one_length(list(inputs.values()))
    if isinstance(split, dict) and "index" in split:
        return have_one_length([split["index"], split.get("data")])
    return True


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    if "include" in (case.query or {}):
        case.query["include"] = "inputs"
    if case.path.endswith(INFER) and isinstance(case.body, dict):
        content = DOCUMENT["paths"][case.path]["post"]["requestBody"]["content"][JSON]
        case.body = content["examples"]["inputs"]["value"]
    if case.media_type in FILES:
        shown = examples(case.media_type).values()
        case.body = next(iter(shown)) if shown else as_file(case.media_type)
    return case


@schemathesis.serializer(*FILES)
def as_bytes(context: Any, body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()


schemathesis.openapi.format("date-time", date_times())
