"""What README and docs/ say is true: settings, differences, paths, examples, links, length."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modelserver.app import PATHS
from modelserver.deployment.bundle import ARGUMENTS
from modelserver.errors import error_body
from modelserver.hosting.login import CONNECT_KEY, ELSEWHERE, KEY_AS_TOKEN, NO_KEY
from modelserver.hosting.settings import SETTINGS
from modelserver.hosting.variables import Setting
from modelserver.loading import registry
from modelserver.loading.explaining import (
    advice,
    fetching,
    looking_up,
    misspelt,
    model_packages,
    network,
    while_loading as loading,
)
from modelserver.reading.fast import FAST
from modelserver.reading.formats import FORMATS, JSON
from modelserver.scoring.request import SMALL
from modelserver.scoring.scheduling import placement
from modelserver.states import UNCONFIGURED
from tests.whole.test_against_mlflow import DIFFERENCES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONNECT, OPERATIONS, PROTOCOL, RECIPES = (
    (ROOT / "docs" / f"{page}.md").read_text()
    for page in ("connect", "operations", "protocol", "recipes")
)

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()

HEADINGS = re.compile(r"^#+ (.*)$", re.M)

# Settings whose default depends on the machine say it in words.
SPOKEN_DEFAULTS = {
    "PREDICT_WORKERS": "1 per core",
    "MAX_QUEUE": "64 per worker",
    "MAX_HELD_BYTES": "4 times MAX_REQUEST_BYTES",
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_settings_table(setting: Setting[object]) -> None:
    default = SPOKEN_DEFAULTS.get(setting.name) or setting.default
    shown = "none" if default is None else default
    assert f"| `{setting.name}` | {shown} | {setting.meaning} |" in OPERATIONS


def test_no_other_settings_are_promised() -> None:
    table = OPERATIONS.partition("## Settings")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([A-Z_]+)` \|", table, re.M) == [s.name for s in SETTINGS.values()]


@pytest.mark.parametrize("media_type", sorted(FORMATS.keys() - {JSON}))
def test_every_format_is_described(media_type: str) -> None:
    assert f"| `{media_type}` | " in PROTOCOL


@pytest.mark.parametrize("key", DIFFERENCES)
def test_differences_table(key: str) -> None:
    row = DIFFERENCES[key]
    assert f"| {row.mlflow} | {row.here} | {row.why} |" in PROTOCOL


def test_deployment_command() -> None:
    (line,) = re.findall(r"^rsconnect deploy .*$", CONNECT, re.M)
    assert line == f"rsconnect deploy fastapi -E MODEL_URI=models:/my-model/1 {ARGUMENTS}"


# Messages of Connect, pip and rsconnect, which stand in the table beside our own.
OF_OTHERS = {
    "No module named 'pkg_resources'",
    "deploy api",
    "deploy fastapi",
    "unexpected response",
    "413",
}


def test_troubleshooting_quotes_what_is_said() -> None:
    table = CONNECT.partition("| you see | do |")[2].partition("\n\n")[0]
    seen = re.findall(r"`([^`]+)`", "\n".join(row.split(" | ")[0] for row in table.splitlines()))
    modules = (advice, fetching, loading, looking_up, misspelt, model_packages, network, registry)
    sources = [Path(str(module.__file__)).read_text() for module in modules]
    said = " ".join([UNCONFIGURED, CONNECT_KEY, NO_KEY, KEY_AS_TOKEN, ELSEWHERE, *sources])
    assert len(seen) > 10
    for quoted in set(seen) - OF_OTHERS:
        assert quoted.rstrip("… ") in said, quoted


def test_the_rates_of_large_tables_are_those_that_were_measured() -> None:
    measured = (ROOT / "benchmarks.md").read_text().partition("## Tables larger than memory")[2]
    ((csv, ndjson),) = re.findall(r"\| in chunks \| ([\d.]+) MB/s \| ([\d.]+) MB/s \|", measured)
    said = re.sub(r"\s+", " ", PROTOCOL)
    assert f"{float(csv):.0f} MB of CSV and {float(ndjson):.0f} MB of NDJSON a second" in said


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_described(path: str) -> None:
    assert re.search(rf"^\| .*`(GET|POST) {re.escape(path)}`.* \|$", PROTOCOL, re.M)


def test_the_first_example_predicts_what_it_says(client: Callable[..., TestClient]) -> None:
    section = README.partition("## Predict")[2]
    (body,) = re.findall(r"curl [^\n]*/invocations -H [^\n]* -d '(.*?)'\n", section, re.S)[:1]
    (answer,) = re.findall(r"```json\n(.*?)\n```", section, re.S)[:1]
    headers = {"Content-Type": "application/json"}
    response = client("wine").post("/invocations", content=body, headers=headers)
    assert response.text == answer


def test_the_error_example_is_real(client: Callable[..., TestClient]) -> None:
    section = PROTOCOL.partition("## Errors")[2]
    (shown,) = re.findall(r"```json\n(.*?)\n```", section, re.S)
    example = json.loads(shown)
    wine = json.loads(re.findall(r"\[(\{\"alcohol\".*?\})\]", README, re.S)[0])
    body = {"dataframe_records": [wine | {"magnesium": 100.5}]}
    answer = client("wine").post("/invocations", json=body).json()
    assert list(example) == list(error_body("", "", (), ""))
    assert answer | {"request_id": ""} == example | {"request_id": ""}


def test_limits_are_those_of_the_code() -> None:
    section = " ".join(OPERATIONS.partition("## Limits")[2].partition("\n## ")[0].split())
    bounds = placement.SHORT, placement.SHORT_FOR_ONE, placement.SHORT_TOGETHER, placement.SLOW
    short, alone, together, slow = (f"{seconds * 1000:g} ms" for seconds in bounds)
    assert (
        f"If the last {placement.TRUSTED_AFTER} predictions of a model took less than {short} each "
        f"({alone} if they all came over one connection), bodies of up to {SMALL // 1024} KB are "
    ) in section
    assert placement.ALONE_AFTER == placement.TRUSTED_AFTER
    assert f"as many are predicted together as take less than {together}." in section
    assert f"a prediction of more than {slow}, the next {placement.PENALTY:,} requests" in section
    assert f"JSON tables of {FAST[-1].smallest // 1024} KB and more are read fastest" in section


def test_speed_is_what_was_measured() -> None:
    section = OPERATIONS.partition("## Speed")[2].partition("\n## ")[0]
    measured = (ROOT / "benchmarks.md").read_text()
    rows = re.findall(r"^\| (\w[^|]*) \| (.*) \|$", section.partition("\n\n| for |")[0], re.M)
    for title, numbers in rows:
        assert f"| {title} | server CPU ms/request | {numbers} |" in measured
    assert len(rows) == 6
    theirs, here = re.search(r"\| RSS MB \| (\d+) \| (\d+) \|", measured).groups()  # type: ignore[union-attr]
    assert f"{here} MB in place of {theirs}." in section
    (rates,) = re.findall(r"64 callers \| requests/s \| (\S+) \| (\S+) \|", measured)
    assert f"got {rates[1]} answers a second in place of {rates[0]}," in section


@pytest.mark.parametrize("page", [README, CONNECT, OPERATIONS, PROTOCOL, RECIPES, CONTRIBUTING])
def test_links_lead_somewhere(page: str) -> None:
    folder = ROOT if page in (README, CONTRIBUTING) else ROOT / "docs"
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page):
        path, _, heading = link.partition("#")
        assert not path or (folder / path).is_file(), link
        text = (folder / path).read_text() if path and heading else page
        names = [name.lower().replace(" ", "-").replace("'", "") for name in HEADINGS.findall(text)]
        assert not heading or heading in names, link


def test_length() -> None:
    assert len(README.splitlines()) <= 160
