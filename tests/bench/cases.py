"""The workloads: a body for a model, and the input that the model makes of it."""

from dataclasses import dataclass
from typing import Any, Final

import orjson
import pandas as pd

from tests.bench.models import doubles, images, mixed

HOST: Final = "127.0.0.1"

PING: Final = "ping"
START: Final = "start"
"""The two workloads that are measured otherwise."""

JSON: Final = "application/json"
CSV: Final = "text/csv"


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

    @property
    def request(self) -> bytes:
        """The HTTP request. Its query tells the limit which input is ready; others ignore it."""
        head = (
            f"POST /invocations?{self.name} HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Content-Type: {self.media_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def split(frame: pd.DataFrame) -> bytes:
    """The frame as a `dataframe_split` body."""
    table = frame.to_json(orient="split", index=False, date_format="iso")
    return f'{{"dataframe_split":{table}}}'.encode()


def records(frame: pd.DataFrame) -> bytes:
    """The frame as a `dataframe_records` body."""
    return f'{{"dataframe_records":{frame.to_json(orient="records")}}}'.encode()


def split_case(name: str, title: str, model: str, frame: pd.DataFrame, callers: int = 1) -> Case:
    """A workload of `dataframe_split`."""
    return Case(name, title, model, split(frame), frame, callers=callers)


def csv_case(name: str, title: str, model: str, frame: pd.DataFrame) -> Case:
    """A workload of CSV, where MLflow hands text to the model as objects."""
    ready = frame.astype(dict.fromkeys(frame.select_dtypes("str"), object))
    return Case(name, title, model, frame.to_csv(index=False).encode(), ready, CSV)


def tensor_case(form: str) -> Case:
    """A workload of 64 images under `instances` or `inputs`."""
    pixels = images(64)
    body = orjson.dumps({form: pixels.astype("float64").round(4).tolist()})
    return Case(f"tensor-{form}", f"tensor 64x28x28, {form}", "tensor", body, pixels)


def build_cases() -> list[Case]:
    """All workloads in the order of the table, those of one model side by side."""
    one, hundred, many = doubles(1), doubles(100), doubles(10_000)
    wide, wide_csv = mixed(10_000, dates=True), mixed(10_000, dates=False)
    return [
        split_case("lr-1", "LR, 1 row", "LR", one),
        split_case("lr-1-64", "LR, 1 row, 64 callers", "LR", one, callers=64),
        Case("lr-100", "LR, 100 rows records", "LR", records(hundred), hundred),
        split_case("lr-10k", "LR, 10,000 rows split", "LR", many),
        csv_case("lr-100k-csv", "LR, 100,000 rows CSV", "LR", doubles(100_000)),
        split_case(PING, "/ping beside two callers of 10,000 rows", "LR", many, callers=2),
        split_case("noop-1", "no-op, 1 row", "no-op", one),
        split_case("wide-1", "50 columns, 1 row", "wide", mixed(1, dates=True)),
        split_case("wide-10k", "50 columns, 10,000 rows split", "wide", wide),
        csv_case("wide-10k-csv", "50 columns, 10,000 rows CSV", "wide without dates", wide_csv),
        tensor_case("instances"),
        tensor_case("inputs"),
    ]
