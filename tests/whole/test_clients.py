"""Real clients against a real server: what reaches the model is what the client holds."""

import importlib
import importlib.util
import io
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import requests
from mlflow.models import ModelSignature
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from modelserver.app import create_app
from modelserver.describing.snippets import SERVER, snippets
from modelserver.hosting.settings import read_settings
from tests.support.needs import need, need_r_packages
from tests.support.processes import ROOT, status, wait_for
from tests.support.serving import serving
from tests.support.zoo import Echo, _columns, account_of, save_pyfunc

# How pyarrow reads a frame, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning:DeprecationWarning")

README = (ROOT / "README.md").read_text()

SIGNATURE = ModelSignature(
    _columns(
        ("double", "x", False),
        ("long", "n"),
        ("integer", "i"),
        ("float", "f"),
        ("string", "s", False),
        ("boolean", "b"),
        ("datetime", "d", False),
        ("datetime", "z", False),
    )
)

FRAME = pd.DataFrame(
    {
        "x": [0.1 + 0.2, np.nan, 1 / 3],
        "n": [2**53 + 1, 1, -5],
        "i": pd.array([1, 2, 3], "int32"),
        "f": pd.array([0.1, 0.5, -1.5], "float32"),
        "s": ["a", None, 'NA, "é"\n'],
        "b": [True, False, True],
        "d": pd.to_datetime(["2024-01-01T00:00:00.123456", "NaT", "1969-07-20"], format="ISO8601"),
        "z": pd.to_datetime(["2024-01-01T17:00:00.123456", "NaT", "2024-07-01"], format="ISO8601"),
    },
    index=["r1", "r2", "r3"],
).astype({"d": "datetime64[ns]", "z": "datetime64[ns]"})
"""As the model gets it; clients hold `z` in a time zone."""

ZONED = FRAME.assign(z=FRAME["z"].dt.tz_localize("UTC").dt.tz_convert("America/New_York"))

ROUNDED = FRAME.assign(x=[0.3, np.nan, 0.333333333333333])
"""With 15 digits."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = save_pyfunc(tmp_path_factory.mktemp("echo") / "model", Echo(), signature=SIGNATURE)
    with serving(create_app(read_settings({"MODEL_URI": str(path)}))) as base:
        wait_for(lambda: status(f"{base}/ping") == 200)
        yield f"{base}/invocations"


def seen(answer: Any) -> Any:
    """What reached the model, in the answer of the echo."""
    return answer["predictions"]["input"]


def as_seen(frame: pd.DataFrame) -> Any:
    return account_of(frame.reset_index(drop=True))


# In the README the table comes from a file and the server is one's own; tests have theirs.
OWN = re.compile(r"^(wines <- read\.csv|import |url, wines = ).*\n", re.M)


def readme(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", README.partition("## Predict")[2], re.S)
    assert OWN.search(code)
    return OWN.sub("", code)


def test_the_readmes_python(url: str) -> None:
    answers: list[Any] = []
    names = {"requests": requests, "url": url, "wines": ZONED, "answers": answers}
    code = re.sub("^requests", "answers += requests", readme("python"), flags=re.M)
    exec(code.replace(".json()", ".json(),"), names)
    assert [seen(answer) for answer in answers] == [as_seen(FRAME), as_seen(ROUNDED)]


def test_the_pages_python(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    cells = json.loads(ZONED.to_json(orient="records", date_format="iso", date_unit="ns"))
    body = {"dataframe_records": [{**cells[0], "x": 0.1 + 0.2}, {**cells[2], "x": 1 / 3}]}
    exec(code_of("Python", body).replace(f"{SERVER}/invocations", url), {})
    answer = eval(capsys.readouterr().out)
    assert answer["input"] == as_seen(FRAME.iloc[[0, 2]])


def code_of(language: str, body: dict[str, Any]) -> str:
    return {call.label: call.sample["source"] for call in snippets(body, "")}[language]


R_FRAME = """
data.frame(
  x = c(0.1, NA, 1e-20), n = c(123456789012345, 1, -5), i = 1:3, f = c(0.5, -1.5, 2),
  s = factor(c("a", NA, 'NA, "é"\\n')), b = c(TRUE, FALSE, TRUE),
  d = as.Date(c("2024-01-01", NA, "1969-07-20")),
  z = as.POSIXct(c("2024-01-01 12:00:00.5", NA, "2024-06-30 20:00:00"))
)"""

R_ARRIVES = FRAME.assign(
    x=[0.1, np.nan, 1e-20],
    n=[123456789012345, 1, -5],
    f=pd.array([0.5, -1.5, 2], "float32"),
    d=FRAME["d"].dt.floor("D"),
    z=FRAME["z"].dt.floor("s"),
)


def r_code(what: str) -> tuple[str, str]:
    """A call, and the name of the table that it sends."""
    if what == "readme":
        return readme("r"), "wines"
    page = code_of("R", {"dataframe_records": [{"x": 1}]})
    return re.sub(r"rows <- data\.frame\(.*?\n\)\n", "", page, flags=re.S), "rows"


def run_r(code: str) -> str:
    """What R prints, in a time zone that is not UTC."""
    need_r_packages()
    environment = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(["Rscript", "-e", code], capture_output=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.decode()


@pytest.mark.processes
@pytest.mark.parametrize("what", ["readme", "page"])
@pytest.mark.parametrize(
    ("rows", "arrives"), [("", R_ARRIVES), ("[1, ]", R_ARRIVES.head(1))], ids=["all", "one_row"]
)
def test_r(what: str, rows: str, arrives: pd.DataFrame, url: str) -> None:
    code, name = r_code(what)
    code = re.sub(r'request\("[^"]*"\)', f'request("{url}")', code)
    shown = "cat(httr2::resp_body_string(httr2::last_response()))"
    program = f"{name} <- {R_FRAME}{rows}\ninvisible({{{code}}})\n{shown}"
    assert seen(json.loads(run_r(program))) == as_seen(arrives)


@pytest.mark.processes
@pytest.mark.parametrize("options", ["", ', digits = NA, na = "null"'])
def test_r_as_it_is_without_advice(options: str, url: str) -> None:
    """Missing values are "NA" by default, times are those of the zone, and row names a column."""
    frame = f"{R_FRAME.strip()[:-1]}, row.names = c('r1', 'r2', 'r3'))"
    program = f"""
