"""The workloads: a body for a model, and the input that the model makes of it."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from modelserver.scoring.answering.formats import JSON_ANSWER
from modelserver.scoring.query import read_query
from modelserver.scoring.request import Request
from tests.support.bench.models import doubles, images, mixed, texts

HOST: Final = "127.0.0.1"

PING: Final = "ping"
START: Final = "start"
"""The two workloads that are measured otherwise."""

JSON: Final = "application/json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"

WORKLOAD: Final = "X-Workload"
"""The header that names the workload to the limit's server."""

ALL_DIGITS: Final = 17
"""Decimals of a number that was computed and not rounded."""


@dataclass(frozen=True, slots=True)
class Case:
    """One workload: a body for a model, and the input that the model makes of it."""

    name: str
    title: str
    model: str
    body: bytes
    ready: Any
    media_type: str = JSON
    callers: int = 1
    query: str = ""
    """The query string, which MLflow's server ignores."""
    plain: bytes = b""
    """The same rows in JSON for MLflow's server, if it cannot take the body."""

    @property
    def path(self) -> str:
        """The path with its query string."""
        return f"/invocations?{self.query}" if self.query else "/invocations"

    @property
    def request(self) -> bytes:
        """The HTTP request. A header tells the limit which input is ready; others ignore it."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {HOST}\r\n{WORKLOAD}: {self.name}\r\n"
            f"Content-Type: {self.media_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body

    @property
    def work(self) -> Request:
        """The request as it is scored here, in this process."""
        query = read_query(self.query.encode())
        answer = query.format or JSON_ANSWER
        return Request(self.body, self.media_type, None, 10**9, answer, query.include)

    def sent_to(self, server: str) -> "Case":
        """The workload as the server of this name can take it."""
        if server != "MLflow" or not self.plain:
            return self
        return replace(self, body=self.plain, media_type=JSON)


def split(frame: pd.DataFrame) -> bytes:
    """The frame as a `dataframe_split` body."""
    table = frame.to_json(orient="split", index=False, date_format="iso")
    return f'{{"dataframe_split":{table}}}'.encode()


def records(frame: pd.DataFrame) -> bytes:
    """The frame as a `dataframe_records` body."""
    return f'{{"dataframe_records":{frame.to_json(orient="records")}}}'.encode()


def python_rows(frame: pd.DataFrame) -> list[list[Any]]:
    """The rows as a program in Python has them, with dates as texts."""
    moments = {name: frame[name].dt.strftime("%Y-%m-%dT%H:%M:%S") for name in moments_of(frame)}
    return list(map(list, frame.assign(**moments).itertuples(index=False, name=None)))


def moments_of(frame: pd.DataFrame) -> list[str]:
    """The names of the columns of dates."""
    return list(map(str, frame.select_dtypes("datetime").columns))


def python_split(frame: pd.DataFrame) -> bytes:
    """A `dataframe_split` body by Python's json module, with NaN for what is missing."""
    table = {"columns": list(frame), "data": python_rows(frame)}
    return json.dumps({"dataframe_split": table}).encode()


def python_records(frame: pd.DataFrame) -> bytes:
    """A `dataframe_records` body by Python's json module."""
    rows = [dict(zip(frame, row, strict=True)) for row in python_rows(frame)]
    return json.dumps({"dataframe_records": rows}).encode()


