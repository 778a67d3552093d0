"""`python main.py` with several processes: one tree that shares the requests and ends as one."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.processes import Server, free_port, our_server, running, wait_for

pytestmark = pytest.mark.processes

BODY = '{"dataframe_records": [{"n": 1}]}'


def descendants(pid: int) -> list[int]:
    """The processes that `pid` started, and those that they did."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found + [below for child in found for below in descendants(child)]


def serving(server: Server) -> list[int]:
    """The processes that hold a copy of the listening socket besides the first."""
    return [pid for pid in descendants(server.process.pid) if b"spawn_main" in _command(pid)]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def predict(server: Server) -> tuple[int, str]:
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}/invocations", content=BODY, headers=headers, timeout=90)
    return answer.status_code, answer.text


def all_ready(server: Server) -> bool:
    return server.output().count(" INFO ready") >= 2


@contextmanager
def two_processes(path: Path, log: Path) -> Iterator[Server]:
    with our_server(log, MODEL_URI=str(path), PROCESSES="2") as server:
        wait_for(lambda: all_ready(server), server)
        assert len(serving(server)) == 2
        yield server


def halt(pid: int, seconds: float) -> None:
    """Stops a process and waits for its supervisor to notice."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)


def gone(pids: list[int]) -> bool:
    return not any(b"spawn_main" in _command(pid) for pid in pids)


@pytest.mark.measured
def test_requests_are_shared_and_only_a_dead_process_is_replaced(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    with two_processes(model_path("one_long"), tmp_path / "log") as server:
        with ThreadPoolExecutor(8) as threads:
            answers = set(threads.map(lambda _: predict(server), range(40)))
        assert {status for status, _ in answers} == {200}
        first, second = serving(server)
        halt(first, 7)  # as long work in C code does; longer than supervisors usually wait
        os.kill(first, signal.SIGCONT)
        assert predict(server)[0] == 200
        assert serving(server) == [first, second]
        halt(first, 2)  # so that a supervisor that asks whether it still answers waits by now
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len({*serving(server)} - {first}) == 2, server, seconds=30)
        wait_for(lambda: server.output().count(" INFO ready") == 3, server)
        assert second in serving(server)
        assert predict(server)[0] == 200
        processes = serving(server)
        assert server.interrupt() == 0
        output = server.output()
    assert f"[{first}] died (exit code -9)" in output
    assert output.count("died") == 1
    assert "Traceback" not in output
    assert gone(processes)


def test_sigterm_ends_all(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    with two_processes(model_path("one_long"), tmp_path / "log") as server:
        processes = serving(server)
        server.process.terminate()
        assert server.process.wait(30) == 0
    assert gone(processes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_though_one_is_busy_and_one_starts(
    number: signal.Signals, model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    port = free_port()
    settings = {"MODEL_URI": str(model_path("one_long")), "PROCESSES": "2", "PORT": str(port)}
    with running([sys.executable, "main.py"], settings, tmp_path / "log", port) as server:
        wait_for(lambda: len(serving(server)) == 2, server)
        processes = serving(server)
        halt(processes[0], 2)
        server.process.send_signal(number)
        assert server.process.wait(40) == 0
        assert "Traceback" not in server.output()
    assert gone(processes)


@pytest.mark.measured
def test_none_is_left_when_the_first_is_killed(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    with two_processes(model_path("one_long"), tmp_path / "log") as server:
        processes = serving(server)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(30)
        deadline = time.monotonic() + 60
        while not gone(processes) and time.monotonic() < deadline:
            time.sleep(0.1)
        left = [pid for pid in processes if not gone([pid])]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert left == []


@pytest.mark.measured
def test_serves_without_what_windows_has_not(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    for name in ("uvloop", "httptools"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not for this system')")
    environment = {"MODEL_URI": str(model_path("one_long")), "PYTHONPATH": str(tmp_path)}
    with our_server(tmp_path / "log", **environment) as server:
        assert predict(server)[0] == 200
        assert server.interrupt() == 0
