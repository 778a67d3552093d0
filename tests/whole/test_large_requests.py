"""Tables that are larger than memory, as clients send them to a server."""

import asyncio
import contextlib
import gc
import gzip
import io
import os
import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet
import pytest
import requests
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from modelserver.errors import Overloaded
from modelserver.hosting import bodies
from modelserver.hosting.connections.by_h11 import H11Guard
from modelserver.hosting.connections.by_httptools import HttpToolsGuard
from modelserver.reading.chunks.csv_chunks import CsvChunker
from modelserver.reading.formats import PARQUET
from modelserver.scoring.chunking.spool import Spool
from modelserver.scoring.scheduling.turns import in_turn
from modelserver.scoring.scheduling.workers import Workers
from modelserver.service import PIECE, send_file
from tests.support.needs import need
from tests.support.processes import our_server, status, wait_for
from tests.support.serving import serving

Client = Callable[..., TestClient]

ROW = "{0},{0}.5,2,3,4\n"

HEADER = "id,a,b,c,d\n"

URL = "/invocations?format=csv&include=id"

CSV = {"Content-Type": "text/csv"}


def table(rows: int) -> bytes:
    return (HEADER + "".join(map(ROW.format, range(rows)))).encode()


def pieces(body: bytes, size: int = 1000) -> Iterator[bytes]:
    for place in range(0, len(body), size):
        yield body[place : place + size]


@pytest.fixture(autouse=True)
def _files_of_others() -> None:
    OF_OTHERS[:] = nameless()


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SMALLEST_PART", 5000)
    monkeypatch.setattr(bodies, "LARGEST_PART", 10_000)
    monkeypatch.setattr(CsvChunker, "beginning", 100)


def nameless(process: str = "self") -> dict[str, int]:
    """The files without a name that a process holds, with their sizes."""
    found = {}
    for name in os.listdir(f"/proc/{process}/fd"):
        with contextlib.suppress(OSError):
            link = os.readlink(f"/proc/{process}/fd/{name}")
            found[link] = os.stat(f"/proc/{process}/fd/{name}").st_size
    return {link: size for link, size in found.items() if link.endswith("(deleted)")}


def open_spools(process: str = "self") -> list[str]:
    """Those that the test has opened and that take space on the disk."""
    return [link for link, size in nameless(process).items() if size and link not in OF_OTHERS]


OF_OTHERS: list[str] = []
"""The files of pytest, and of tests whose errors are not yet collected."""


@pytest.mark.parametrize("announced", [True, False])
def test_a_table_beyond_the_limit_is_read_in_chunks(client: Client, announced: bool) -> None:
    body = table(3000)
    content: Any = body if announced else pieces(body)
    expected = client("ridge").post(URL, content=body, headers=CSV)
    small = client("ridge", MAX_REQUEST_BYTES="20000")
    answer = small.post(URL, content=content, headers=CSV)
    assert (answer.status_code, answer.content) == (200, expected.content)
    assert answer.headers.keys() == expected.headers.keys()
    assert answer.headers["content-type"] == expected.headers["content-type"]
    assert small.app.state.service.bodies.held == 0  # type: ignore[attr-defined]
    wait_for(lambda: not open_spools(), seconds=5)


def test_a_caller_says_that_rows_are_independent(client: Client) -> None:
    small = client("centred", MAX_REQUEST_BYTES="20000")
    url = f"{URL}&chunked=true&method=predict"
    answer = small.post(url, content=table(3000), headers=CSV)
    assert (answer.status_code, answer.text.count("\n")) == (200, 3001)


