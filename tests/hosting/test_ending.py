"""How `python main.py` ends: requests that were begun are finished, and new ones refused."""

import json
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from modelserver.errors import ShuttingDown
from modelserver.states import UNCONFIGURED
from tests.support.processes import Server, our_server, running, status, wait_for
from tests.support.zoo import SlowModel

pytestmark = pytest.mark.processes

BEGUN = (
    b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
)
"""A request whose body is still to come; the server says when it waits for it."""


@pytest.fixture(autouse=True)
def _signals_are_not_ignored() -> Iterator[None]:
    """They are where the tests are started by `nohup` or in the background, and a server inherits
    that."""
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGHUP, hangup)
    signal.signal(signal.SIGINT, interrupt)


def connected(server: Server) -> socket.socket:
    port = int(server.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def begun(client: socket.socket) -> None:
    """Sends `BEGUN`, and waits until the server waits for the body."""
    client.sendall(BEGUN)
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


def is_refused(server: Server) -> bool:
    with suppress(ConnectionRefusedError), connected(server):
        return False
    return True


def received(client: socket.socket) -> tuple[int, str]:
    """The status and the message of the answer that ends the connection."""
    answer = b""
    while more := client.recv(65536):
        answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["message"]


@pytest.mark.parametrize(
    ("processes", "number"),
    [("1", signal.SIGTERM), ("1", signal.SIGHUP), ("1", signal.SIGINT), ("2", signal.SIGHUP)],
)
def test_a_request_that_was_begun_is_finished(
    processes: str, number: signal.Signals, tmp_path: Path
) -> None:
    with our_server(tmp_path / "log", PROCESSES=processes) as server:
        with connected(server) as idle, connected(server) as client:
            idle.sendall(b"HEAD /version HTTP/1.1\r\nHost: a\r\n\r\n")
            assert idle.recv(1000).startswith(b"HTTP/1.1 200")
            begun(client)
            server.process.send_signal(number)
            if processes == "1":  # the first of several processes keeps the socket to the end
                wait_for(lambda: is_refused(server), server)
            assert idle.recv(1) == b""
            client.sendall(b"{}")
            assert received(client) == (503, UNCONFIGURED)
        assert server.process.wait(30) == 0
        assert "Traceback" not in server.output()


@pytest.mark.measured
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_request_that_takes_too_long_is_told_so(processes: str, tmp_path: Path) -> None:
    settings = {"PROCESSES": processes, "SHUTDOWN_TIMEOUT": "1"}
    with our_server(tmp_path / "log", **settings) as server:
        with connected(server) as client:
            begun(client)
            server.process.terminate()
            assert received(client) == (503, ShuttingDown().message)
        assert server.process.wait(30) == 0
        assert "Traceback" not in server.output()
        (told,) = [line for line in server.output().splitlines() if "Cancel 1 running" in line]
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ERROR (\[\d+\] )?Cancel", told)


ENDLESS = """
import threading
threading.Thread(target=threading.Event().wait, daemon=False).start()
"""


@pytest.mark.parametrize(
    ("processes", "number"), [("1", signal.SIGTERM), ("1", signal.SIGINT), ("2", signal.SIGHUP)]
)
def test_signals_while_the_model_loads(
    processes: str, number: signal.Signals, slow_model: SlowModel, tmp_path: Path
) -> None:
    """Also those that come while Python ends."""
    settings = {"MODEL_URI": str(slow_model.path), "PROCESSES": processes}
    with our_server(tmp_path / "log", **settings) as server:
        while server.process.poll() is None:
            server.process.send_signal(number)
            time.sleep(0.02)
        assert server.process.returncode == 0
        assert "Traceback" not in server.output()


@pytest.mark.measured
def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with our_server(tmp_path / "log") as server, connected(server) as client:
        begun(client)
        server.process.send_signal(signal.SIGINT)
        wait_for(lambda: is_refused(server), server)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 0
        assert "Traceback" not in server.output()


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2])
def test_ctrl_c_while_the_server_starts(seconds: float, processes: str, tmp_path: Path) -> None:
    """A terminal sends it to all processes of a group."""
    command, environment = [sys.executable, "main.py"], {"PORT": "0", "PROCESSES": processes}
    with running(command, environment, tmp_path / "log", 0) as server:
        time.sleep(seconds)
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(30) in (0, -signal.SIGINT)
        assert "Traceback" not in server.output()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_thread_of_the_model_does_not_keep_the_server(
    processes: str, light_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(light_folder, tmp_path / "endless")
    with (folder / "code" / "light.py").open("a") as code:
        code.write(ENDLESS)
    settings = {"MODEL_URI": str(folder), "PROCESSES": processes}
    with our_server(tmp_path / "log", **settings) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        server.process.terminate()
        assert server.process.wait(30) == 0
        assert "Traceback" not in server.output()
