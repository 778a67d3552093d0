"""Calls to copy: they say what they should, and do it where their language is installed."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from modelserver.describing.snippets import ENDPOINT, SERVER, snippets
from tests.support.needs import need, need_r_packages

HARD: dict[str, Any] = {
    "dataframe_records": [
        {
            "text": 'it\'s "quoted" \\ `ticked` $HOME \u2018curly\u2019 é',
            "flag": True,
            "a b": 1.5e-7,
        },
        {"text": "", "flag": False, "a b": None},
    ]
}
BIG = {"dataframe_records": [{"n": 2**53 + 1}]}
PRECISE = {"dataframe_records": [{"x": 0.1 + 0.2, "n": 1234567890123456}]}
NESTED = {"dataframe_records": [{"numbers": [0.5]}]}
UNEQUAL = {"dataframe_records": [{"a": 1}, {"b": 2}]}
RESERVED = {"dataframe_records": [{"row.names": 1}]}
INPUTS = {"inputs": [[1, 2]], "params": {"k": 'two "words"'}}


def source(language: str, body: dict[str, Any], key_variable: str = "") -> str:
    return {call.label: call.sample["source"] for call in snippets(body, key_variable)}[language]


def test_languages() -> None:
    made = [call.sample for call in snippets(INPUTS, "")]
    assert [(s["lang"], s["label"]) for s in made] == [
        ("Shell", "curl"),
        ("Python", "Python"),
        ("R", "R"),
        ("PowerShell", "PowerShell"),
    ]
    assert all(f"{SERVER}/invocations" in s["source"] for s in made)


@pytest.mark.parametrize("language", ["curl", "Python", "R", "PowerShell"])
def test_the_key_is_sent_on_connect_only(language: str) -> None:
    for variable in ("CONNECT_API_KEY", "API_KEY"):
        text = source(language, INPUTS, variable)
        assert "Authorization" in text
        assert re.findall(r"\w*API_KEY", text) == [variable]
    assert "Authorization" not in source(language, INPUTS)


def test_a_chat_answer_is_not_unwrapped() -> None:
    assert source("Python", {"messages": []}).endswith("print(answer.json())")
    assert source("Python", INPUTS).endswith('print(answer.json()["predictions"])')


def test_powershell_doubles_every_kind_of_single_quote() -> None:
    code = source("PowerShell", {"inputs": ["it's \u2018so\u2019"]})
    assert """{"inputs":["it''s \u2018\u2018so\u2019\u2019"]}'""" in code


def test_r_gets_a_data_frame_where_one_can_hold_the_rows() -> None:
    assert "`a b` = c(1.5e-07, NA)" in source("R", HARD)
    assert "`n` = 5," in source("R", {"dataframe_records": [{"n": 5}]})
    assert "`n` = 1e+300" in source("R", {"dataframe_records": [{"n": 1e300}]})
    for body in (BIG, PRECISE, NESTED, UNEQUAL, RESERVED, INPUTS):
        assert "data.frame" not in source("R", body)
        assert "req_body_raw" in source("R", body)


class Recorder(BaseHTTPRequestHandler):
    """Keeps what was sent."""

    received: ClassVar[list[tuple[str, str | None, str | None, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = self.headers.get("Content-Type"), self.headers.get("Authorization")
        self.received.append((self.path, *headers, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"predictions": [1]}')

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


RUN: dict[str, list[str]] = {
    "curl": ["bash", "-c"],
    "Python": [sys.executable, "-c"],
    "R": ["Rscript", "-e"],
}


def run(language: str, code: str, folder: Path) -> bytes:
    """What code prints, with a key in its environment."""
    need(shutil.which(RUN[language][0]), f"there is no {RUN[language][0]}")
    if language == "R":
        need_r_packages()
    Recorder.received.clear()
    environment = {**os.environ, "CONNECT_API_KEY": "k", "no_proxy": "127.0.0.1"}
    command = [*RUN[language], code]
    ran = subprocess.run(command, capture_output=True, env=environment, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.processes
@pytest.mark.parametrize("language", RUN)
@pytest.mark.parametrize(
    "body",
    [HARD, BIG, PRECISE, NESTED, UNEQUAL, RESERVED, INPUTS],
    ids=["hard", "big", "precise", "nested", "unequal", "reserved", "inputs"],
)
def test_the_call_sends_the_example(
    language: str, body: dict[str, Any], url: str, tmp_path: Path
) -> None:
    code = source(language, body, "CONNECT_API_KEY").replace(SERVER, url)
    assert b"1" in run(language, code, tmp_path)
    ((path, content_type, authorization, sent),) = Recorder.received
    assert path == "/invocations"
    assert (content_type or "").startswith("application/json")
    assert authorization == "Key k"
    assert sent == body


@pytest.mark.processes
@pytest.mark.parametrize("language", RUN)
def test_a_table_is_saved_to_a_file(language: str, url: str, tmp_path: Path) -> None:
    (call,) = (made for made in snippets(INPUTS, "") if made.label == language)
    start = call.start.replace(ENDPOINT, f"{url}/invocations?format=arrow&method=predict_proba")
    run(language, start + call.ends["arrow"], tmp_path)
    assert Recorder.received[0][0] == "/invocations?format=arrow&method=predict_proba"
    assert (tmp_path / "predictions.arrows").read_bytes() == b'{"predictions": [1]}'


def test_powershell_saves_a_table_to_a_file() -> None:
    ends = snippets(INPUTS, "")[-1].ends
    assert ends["csv"] == " -OutFile predictions.csv"
    assert ends["json"] == " | ConvertTo-Json -Depth 9"