@pytest.mark.parametrize(
    ("model", "query", "words"),
    [
        ("ridge", "", "a larger table is read in chunks if its answer is CSV, NDJSON, "),
        ("ridge", "?format=csv&chunked=false", "is read in chunks if chunked=false is left out"),
        ("centred", "?format=csv", "is not known of it: add ?chunked=true"),
        ("ridge", "?format=csv&include=id", "the table is larger than 30000 bytes (MAX_TABLE"),
    ],
)
def test_what_is_too_large(client: Client, model: str, query: str, words: str) -> None:
    small = client(model, MAX_REQUEST_BYTES="20000", MAX_TABLE_BYTES="30000")
    for content in (table(3000), pieces(table(3000))):
        answer = small.post(f"/invocations{query}", content=content, headers=CSV)
        assert (answer.status_code, answer.json()["error_code"]) == (413, "MAX_READ_SIZE_EXCEEDED")
        assert words in answer.json()["message"]


def test_a_body_that_stands_for_more_than_it_has(client: Client) -> None:
    body = table(3000)
    expected = client("ridge").post(URL, content=body, headers=CSV)
    small = client("ridge", MAX_REQUEST_BYTES="20000")
    packed = gzip.compress(body)
    assert len(packed) < 20_000
    answer = small.post(URL, content=packed, headers={**CSV, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.content) == (200, expected.content)
    assert small.app.state.service.bodies.held == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", ["parquet", "arrow"])
def test_files_of_arrow_are_freed(client: Client, answer: str) -> None:
    cells = {name: [1.0] * 9000 for name in "abcd"}
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(cells), file, use_dictionary=False)
    small = client("ridge", MAX_REQUEST_BYTES="20000")
    url = f"/invocations?format={answer}"
    found = small.post(url, content=file.getvalue(), headers={"Content-Type": PARQUET})
    assert found.status_code == 200
    assert open_spools() == []


def test_chunked_is_true_or_false(client: Client) -> None:
    answer = client("ridge").post("/invocations?chunked=yes", content=table(3), headers=CSV)
    said = "the query parameter 'chunked' is true or false, not 'yes'"
    assert (answer.status_code, answer.json()["message"]) == (400, said)


def test_a_fault_ends_the_upload(client: Client) -> None:
    small = client("ridge", MAX_REQUEST_BYTES="20000")
    body = table(2500) + b"2500,much,2,3,4\n" + table(2500).partition(b"\n")[2]
    answer = small.post(URL, content=pieces(body), headers=CSV)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("row 2500, column 'a': expected a number")
    assert small.app.state.service.bodies.held == 0  # type: ignore[attr-defined]
    wait_for(lambda: not open_spools(), seconds=5)


def test_a_folder_that_is_not_there(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/not/there")
    small = client("ridge", MAX_REQUEST_BYTES="20000")
    answer = small.post(URL, content=table(3000), headers=CSV)
    assert (answer.status_code, answer.json()["error_code"]) == (507, "IO_ERROR")
    assert "in its folder /not/there (TMPDIR): No such file" in answer.json()["message"]


@pytest.fixture(scope="module", params=[HttpToolsGuard, H11Guard], ids=["httptools", "h11"])
def server(request: pytest.FixtureRequest, client: Client) -> Iterator[Any]:
    """The URL of a server with a small limit, and its service."""
    app = client("ridge", MAX_REQUEST_BYTES="20000", READ_TIMEOUT="5").app
    guard = type("Bounded", (request.param,), {"read_timeout": 5.0})
    with serving(app, http=guard, lifespan="off") as url:
        yield url, app.state.service  # type: ignore[attr-defined]


@pytest.mark.parametrize("announced", [True, False])
def test_clients_that_send_all_before_they_read(server: Any, announced: bool) -> None:
    url, _ = server
    body = table(200_000)
    data: Any = body if announced else pieces(body, 100_000)
    answer = requests.post(url + URL, data=data, headers=CSV, timeout=60)
    assert answer.status_code == 200
    assert answer.text.count("\r\n") == 200_001
    wrong: Any = body.replace(b"\n9,", b"\n9,much,")
    answer = requests.post(url + URL, data=wrong, headers=CSV, timeout=60)
    assert (answer.status_code, answer.json()["message"][:5]) == (400, "row 9")


@pytest.mark.processes
@pytest.mark.parametrize("how", [["-T"], ["--data-binary"], ["-T", "-"]])
def test_curl(server: Any, how: list[str], tmp_path: Path) -> None:
    need(shutil.which("curl"), "curl is missing")
    url, _ = server
    (tmp_path / "table.csv").write_bytes(table(100_000))
    option, *stdin = how
    file = f"@{tmp_path}/table.csv" if option == "--data-binary" else f"{tmp_path}/table.csv"
    command = ["curl", "-sS", "-X", "POST", option, *(stdin or [file]), url + URL]
    headers = ["-H", "Content-Type: text/csv", "-H", "Expect: 100-continue"]
    with (tmp_path / "table.csv").open("rb") as sent:
        run = subprocess.run([*command, *headers], stdin=sent, capture_output=True, check=True)
    assert run.stdout.count(b"\r\n") == 100_001


def is_at_rest(service: Any) -> bool:
    """Whether nothing is held and nothing runs."""
    gc.collect()
    return not (service.bodies.held or service.workers.load.in_threads or open_spools())


def test_a_client_that_leaves_ends_the_work(server: Any) -> None:
    url, service = server
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0)) as leaving:
        head = f"POST {URL} HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
        leaving.sendall(f"{head}Content-Length: 9000000\r\n\r\n".encode() + table(50_000))
        wait_for(lambda: bool(open_spools()))
    wait_for(lambda: is_at_rest(service))