table <- {frame}[setdiff(names(SIGNATURE), "z")]
invisible(httr2::request("{url}") |>
  httr2::req_body_json(list(dataframe_records = table){options}) |> httr2::req_perform())
cat(httr2::resp_body_string(httr2::last_response()))"""
    names = ", ".join(f"{name} = 1" for name in FRAME)
    answer = json.loads(run_r(program.replace("SIGNATURE", f"c({names})")))
    assert seen(answer) == as_seen(R_ARRIVES.drop(columns="z"))


@pytest.mark.parametrize("rows", [slice(None), slice(0, 1)], ids=["gaps", "full"])
def test_mlflows_own_client(rows: slice, url: str) -> None:
    address = urlsplit(url)
    client = ScoringServerClient(str(address.hostname), int(address.port or 0))
    client.wait_server_ready(timeout=10, scoring_server_proc=None)
    frame = FRAME[rows]
    assert seen(client.invoke(frame)) == account_of(frame)


def arrow_parquet(table: Any) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target)
    return target.getvalue()


def arrow_csv(table: Any) -> bytes:
    target = io.BytesIO()
    pyarrow.csv.write_csv(table, target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("media_type", "write"),
    [("application/vnd.apache.parquet", arrow_parquet), ("text/csv", arrow_csv)],
    ids=["parquet", "csv"],
)
def test_pyarrow(media_type: str, write: Callable[[Any], bytes], url: str) -> None:
    body = write(pa.Table.from_pandas(ZONED, preserve_index=False))
    answer = requests.post(url, data=body, headers={"Content-Type": media_type}, timeout=60)
    assert seen(answer.json()) == as_seen(FRAME)


def polars_parquet(table: Any) -> bytes:
    target = io.BytesIO()
    table.write_parquet(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("media_type", "write"),
    [
        ("application/vnd.apache.parquet", polars_parquet),
        ("application/json", lambda table: f'{{"dataframe_records": {table.write_json()}}}'),
        ("text/csv", lambda table: table.write_csv()),
    ],
    ids=["parquet", "json", "csv"],
)
def test_polars(media_type: str, write: Callable[[Any], Any], url: str) -> None:
    need(importlib.util.find_spec("polars"), "there is no polars")
    polars = importlib.import_module("polars")
    body = write(polars.from_pandas(ZONED, include_index=False))
    data = body.encode() if isinstance(body, str) else body
    answer = requests.post(url, data=data, headers={"Content-Type": media_type}, timeout=60)
    assert seen(answer.json()) == as_seen(FRAME)
