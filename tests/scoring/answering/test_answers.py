"""Answers in formats, as real clients of tables read them."""

import io
import json
from collections.abc import Callable, Sequence
from csv import reader as csv_reader
from dataclasses import replace
from typing import Any

import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, strategies
from starlette.testclient import TestClient

from modelserver.scoring.answering.formats import ANSWER_FORMATS
from modelserver.scoring.model import Registration
from modelserver.scoring.request import Request, score
from tests.support.large import model_of
from tests.support.outputs import OUTPUTS
from tests.support.request_rows import ABCD, CSV, JSON, PARQUET, csv, inputs, parquet, records
from tests.support.signatures import column, signature

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


@pytest.mark.repeats
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


WITH_ID: list[dict[str, Any]] = [{"id": 7, "code": "007", **ABCD}, {"id": 8, "code": None, **ABCD}]


def included(client: Client, include: str, rows: Any = WITH_ID, name: str = "ridge") -> Any:
    return client(name).post(f"/invocations?include={include}", json={"dataframe_records": rows})


def test_columns_of_the_request_stand_before_the_predictions(client: Client) -> None:
    (row, other) = included(client, "code,id").json()["predictions"]
    assert list(row) == ["code", "id", "prediction"]
    assert (row["code"], row["id"], other["code"], other["id"]) == ("007", 7, None, 8)
    alone = client("ridge").post("/invocations", json={"dataframe_records": [ABCD]}).json()
    assert [row["prediction"]] == alone["predictions"]
    (row, _) = included(client, "inputs").json()["predictions"]
    assert row == {**WITH_ID[0], "prediction": row["prediction"]}
    assert list(row) == [*WITH_ID[0], "prediction"]


SPLIT = {"columns": ["prediction", *ABCD], "data": [[2**70, *ABCD.values()]]}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": SPLIT},
        {"inputs": [{"prediction": 2**70, **ABCD}]},
        {"inputs": {"prediction": [2**70], **{name: [cell] for name, cell in ABCD.items()}}},
        {"instances": [{"prediction": 2**70, **ABCD}]},
    ],
    ids=str,
)
def test_a_name_that_both_have(client: Client, body: Any) -> None:
    answer = client("ridge").post("/invocations?include=prediction", json=body)
    (row,) = answer.json()["predictions"]
    assert list(row) == ["prediction", "prediction.1"]
    assert '"prediction":1180591620717411303424,' in answer.text


LABELLED = pd.DataFrame([{"id": "x", **ABCD}]).set_index("id")


@pytest.mark.parametrize(
    ("sent", "cell"),
    [
        (csv("id,a,b,c,d", "007,1,2,3,4"), "007"),
        (csv("a,b,id,c,d", "1,2,,3,4"), None),
        (parquet({"id": [7], **{name: [cell] for name, cell in ABCD.items()}}), 7),
        (parquet(LABELLED, LABELLED.index), "x"),
    ],
    ids=["csv", "gap", "parquet", "labels"],
)
@pytest.mark.parametrize("format_name", ANSWER_FORMATS)
def test_ids_in_files_come_back(client: Client, sent: Any, cell: Any, format_name: str) -> None:
    url = f"/invocations?include=id&format={format_name}"
    headers = {"Content-Type": sent.content_type}
    answer = client("ridge").post(url, content=sent.body, headers=headers)
    assert answer.status_code == 200, answer.text
    if format_name == "csv":
        read: Any = lambda body: pd.read_csv(io.BytesIO(body), dtype={"id": object})  # noqa: E731
        cell = None if cell is None else str(cell)
    else:
        read = READERS.get(format_name, [by_json])[-1]
    frame = read(answer.content)
    assert list(frame) == ["id", "prediction"]
    assert [None if pd.isna(found) else found for found in frame["id"]] == [cell]


