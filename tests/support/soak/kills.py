"""`kill -9` at random moments: of one of two processes under load, and of the first process."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from modelserver.loading.downloads import PREFIX
from tests.support.processes import CLIENT, Server, free_port, group, our_server, running, wait_for
from tests.support.soak import light
from tests.support.soak.findings import Extent, Finding

CALLERS: Final = 4

READY: Final = " ready\n"
"""What the log says once for each process that is ready."""

LONGEST_START: Final = 6.0
"""Seconds after which a server that starts is ready, and a little longer."""

LONGEST_END: Final = 10.0
"""Seconds within which the others of a killed process have ended."""


@dataclass(slots=True)
class Load:
    """Callers who ask again and again, and what they got: `right` or `wrong` answers, another
    status, or a connection that was `lost`."""

    url: str
    counts: Counter[str] = field(default_factory=Counter)
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._end.wait(0.01):
                self.counts[asked(self.url, client)] += 1


def asked(url: str, client: httpx.Client = CLIENT) -> str:
    """What one request got, as `Load` counts it."""
    number = random.randrange(10**6)
    body = {"dataframe_split": {"columns": ["n"], "data": [[number]]}}
    try:
        answer = client.post(f"{url}/invocations", json=body)
    except httpx.TransportError:
        return "lost"
    if answer.status_code != 200:
        return str(answer.status_code)
    return "right" if answer.json() == {"predictions": [2 * number]} else "wrong"


def kills(extent: Extent) -> Sequence[Finding]:
    """All kills: 50 in the whole campaign, one in the smallest."""
    moments = random.Random(extent.seed)
    temporary = extent.folder / "tmp"
    temporary.mkdir()
    settings = {
        "MODEL_URI": light.URI,
        "MLFLOW_TRACKING_URI": light.register(extent.folder),
        "TMPDIR": str(temporary),
    }
    findings = []
    if times := extent.of(30, least=0):
        findings.append(_of_one_of_two(times, {**settings, "PROCESSES": "2"}, moments))
    for processes, least in (("1", 1), ("2", 0)):
        if times := extent.of(10, least):
            findings.append(_of_first(times, {**settings, "PROCESSES": processes}, moments))
    return findings


def _of_one_of_two(times: int, settings: Mapping[str, str], moments: random.Random) -> Finding:
    with our_server(Path(settings["TMPDIR"]).with_suffix(".log"), **settings) as server:
        wait_for(lambda: _is_ready(server, 2), server)
        sibling = _workers(server)[0]
        with Load(server.url) as load:
            for number in range(times):
                time.sleep(moments.uniform(0, LONGEST_START))
                ready = server.output().count(READY)
                os.kill(max(_workers(server)), signal.SIGKILL)
                wait_for(lambda: len(_workers(server)) == 2, server)
                if number % 2 == 0:  # if all died before they were ready, pauses would grow
                    wait_for(partial(_is_ready, server, ready + 1), server)
        is_there = sibling in _workers(server)
    counts = load.counts
    others = counts.keys() - {"right", "lost"}
    return Finding(
        f"{times} kills of one of two processes, {CALLERS} callers",
        "the other one goes on; only requests that the killed one had are lost; 0 wrong answers",
        f"{'goes on' if is_there else 'is gone'}; {counts['right']} right, {counts['lost']} lost"
        + "".join(f", {counts[name]} {name}" for name in sorted(others)),
        holds=is_there and not others and counts["lost"] <= times * CALLERS,
    )


def _is_ready(server: Server, times: int) -> bool:
    """Whether processes have become ready so many times so far."""
    return server.output().count(READY) >= times


def _workers(server: Server) -> list[int]:
    """Those of several processes that serve, the oldest first."""
    return sorted(
        pid for pid, command in group(server.process.pid).items() if "spawn_main" in command
    )


def _of_first(times: int, settings: Mapping[str, str], moments: random.Random) -> Finding:
    folder = Path(settings["TMPDIR"])
    left = sum(not _ends_when_killed(settings, moments) for _ in range(times))
    downloads = _downloads(folder)
    for download in downloads:
        os.utime(download, (0, 0))
    with our_server(folder.with_suffix(".log"), **settings) as server:
        ready = int(settings["PROCESSES"])
        wait_for(lambda: _is_ready(server, ready), server)
        after = [asked(server.url) for _ in range(10)]
        held = len(_downloads(folder))
        code = server.interrupt()
    end = len(_downloads(folder))
    return Finding(
        f"{times} kills of the first process, PROCESSES={ready}",
        f"all of its processes end in < {LONGEST_END:g} s; the next server answers, and removes "
        "the downloads of the killed ones",
        f"{left} left; {after.count('right')} of {len(after)} answers right; {len(downloads)} "
        f"downloads, then {held}, at its end {end}; exit code {code}",
        holds=(left, after, held, end, code) == (0, ["right"] * len(after), ready, 0, 0),
    )


def _ends_when_killed(settings: Mapping[str, str], moments: random.Random) -> bool:
    """Whether no process is left of a server that was killed at a random moment."""
    port = free_port()
    environment = {**settings, "PORT": str(port)}
    log = Path(settings["TMPDIR"]).with_suffix(".log")
    with running([sys.executable, "main.py"], environment, log, port) as server:
        time.sleep(moments.uniform(0, LONGEST_START))
        server.process.kill()
        server.process.wait()
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not group(server.process.pid), seconds=LONGEST_END)
        return not group(server.process.pid)


def _downloads(folder: Path) -> list[Path]:
    return list(folder.glob(f"{PREFIX}*"))
