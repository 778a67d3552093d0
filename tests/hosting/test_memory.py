"""Freed memory goes back to the system, at once or when large requests pause."""

import asyncio
import csv
import ctypes
import gc
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from modelserver.hosting import memory
from modelserver.hosting.memory import LARGE, FreeMemory, give_back
from tests.support.processes import Server, our_server, status, wait_for

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc"
)

MEGABYTE = 1024 * 1024


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def leave_holes() -> ctypes.c_void_p:
    """Frees 100 MB in small pieces below one that stays, which glibc alone would keep."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    pieces = [library.malloc(4000) for _ in range(25_000)]
    for piece in pieces:
        ctypes.memset(piece, 1, 4000)
    for piece in pieces[:-1]:
        library.free(ctypes.c_void_p(piece))
    return ctypes.c_void_p(pieces[-1])


def test_give_back() -> None:
    last = leave_holes()
    before = resident()
    give_back()
    assert before - resident() > 50 * MEGABYTE
    ctypes.CDLL(None).free(last)


@pytest.mark.parametrize(("size", "freed"), [(LARGE, True), (LARGE - 1, False)])
def test_after_large_requests_pause(
    size: int, freed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PAUSE", 0.05)

    async def requests() -> int:
        free_memory = FreeMemory()
        last = leave_holes()
        before = resident()
        for _ in range(3):
            free_memory.after_body(size)
        paused = asyncio.Event()
        asyncio.get_running_loop().call_later(2 * memory.PAUSE, paused.set)  # later than theirs
        await paused.wait()
        given = before - resident()
        give_back()
        ctypes.CDLL(None).free(last)
        return given

    assert (asyncio.run(requests()) > 50 * MEGABYTE) is freed


def test_other_c_libraries_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back()
    memory.share_heap()


def test_the_collector_is_paused_also_if_an_import_fails() -> None:
    with memory.collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ModuleNotFoundError), memory.collector_paused():
        importlib.import_module("no_such_module")
    assert gc.isenabled()


def test_what_large_requests_need_is_set_for_the_process(request: pytest.FixtureRequest) -> None:
    frozen = gc.get_freeze_count()
    model = [[number] for number in range(100_000)]
    request.getfixturevalue("settled_memory")
    assert gc.get_freeze_count() - frozen >= len(model)
    assert gc.get_threshold()[0] == memory.ALLOCATED
    assert csv.field_size_limit() == memory.LONGEST_CELL


HEAPS = """
import ctypes, re, sys, tempfile, threading
import main
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(4)
def work():
    library.malloc(100)
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
library.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    stream = ctypes.c_void_p(library.fopen(file.name.encode(), b"w"))
    library.malloc_info(0, stream)
    library.fclose(stream)
    print(len(re.findall("<heap nr", open(file.name).read())))
"""


@pytest.mark.processes
def test_threads_share_one_heap() -> None:
    code = [sys.executable, "-c", HEAPS]
    environment = {"PATH": "", "LOG_LEVEL": "warning"}
    root = Path(memory.__file__).parents[2]
    shown = subprocess.run(
        code, cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[-1] == "1"


REFUSED = {
    "deep": b"[" * MEGABYTE,
    "cut off": b'{"inputs": [' + b"[1, 2]," * (MEGABYTE // 7),
    "key twice": b'{"inputs": {"a": 1, "a": 2, "b": "' + b"x" * MEGABYTE + b'"}}',
    "wrong cell": json.dumps({"inputs": [{"a": 1, "b": "x"}] * (MEGABYTE // 24)}).encode(),
    "NaN": json.dumps({"inputs": [{"a": 1, "b": float("nan")}] * (MEGABYTE // 24)}).encode(),
}


@pytest.mark.processes
def test_refused_bodies_leave_nothing_behind(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with our_server(log, MODEL_URI=str(model_path("two_longs")), LOG_LEVEL="error") as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        used = [_used_after(server, times) for times in (5, 25)]
    # What is not bound to grow with a hundred of them differs by chance.
    assert used[1] - used[0] < 20 * MEGABYTE


def _used_after(server: Server, times: int) -> int:
    """Resident bytes after each of the bodies was refused so many times."""
    headers = {"Content-Type": "application/json"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        for body in list(REFUSED.values()) * times:
            assert client.post("/invocations", content=body).status_code == 400
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096
