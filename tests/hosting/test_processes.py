"""`python main.py` with several processes: one tree that shares the requests and ends as one."""

import os
import re
import resource
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from modelserver.hosting.processes.serving import allow_connections
from tests.support.processes import Server, free_port, our_server, running, status, wait_for

pytestmark = pytest.mark.processes


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


def asked(server: Server) -> int | None:
    """The status of a request that needs no model."""
    return status(f"{server.url}/version")


def started(server: Server) -> int:
    """How many processes have started so far. They have no model, so that this takes a second."""
    return server.output().count("MODEL_URI is not set")


def halt(pid: int, seconds: float) -> None:
    """Stops a process and waits for its supervisor to notice."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)


def gone(pids: list[int]) -> bool:
    return not any(b"spawn_main" in _command(pid) for pid in pids)


def test_requests_are_shared_and_only_a_dead_process_is_replaced(tmp_path: Path) -> None:
    with our_server(tmp_path / "log", PROCESSES="2") as server:
        wait_for(lambda: started(server) == 2, server)
        assert len(serving(server)) == 2
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(lambda _: asked(server), range(40))) == {200}
        first, second = serving(server)
        halt(first, 7)  # as long work in C code does; longer than supervisors usually wait
        os.kill(first, signal.SIGCONT)
        assert asked(server) == 200
        assert serving(server) == [first, second]
        halt(first, 2)  # so that a supervisor that asks whether it still answers waits by now
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len({*serving(server)} - {first}) == 2, server, seconds=30)
        wait_for(lambda: started(server) == 3, server)
        assert second in serving(server)
        assert asked(server) == 200
        processes = serving(server)
        assert server.interrupt() == 0
        output = server.output()
    assert f"[{first}] died (exit code -9)" in output
    assert output.count("died") == 1
    named = re.findall(r"(?m)^[\d-]+ [\d:,]+ [A-Z]+ (\[\d+\])? ?", output)
    assert {f"[{pid}]" for pid in (first, *processes)} < set(named)
    assert "" not in named
    assert "Traceback" not in output
    assert gone(processes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_though_one_is_busy_and_one_starts(
    number: signal.Signals, light_folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    settings = {"MODEL_URI": str(light_folder), "PROCESSES": "2", "PORT": str(port)}
    settings["SHUTDOWN_TIMEOUT"] = "1"  # the halted one is killed some seconds later
    with running([sys.executable, "main.py"], settings, tmp_path / "log", port) as server:
        wait_for(lambda: len(serving(server)) == 2, server)
        processes = serving(server)
        halt(processes[0], 2)
        server.process.send_signal(number)
        assert server.process.wait(40) == 0
        assert "Traceback" not in server.output()
    assert gone(processes)


def test_open_connections_are_limited_by_the_system_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lower = min(soft, 1024) // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (lower, hard))
    try:
        monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == lower
        monkeypatch.undo()
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > lower
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.measured
def test_none_is_left_when_the_first_is_killed(tmp_path: Path) -> None:
    with our_server(tmp_path / "log", PROCESSES="2") as server:
        wait_for(lambda: started(server) == 2, server)
        processes = serving(server)
        assert len(processes) == 2
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
def test_serves_without_what_windows_has_not(light_folder: Path, tmp_path: Path) -> None:
    for name in ("uvloop", "httptools"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not for this system')")
    environment = {"MODEL_URI": str(light_folder), "PYTHONPATH": str(tmp_path)}
    with our_server(tmp_path / "log", **environment) as server:
        answer = httpx.post(f"{server.url}/invocations", json={"inputs": [1]}, timeout=90)
        assert answer.json() == {"predictions": ["cultivar 1"]}
        assert server.interrupt() == 0
