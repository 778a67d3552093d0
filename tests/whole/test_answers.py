"""Answers in formats, as real clients of tables read them."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import polars
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from modelserver.answering.formats import ANSWER_FORMATS
from tests.support.outputs import OUTPUTS
from tests.support.request_rows import ABCD, CSV, JSON, PARQUET, csv, inputs, parquet, records

Client = Callable[..., TestClient]

ARROW = "application/vnd.apache.arrow.stream"
NDJSON = "application/x-ndjson"


def by_arrow(body: bytes) -> pd.DataFrame:
    frame: pd.DataFrame = pa.ipc.open_stream(body).read_all().to_pandas()
    return frame


def by_json(body: bytes) -> pd.DataFrame:
    return pd.DataFrame(json.loads(body)["predictions"])


READERS: dict[str, Sequence[Callable[[bytes], Any]]] = {
    "csv": [
        lambda body: pd.read_csv(io.BytesIO(body)),
        lambda body: polars.read_csv(body).to_pandas(),
    ],
    "ndjson": [
        lambda body: pd.read_json(io.BytesIO(body), lines=True, precise_float=True),
        lambda body: polars.read_ndjson(body).to_pandas(),
    ],
    "parquet": [
        lambda body: pd.read_parquet(io.BytesIO(body)),
        lambda body: polars.read_parquet(body).to_pandas(),
    ],
    "arrow": [by_arrow, lambda body: polars.read_ipc_stream(body).to_pandas()],
}


def output(client: Client, name: str, query: str = "", accept: str | None = None) -> Any:
    """The answer of the model that returns the output of this name."""
    body = {"dataframe_records": [{"how": name}]}
    headers = {"Accept": accept} if accept else {}
    return client("returns").post(f"/invocations{query}", json=body, headers=headers)


@pytest.mark.parametrize("name", ["frame", "frame_nan", "twice", "ints", "floats", "texts"])
@pytest.mark.parametrize("format_name", READERS)
def test_clients_read_the_same_table(client: Client, format_name: str, name: str) -> None:
    answer = output(client, name, f"?format={format_name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == ANSWER_FORMATS[format_name].media_type
    plain = output(client, name).json()["predictions"]
    rows = plain if isinstance(plain[0], dict) else [{"prediction": value} for value in plain]
    for read in READERS[format_name]:
        pd.testing.assert_frame_equal(
            read(answer.content), pd.DataFrame(rows), check_dtype=False, check_column_type=False
        )


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", None, JSON),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        ("", "text/csv", f"{CSV}; charset=utf-8"),
        ("", "application/jsonl", NDJSON),
        ("?format=arrow", "text/csv", ARROW),
        ("?format=json", "text/csv", JSON),
        ("?format=parquet", "image/png", PARQUET),
    ],
)
def test_the_type_of_the_answer(
    client: Client, query: str, accept: str | None, media_type: str
) -> None:
    answer = output(client, "ints", query, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("query", "accept", "status", "words"),
    [
        ("", "image/png", 406, "an answer can be one of application/json, text/csv, "),
        ("?format=xlsx", None, 400, "is one of json, csv, ndjson, parquet, arrow, not 'xlsx'"),
        ("?formt=csv", None, 400, "did you mean 'format'?"),
    ],
)
def test_what_is_refused_is_refused_in_json(
    client: Client, query: str, accept: str | None, status: int, words: str
) -> None:
    answer = output(client, "ints", query, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (status, JSON)
    assert words in answer.json()["message"]


@pytest.mark.parametrize("format_name", READERS)
def test_what_is_no_table_is_json_alone(client: Client, format_name: str) -> None:
    answer = output(client, "scalar", f"?format={format_name}")
    title = ANSWER_FORMATS[format_name].title
    said = f"{title} cannot hold it: the prediction is a single int; ask for JSON"
    assert (answer.status_code, answer.json()["message"]) == (406, said)


def test_a_chat_is_answered_in_json_alone(client: Client) -> None:
    chat = {"messages": [{"role": "user", "content": "hello"}]}
    refused = client("chat").post("/invocations?format=csv", json=chat)
    assert refused.json()["message"] == "the answer to a chat is no table; ask for JSON"
    assert refused.status_code == 406
    assert client("chat").post("/invocations?format=json", json=chat).status_code == 200


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("format_name", READERS)
def test_every_output_is_a_table_or_refused(client: Client, format_name: str, name: str) -> None:
    answer = output(client, name, f"?format={format_name}")
    plain = output(client, name)
    if plain.status_code == 500:
        assert answer.status_code in (406, 500)
    else:
        assert answer.status_code in (200, 406) or name == "surrogate"


def test_formulas_are_quoted_where_the_setting_says_so(client: Client) -> None:
    body = {"dataframe_records": [{"how": "formulas"}]}
    kept, quoted = (
        client("returns", CSV_QUOTE_FORMULAS=word).post("/invocations?format=csv", json=body)
        for word in ("off", "on")
    )
    assert kept.text == "prediction\r\n=1+1\r\n-1\r\n"
    assert quoted.text == "prediction\r\n'=1+1\r\n'-1\r\n"


@pytest.mark.parametrize(
    "sent",
    [inputs([ABCD]), records(ABCD), csv("a,b,c,d", "1,2,3,4"), parquet([ABCD])],
    ids=["inputs", "records", "csv", "parquet"],
)
@pytest.mark.parametrize("format_name", READERS)
def test_each_format_in_is_answered_in_each_format(
    client: Client, sent: Any, format_name: str
) -> None:
    headers = {"Content-Type": sent.content_type}
    answer = client("ridge").post(
        f"/invocations?format={format_name}", content=sent.body, headers=headers
    )
    plain = client("ridge").post("/invocations", content=sent.body, headers=headers)
    for read in READERS[format_name]:
        assert read(answer.content)["prediction"].tolist() == plain.json()["predictions"]
