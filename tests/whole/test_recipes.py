"""docs/recipes.md does what it says, and so does a call of docs/protocol.md: each program is run as
it stands there, against a server that asks for a key. What runs in other people's programs alone is
tried as the request that it makes."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
import requests

import example_test
from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from tests.support.needs import need, need_r_packages
from tests.support.processes import ROOT, status, wait_for
from tests.support.serving import serving

PROTOCOL: Final = (ROOT / "docs" / "protocol.md").read_text()
RECIPES: Final = (ROOT / "docs" / "recipes.md").read_text()

KEY: Final = "the-key-of-the-caller"
CONTENT: Final = "https://connect.example.com/content/the-guid"


def recipe(heading: str, number: int = 0) -> str:
    """The code below a heading."""
    section = RECIPES.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks: list[str] = re.findall(r"```\w+\n(.*?)```", section, re.S)
    return blocks[number]


@pytest.fixture(scope="module")
def api(model_path: Callable[[str], Path]) -> Iterator[str]:
    settings = read_settings({"MODEL_URI": str(model_path("wine")), "API_KEY": KEY})
    with serving(create_app(settings)) as base:
        wait_for(lambda: status(f"{base}/ping") == 200)
        yield base


@pytest.fixture
def wines(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The table in `wines.csv`, in the folder in which the programs run."""
    table, _ = example_test.wine_table()
    table = table.iloc[::40].reset_index(drop=True)
    table.insert(0, "id", [f"w{row}" for row in range(len(table))])
    table.to_csv(tmp_path / "wines.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API", api)
    monkeypatch.setenv("CONNECT_API_KEY", KEY)
    return table


def expected(api: str, wines: pd.DataFrame) -> list[list[str]]:
    """An id and a prediction for each wine."""
    rows = wines.drop(columns="id").to_dict("split", index=False)
    answer = ask(api, "", json.dumps({"dataframe_split": rows}))
    return [list(pair) for pair in zip(wines["id"], answer.json()["predictions"], strict=True)]


@pytest.mark.processes
def test_open_inference_with_the_model_of_the_demo(api: str) -> None:
    section = PROTOCOL.partition("\n## Open Inference\n")[2]
    command = section.partition("```bash\n")[2].partition("```")[0].replace("https://…", api)
    with_key = command.replace("curl ", f"curl -s -H 'Authorization: Key {KEY}' ")
    (output,) = json.loads(run("bash", "-c", with_key))["outputs"]
    assert output["data"] == ["cultivar 1", "cultivar 2"]


def ask(api: str, query: str, body: str | bytes, **headers: str) -> requests.Response:
    headers = {"Content-Type": "application/json", "Authorization": f"Key {KEY}", **headers}
    return requests.post(f"{api}/invocations{query}", data=body, headers=headers, timeout=60)


def run(*command: str) -> str:
    need(shutil.which(command[0]), f"there is no {command[0]}")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.processes
def test_shell(api: str, wines: pd.DataFrame) -> None:
    run("bash", "-c", recipe("Shell"))
    assert pd.read_csv("predictions.csv").to_numpy().tolist() == expected(api, wines)


@pytest.mark.processes
def test_a_fault_in_the_shell_is_in_the_file(api: str, wines: pd.DataFrame) -> None:
    Path("wines.csv").write_text("id,alcohol\nw1,much\n")
    with pytest.raises(AssertionError):
        run("bash", "-c", recipe("Shell"))
    assert "missing columns" in json.loads(Path("predictions.csv").read_text())["message"]


PYTHON: Final[dict[str, Callable[[Any], Any]]] = {
    "pandas": lambda table: table,
    "Polars": lambda table: table.to_pandas(),
    "DuckDB": lambda relation: relation.df(),
}
"""How the table that a program makes becomes one of pandas."""


@pytest.mark.parametrize("heading", PYTHON)
def test_python(heading: str, api: str, wines: pd.DataFrame) -> None:
    names: dict[str, Any] = {}
    exec(recipe(heading), names)
    table = PYTHON[heading](names["predictions"]).sort_values("id")
    assert table[["id", "prediction"]].to_numpy().tolist() == expected(api, wines)