@pytest.mark.parametrize(
    ("include", "name", "body", "message"),
    [
        (
            "ID",
            "ridge",
            {"dataframe_records": WITH_ID},
            "'include' names columns that the request lacks: 'ID' (did you mean 'id'?); "
            "include=inputs means all columns",
        ),
        (
            "*",
            "ridge",
            {"dataframe_records": WITH_ID},
            "'include' names columns that the request lacks: '*'; include=inputs means all columns",
        ),
        (
            "inputs,id",
            "ridge",
            {"dataframe_records": WITH_ID},
            "'include' names columns that the request lacks: 'inputs'; 'inputs' alone means all",
        ),
        ("id", "ridge", {"dataframe_records": WITH_ID}, "unknown columns: 'code'"),
        (
            "inputs",
            "tensor",
            {"inputs": [[1, 2]]},
            "'include' needs a model that takes a table with named columns",
        ),
        (
            "inputs",
            "unnamed",
            {"inputs": [[1, 2]]},
            "'include' needs a model that takes a table with named columns",
        ),
        (
            "inputs",
            "chat",
            {"messages": [{"role": "user", "content": "x"}]},
            "'include' needs a table, and a chat is none",
        ),
        (
            "inputs",
            "returns",
            {"dataframe_records": [{"how": "scalar"}]},
            "'include' needs one prediction per row: the prediction is a single int",
        ),
        (
            "inputs",
            "returns",
            {"dataframe_records": [{"how": "ints"}]},
            "'include' needs one prediction per row: the model returned 2 for 1 rows",
        ),
    ],
)
def test_what_include_cannot_do(
    client: Client, include: str, name: str, body: Any, message: str
) -> None:
    answer = client(name).post(f"/invocations?include={include}", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_row_names_of_r_are_included_only_by_name(client: Client) -> None:
    rows = [{"_row": "1", **ABCD}]
    (row,) = included(client, "inputs", rows).json()["predictions"]
    assert list(row) == [*ABCD, "prediction"]
    (row,) = included(client, "_row", rows).json()["predictions"]
    assert list(row) == ["_row", "prediction"]


def test_names_with_commas_stand_in_quotes(client: Client) -> None:
    rows = [{"a,b": 1, "ü": 2, **ABCD}]
    (row,) = included(client, "%22a,b%22,%C3%BC", rows).json()["predictions"]
    assert list(row) == ["a,b", "ü", "prediction"]


def test_times_of_an_answer(client: Client) -> None:
    body = {"dataframe_records": [{"seconds": 0.05}]}
    answer = client("sleeps").post("/invocations", json=body)
    parts = [part.split(";dur=") for part in answer.headers["server-timing"].split(", ")]
    times = {name: float(duration) for name, duration in parts}
    assert list(times) == ["read", "wait", "predict", "write"]
    assert times["predict"] >= 50


def test_the_version_of_a_model_from_a_registry(client: Client) -> None:
    service = client("ridge").app.state.service  # type: ignore[attr-defined]
    answer = output(client, "ints")
    assert "x-model-version" not in answer.headers
    state = service.lifecycle.state
    registered = replace(state.model, registration=Registration("models:/m/3", "m", "3"))
    service.lifecycle.state = replace(state, model=registered)
    answer = client("ridge").post("/invocations", json={"dataframe_records": [ABCD]})
    service.lifecycle.state = state
    assert answer.headers["x-model-version"] == "3"


TYPED = signature(
    column("long", "i"),
    column("long", "gap", required=False),
    column("float", "x"),
    column("boolean", "b", required=False),
)
SENT_IN_CSV = b"i,gap,x,b,z\n9007199254740993.0,,0.10,true,0.10\n1,5,true,,1e16\n"
SENT_IN_NDJSON = b"""
{"i": 9007199254740993.0, "gap": null, "x": 0.1, "b": 1, "z": 1e16}
{"i": 1, "gap": 5.0, "x": 1, "b": null, "z": 0.5}
"""


@pytest.mark.parametrize(
    ("body", "media_type", "untyped"),
    [(SENT_IN_CSV, CSV, ["0.10", "1e16"]), (SENT_IN_NDJSON, NDJSON, [1e16, 0.5])],
    ids=["csv", "ndjson"],
)
@pytest.mark.parametrize("format_name", ANSWER_FORMATS)
def test_columns_of_the_model_come_back_with_its_types(
    body: bytes, media_type: str, untyped: list[Any], format_name: str
) -> None:
    model = model_of(TYPED, lambda payload: payload.data["i"].tolist())
    request = Request(body, media_type, None, 10_000, ANSWER_FORMATS[format_name], ("inputs",))
    answer = score(model, request).body
    exact = 9007199254740993
    if format_name == "csv":
        first, second = untyped
        assert answer.decode() == (
            f"i,gap,x,b,z,prediction\r\n{exact},,0.1,true,{first},{exact}\r\n"
            f"1,5,1.0,,{second},1\r\n"
        )
        return
    readers = {"parquet": pq.read_table, "arrow": lambda file: pa.ipc.open_stream(file).read_all()}
    if format_name in readers:
        rows = readers[format_name](io.BytesIO(answer)).to_pylist()
    elif format_name == "json":
        rows = json.loads(answer)["predictions"]
    else:
        rows = list(map(json.loads, answer.splitlines()))
    names = ["i", "gap", "x", "b", "z", "prediction"]
    cells = [[exact, None, 0.1, True, untyped[0], exact], [1, 5, 1.0, None, untyped[1], 1]]
    assert str([list(row.values()) for row in rows]) == str(cells)
    assert list(rows[0]) == names


@pytest.mark.parametrize("format_name", ANSWER_FORMATS)
def test_how_deep_a_carried_cell_may_be(client: Client, format_name: str) -> None:
    for levels, status in ((60, 200), (61, 400), (900, 400)):
        cell = json.loads("[" * levels + "1" + "]" * levels)
        body = {"dataframe_records": [{"z": cell, **ABCD}, {"z": None, **ABCD}]}
        answer = client("ridge").post(f"/invocations?include=z&format={format_name}", json=body)
        assert answer.status_code == status, answer.text
    assert answer.json()["message"] == "'include' names a column that is nested too deeply: 'z'"


def test_cells_of_a_large_body_come_back_as_they_were_sent(client: Client) -> None:
    data = [[f"{row:08}", row, 1.0, 2.5, 3.0, 4.0] for row in range(2000)]
    body = {"dataframe_split": {"columns": ["code", "id", *"abcd"], "data": data}}
    for include, width in (("inputs", 6), ("code,id", 2)):
        answer = client("ridge").post(f"/invocations?include={include}", json=body)
        rows = [list(row.values()) for row in answer.json()["predictions"]]
        assert json.dumps([row[:-1] for row in rows]) == json.dumps([row[:width] for row in data])


CELLS = strategies.one_of(
    strategies.lists(strategies.none() | strategies.integers(-(2**53), 2**53), min_size=1),
    strategies.lists(strategies.none() | strategies.floats(allow_nan=False, allow_infinity=False)),
    strategies.lists(strategies.none() | strategies.text("aé,;\"'\n\r =0", min_size=1)),
    strategies.lists(strategies.none() | strategies.booleans()),
)


@given(CELLS.filter(len))
@example([None])
@example(["007", "NA", "a\r\nb"])
def test_cells_are_the_same_in_every_format(cells: list[Any]) -> None:
    columns = {"x": cells, "n": list(range(len(cells)))}
    rows = [{"x": cell, "n": place} for place, cell in enumerate(cells)]
    bodies = {name: row.write(columns) for name, row in ANSWER_FORMATS.items()}
    assert json.loads(bodies["json"]) == {"predictions": rows}
    assert [json.loads(line) for line in bodies["ndjson"].split(b"\n")[:-1]] == rows
    assert pa.ipc.open_stream(bodies["arrow"]).read_all().to_pylist() == rows
    assert pq.read_table(io.BytesIO(bodies["parquet"])).to_pylist() == rows
    read = list(csv_reader(io.StringIO(bodies["csv"].decode(), newline="")))
    assert read == [["x", "n"], *([as_text(row["x"]), str(row["n"])] for row in rows)]


def as_text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