def with_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with each tenth number missing."""
    return frame.mask(np.random.default_rng(1).random(frame.shape) < 0.1)


def split_case(name: str, title: str, model: str, frame: pd.DataFrame, callers: int = 1) -> Case:
    """A workload of `dataframe_split`."""
    return Case(name, title, model, split(frame), frame, callers=callers)


def csv_case(name: str, title: str, model: str, frame: pd.DataFrame) -> Case:
    """A workload of CSV, where MLflow hands text to the model as objects."""
    ready = frame.astype(dict.fromkeys(frame.select_dtypes("str"), object))
    return Case(name, title, model, frame.to_csv(index=False).encode(), ready, CSV)


def ndjson_case(name: str, title: str, model: str, frame: pd.DataFrame) -> Case:
    """A workload of NDJSON, which MLflow gets as `dataframe_split`."""
    body = frame.to_json(orient="records", lines=True).encode()
    return Case(name, title, model, body, frame, NDJSON, plain=split(frame))


def arrow_case(name: str, title: str, model: str, frame: pd.DataFrame) -> Case:
    """A workload of an Arrow stream, which MLflow gets as `dataframe_split`."""
    table, target = pa.Table.from_pandas(frame, preserve_index=False), pa.BufferOutputStream()
    with pa.ipc.new_stream(target, table.schema) as writer:
        writer.write_table(table)
    body = target.getvalue().to_pybytes()
    return Case(name, title, model, body, frame, ARROW, plain=split(frame))


def include_case(name: str, title: str, model: str, frame: pd.DataFrame) -> Case:
    """A workload of rows with an id that stands in the answer; MLflow gets the rows without it."""
    body = split(frame.assign(id=range(len(frame))))
    return Case(name, title, model, body, frame, query="include=id", plain=split(frame))


def tensor_case(form: str) -> Case:
    """A workload of 64 images under `instances` or `inputs`."""
    pixels = images(64)
    body = orjson.dumps({form: pixels.astype("float64").round(4).tolist()})
    return Case(f"tensor-{form}", f"tensor 64x28x28, {form}", "tensor", body, pixels)


def python_tensor_case() -> Case:
    """The same by Python's json module, with all digits."""
    pixels = images(64)
    body = json.dumps({"inputs": pixels.tolist()}).encode()
    return Case("tensor-python", "tensor 64x28x28, inputs by Python", "tensor", body, pixels)


def build_cases() -> list[Case]:
    """All workloads in the order of the table, those of one model side by side."""
    one, hundred, many = doubles(1), doubles(100), doubles(10_000)
    wide, wide_csv = mixed(10_000, dates=True), mixed(10_000, dates=False)
    exact, exact_wide = doubles(10_000, ALL_DIGITS), mixed(10_000, dates=True, digits=ALL_DIGITS)
    words = texts(10_000)
    gaps, python = with_gaps(exact), python_split(exact_wide)
    # A text with an escape, as clients write letters beyond ASCII.
    escaped = python.replace(b'"red"', b'"\\u0072ed"')
    return [
        split_case("lr-1", "LR, 1 row", "LR", one),
        split_case("lr-1-64", "LR, 1 row, 64 callers", "LR", one, callers=64),
        Case("lr-100", "LR, 100 rows records", "LR", records(hundred), hundred),
        split_case("lr-10k", "LR, 10,000 rows split", "LR", many),
        Case("lr-python", "LR, 10,000 rows split by Python", "LR", python_split(exact), exact),
        Case("lr-records", "LR, 10,000 rows records by Python", "LR", python_records(exact), exact),
        csv_case("lr-100k-csv", "LR, 100,000 rows CSV", "LR", doubles(100_000)),
        split_case(PING, "/ping beside two callers of 10,000 rows", "LR", many, callers=2),
        split_case("noop-1", "no-op, 1 row", "no-op", one),
        Case("gaps", "no-op, 10,000 rows split by Python, NaN", "no-op", python_split(gaps), gaps),
        split_case("texts", "no-op, 10,000 rows of 8 texts split", "text no-op", words),
        ndjson_case("ndjson", "no-op, 10,000 rows NDJSON", "no-op", many),
        arrow_case("arrow", "no-op, 10,000 rows Arrow", "no-op", many),
        replace(
            split_case("csv-out", "no-op, 10,000 rows split, answer in CSV", "no-op", many),
            query="format=csv",
        ),
        include_case("include", "no-op, 10,000 rows split, answer with ids", "no-op", many),
        split_case("noop-wide-1", "no-op, 50 columns, 1 row", "wide no-op", mixed(1, dates=True)),
        split_case("wide-1", "50 columns, 1 row", "wide", mixed(1, dates=True)),
        split_case("wide-10k", "50 columns, 10,000 rows split", "wide", wide),
        Case("wide-python", "50 columns, 10,000 rows split by Python", "wide", python, exact_wide),
        Case("wide-escapes", "the same with escapes", "wide", escaped, exact_wide),
        Case(
            "wide-records",
            "50 columns, 10,000 rows records by Python",
            "wide",
            python_records(exact_wide),
            exact_wide,
        ),
        csv_case("wide-10k-csv", "50 columns, 10,000 rows CSV", "wide without dates", wide_csv),
        tensor_case("instances"),
        tensor_case("inputs"),
        python_tensor_case(),
    ]