@pytest.fixture
def open_wines(
    wines: pd.DataFrame, model_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[pd.DataFrame]:
    """The same table for a server without keys, and no key in the environment."""
    monkeypatch.delenv("CONNECT_API_KEY")
    with serving(create_app(read_settings({"MODEL_URI": str(model_path("wine"))}))) as base:
        wait_for(lambda: status(f"{base}/ping") == 200)
        monkeypatch.setenv("API", base)
        yield wines


LOCAL: Final = "http://127.0.0.1:8000"


@pytest.mark.processes
def test_a_server_without_keys_needs_none(api: str, open_wines: pd.DataFrame) -> None:
    for heading, made in PYTHON.items():
        names: dict[str, Any] = {}
        exec(recipe(heading), names)
        table = made(names["predictions"]).sort_values("id")
        assert table[["id", "prediction"]].to_numpy().tolist() == expected(api, open_wines)
        assert f'os.getenv("API", "{LOCAL}")' in recipe(heading)
    run("bash", "-c", recipe("Shell"))
    assert pd.read_csv("predictions.csv").to_numpy().tolist() == expected(api, open_wines)
    assert f"${{API:-{LOCAL}}}" in recipe("Shell")


@pytest.mark.processes
def test_a_server_without_keys_needs_none_in_r(api: str, open_wines: pd.DataFrame) -> None:
    need_r_packages()
    shown = run("Rscript", "-e", f"{recipe('R')}\ncat(jsonlite::toJSON(predictions))")
    assert [[r["id"], r["prediction"]] for r in json.loads(shown)] == expected(api, open_wines)
    assert f'Sys.getenv("API", "{LOCAL}")' in recipe("R")


@pytest.mark.parametrize("heading", PYTHON)
def test_python_shows_what_is_wrong(heading: str, wines: pd.DataFrame) -> None:
    wines.drop(columns="alcohol").to_csv("wines.csv", index=False)
    with pytest.raises(SystemExit, match="missing columns: 'alcohol'"):
        exec(recipe(heading), {})


@pytest.mark.processes
def test_r(api: str, wines: pd.DataFrame) -> None:
    need_r_packages()
    written = 'write.csv(wines, "wines.csv", row.names = FALSE, na = "")'
    assert written in RECIPES
    frame = f'wines <- read.csv("wines.csv"); {written}'
    shown = run("Rscript", "-e", f"{frame}\n{recipe('R')}\ncat(jsonlite::toJSON(predictions))")
    found = json.loads(shown)
    assert [[row["id"], row["prediction"]] for row in found] == expected(api, wines)


GOOGLE: Final = """
const { execFileSync } = require("node:child_process");
const properties = { getProperty: (name) => process.env[name] };
const PropertiesService = { getScriptProperties: () => properties };
const sheets = {
  wines: { getDataRange: () => ({ getValues: () => VALUES }) },
  predictions: {
    clear: () => sheets.predictions,
    getRange: (...place) => ({
      setValues: (values) => console.log(JSON.stringify({ place, values })),
    }),
  },
};
const SpreadsheetApp = { getActive: () => ({ getSheetByName: (name) => sheets[name] }) };
const UrlFetchApp = {
  fetch(url, { method, contentType, headers, payload }) {
    const lines = Object.entries({ ...headers, "Content-Type": contentType });
    const sent = lines.flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    const asked = ["-s", "-w", "\\n%{http_code}", "-X", method.toUpperCase(), url, ...sent];
    const answer = execFileSync("curl", [...asked, "--data-binary", "@-"], { input: payload });
    const [, body, code] = answer.toString().match(/^([^]*)\\n(\\d+)$/);
    return { getContentText: () => body, getResponseCode: () => Number(code) };
  },
};
"""
"""What Apps Script offers, with curl for the requests. An empty cell is an empty text there."""


@pytest.mark.processes
def test_google_sheets(api: str, wines: pd.DataFrame) -> None:
    program = recipe("Google Sheets").replace(CONTENT, api)
    assert program != recipe("Google Sheets")
    values = [list(wines), *wines.astype(object).to_numpy().tolist()]
    stand_ins = GOOGLE.replace("VALUES", json.dumps(values))
    found = json.loads(run("node", "-e", f"{stand_ins}{program}predict();"))
    rows = expected(api, wines)
    assert found == {"place": [1, 1, 1 + len(rows), 2], "values": [["id", "prediction"], *rows]}
    values[1][1] = ""
    stand_ins = GOOGLE.replace("VALUES", json.dumps(values))
    with pytest.raises(AssertionError, match="missing values in 'alcohol'"):
        run("node", "-e", f"{stand_ins}{program}predict();")


def power_query(number: int) -> tuple[str, dict[str, str], str]:
    """The request that a query makes: its URL, its headers, and the code that makes the body."""
    code = recipe("Excel and Power BI", number)
    (url,) = re.findall(r'Web\.Contents\("(.*?)"', code)
    (path,) = re.findall(r'RelativePath = "(.*?)"', code)
    query, headers = (
        {key or quoted: value for quoted, key, value in re.findall(FIELD, text)}
        for text in re.findall(r"(?:Query|Headers) = \[(.*)\]", code)
    )
    (content,) = re.findall(r"Content = (.*)[,\n]", code)
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{url}/{path}?{parameters}", headers, content.rstrip(",")


FIELD: Final = r'(?:#"([^"]*)"|(\w+)) = "([^"]*)"'
"""A field of a record in the language of Power Query."""


def test_power_query_with_a_table(api: str, wines: pd.DataFrame) -> None:
    url, headers, content = power_query(0)
    assert content == "Json.FromValue([dataframe_records = Wines])"
    body = json.dumps({"dataframe_records": wines.to_dict("records")})
    answer = requests.post(url.replace(CONTENT, api), data=body, headers=keyed(headers), timeout=60)
    rows = answer.json()["predictions"]
    assert [[row["id"], row["prediction"]] for row in rows] == expected(api, wines)
    refused = ask(api, "", "[]")
    assert refused.status_code == 400
    assert "message" in refused.json()


def test_power_query_with_a_file(api: str, wines: pd.DataFrame) -> None:
    url, headers, content = power_query(1)
    assert content.startswith("File.Contents(")
    body = Path("wines.csv").read_bytes()
    answer = requests.post(url.replace(CONTENT, api), data=body, headers=keyed(headers), timeout=60)
    lines = answer.content.decode("utf-8").splitlines()
    assert [line.split(",") for line in lines] == [["id", "prediction"], *expected(api, wines)]


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("your-key", KEY) for name, value in headers.items()}