def test_a_client_that_pauses(server: Any) -> None:
    url, service = server

    def slowly() -> Iterator[bytes]:
        yield table(5000)
        time.sleep(0.5)
        yield b"1,2,3,4,5\n"

    answer = requests.post(url + URL, data=slowly(), headers=CSV, timeout=60)
    assert answer.text.count("\r\n") == 5002
    wait_for(lambda: is_at_rest(service))


@pytest.mark.processes
def test_a_full_disk(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    limits = {"MAX_REQUEST_BYTES": "20000", "LOG_LEVEL": "error", "TMPDIR": str(tmp_path)}
    log = tmp_path / "log"
    with our_server(log, MODEL_URI=str(model_path("ridge")), **limits) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        bound = 500_000
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (bound, bound))
        answer = requests.post(server.url + URL, data=table(100_000), headers=CSV, timeout=60)
        assert (answer.status_code, answer.json()["error_code"]) == (507, "IO_ERROR")
        assert f"in its folder {tmp_path} (TMPDIR): File too large" in answer.json()["message"]
        wait_for(lambda: not open_spools(str(server.process.pid)), seconds=5)
        small = requests.post(server.url + URL, data=table(2000), headers=CSV, timeout=60)
        assert small.status_code == 200
    assert "traceback" in log.read_text().lower()


def test_work_waits_for_its_turn() -> None:
    async def run() -> list[Any]:
        workers, gate = Workers(1, 1), threading.Event()
        busy = [asyncio.ensure_future(workers.run(gate.wait, 60, small=False)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Overloaded):
            await in_turn(workers, 60, lambda: 1, has_begun=False)
        waiting = asyncio.ensure_future(in_turn(workers, 60, lambda: 1, has_begun=True))
        await asyncio.sleep(0.01)
        gate.set()
        found = [await waiting, *await asyncio.gather(*busy)]
        workers.close()
        return found

    assert asyncio.run(run()) == [1, True, True]


def test_a_client_that_does_not_take_its_answer() -> None:
    sent: list[Any] = []

    async def left() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    spool = Spool(10**8, "the answer")
    spool.write(b"x" * (3 * PIECE))
    with pytest.raises(ClientDisconnect):
        asyncio.run(send_file(spool, left, send))
    assert len(sent) < 3


def test_other_protocols_keep_their_limit(client: Client) -> None:
    small = client("ridge", MAX_REQUEST_BYTES="20000")
    answer = small.post("/v2/models/ridge/infer", content=table(3000), headers=CSV)
    assert answer.status_code == 413
