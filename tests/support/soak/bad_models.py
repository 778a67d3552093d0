"""Models that misbehave: what their caller is told, and whether the next one is answered."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support.processes import CLIENT, Server, group, our_server, status, wait_for
from tests.support.soak import misbehaving
from tests.support.soak.findings import Extent, Finding

MLMODEL: Final = """\
flavors: {python_function: {loader_module: misbehaving, code: code}}
signature:
  inputs: '[{"type": "string", "name": "how"}, {"type": "string", "name": "data"}]'
"""

KEY: Final = "4711-of-the-tracking-server"
CELL: Final = "4711-of-the-caller"
UNTOLD: Final = ("4711", "Traceback", 'File "')
"""What no answer may have."""

RAISED: Final = "the model raised {}; the server's log has the traceback under this request id"

NO_JSON: Final = "the model returned a value of type object, which JSON cannot hold"
TOO_DEEP: Final = "the model returned a value that is nested too deeply for JSON"
TOO_LONG: Final = "the prediction took longer than the request timeout (REQUEST_TIMEOUT)"

LARGE: Final = CELL * 1000
"""A cell that makes a request too large for the event loop."""

LONGEST: Final = 2.0
"""Seconds that a misbehaving model may hold up others."""


@dataclass(frozen=True, slots=True)
class Row:
    """A way to misbehave (of `misbehaving.WAYS`), and what the caller is to see."""

    how: str
    what: str
    status: int | None
    """None: the connection ends without an answer."""
    message: str = ""
    on_loop: bool = True
    """Whether it is tried on the event loop, too."""


def _failed(how: str, what: str, name: str) -> Row:
    return Row(how, what, 500, RAISED.format(name))


ANSWERED: Final = (
    _failed("raises", "raises an exception with cells and a key in its text", "ValueError"),
    _failed("huge text", "raises an exception with a text of 8 MB", "ValueError"),
    _failed("no text", "raises an exception whose text cannot be made", "Unspeakable"),
    _failed("sys.exit", "calls `sys.exit`", "SystemExit"),
    _failed("interrupt", "raises KeyboardInterrupt", "KeyboardInterrupt"),
    _failed("memory", "raises MemoryError", "MemoryError"),
    _failed("recursion", "calls itself without end", "RecursionError"),
    Row("object", "returns what JSON cannot hold", 500, NO_JSON),
    Row("endless", "returns a list that contains itself", 500, TOO_DEEP),
    Row("few rows", "returns fewer rows than it got", 200),
    Row("event loop", "runs an event loop of its own", 200),
    Row("prints", "prints 11 MB", 200),
    Row("leaks", "leaks 20 MB", 200),
    Row("folder", "changes to a folder that it removes", 200),
    Row("environment", "empties the environment", 200),
    Row("streams", "closes the standard streams", 200),
    Row("process", "changes locale, warnings, umask and the limit of recursion", 200),
    Row("threads", "starts 50 threads that do not end", 200),
    Row("child", "starts a process and waits for it", 200),
    Row("fork", "forks, and returns in both processes", 200),
    Row("signals", "ignores SIGTERM", 500, RAISED.format("ValueError"), on_loop=False),
    Row("hangs", "waits for ever", 504, TOO_LONG, on_loop=False),
    Row("computes", "computes for longer than that", 504, TOO_LONG, on_loop=False),
)
"""Only in a thread Python refuses new handlers of signals, and only there can work be given up."""

ENDED: Final = (
    Row("os._exit", "ends its process", None),
    Row("segmentation fault", "reads memory that is not there (SIGSEGV)", None),
    Row("abort", "aborts (SIGABRT)", None),
)

DIES: Final = "each process dies, and is tried again after a pause"

LOADED: Final = (
    ("hangs", "1", "loading"),
    ("memory", "1", "failed"),
    ("interrupt", "1", "failed"),
    ("os._exit", "2", DIES),
    ("segmentation fault", "2", DIES),
)
"""Ways to misbehave while the model is loaded, the number of processes, and the state then."""


def bad_models(extent: Extent) -> Sequence[Finding]:
    """All ways to misbehave: in worker threads, on the event loop, while the model is loaded."""
    folder = _model(extent.folder / "well")
    findings = []
    for on_loop in (False, True)[: extent.of(2)]:
        place = "on the event loop" if on_loop else "in a thread"
        with _served(folder, PREDICT_WORKERS="8") as server:
            rows = [row for row in ANSWERED if row.on_loop or not on_loop]
            findings += [_tried(server, row, place, on_loop) for row in rows]
            findings.append(_pages(server, place))
    if ended := ENDED[: extent.of(3, least=0)]:
        with _served(folder, PROCESSES="2") as server:
            for number, row in enumerate(ended):
                wait_for(partial(_is_ready, server, number + 2), server)
                findings.append(_tried(server, row, "PROCESSES=2"))
    if extent.of(1, least=0):
        findings += [held(extent.folder, how) for how in ("hangs", "computes for ever")]
        findings.append(stuck(extent.folder))
    return findings + [_loaded(extent, *row) for row in LOADED[: extent.of(5, least=0)]]


def held(folder: Path, how: str) -> Finding:
    """A prediction holds the event loop of one of two processes."""
    row = Row(how, f"{how} on the event loop", None)
    with _served(_model(folder / f"held {how}"), PROCESSES="2") as server:
        wait_for(partial(_is_ready, server, 2), server)
        with httpx.Client(timeout=60) as client:  # all its requests go to the same process
            come = _comes_to_loop(server, client)
            finding = _tried(server, row, "PROCESSES=2", client=client)
        replaced = _is_replaced(server, "held the event loop")
    return replace(finding, holds=finding.holds and come and replaced)


def stuck(folder: Path) -> Finding:
    """Predictions hold all threads of one of two processes."""
    with _served(_model(folder / "stuck"), PROCESSES="2", PREDICT_WORKERS="1") as server:
        wait_for(partial(_is_ready, server, 2), server)
        first, message = _asked(server, "hangs", LARGE)
        replaced = _is_replaced(server, "held all threads")
        others = [_asked(server, "well", CELL)[0] for _ in range(5)]
    return Finding(
        "a model that hangs in each thread of a process, PROCESSES=2",
        "504; then another process takes its place; then 200",
        f"{first}; {'another one' if replaced else 'none'}; {_counted(others)}",
        holds=message == TOO_LONG and replaced and others == [200] * len(others),
    )


def _is_replaced(server: Server, said: str) -> bool:
    """Whether one of two processes has ended with these words in the log. Waits for the next."""
    wait_for(partial(_is_ready, server, 3), server)
    return said in server.output() and "(exit code 1)" in server.output()


def _model(folder: Path) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    shutil.copy(misbehaving.__file__, folder / "code")
    return folder


@contextlib.contextmanager
def _served(folder: Path, **settings: str) -> Iterator[Server]:
    """A server that asks the model at `folder`, once it is ready."""
    with _started(folder, **settings) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        yield server


def _started(folder: Path, **settings: str) -> contextlib.AbstractContextManager[Server]:
    settings |= {"MODEL_URI": str(folder), "REQUEST_TIMEOUT": "1", "MLFLOW_TRACKING_TOKEN": KEY}
    return our_server(folder.with_suffix(".log"), **settings)


def _is_ready(server: Server, times: int) -> bool:
    """Whether so many processes have become ready so far."""
    return server.output().count(" ready\n") >= times


def _tried(
    server: Server, row: Row, place: str, on_loop: bool = False, client: httpx.Client = CLIENT
) -> Finding:
    """The model misbehaves for one caller; then others ask."""
    if on_loop and not _comes_to_loop(server, client):
        place = "in a thread, since the machine is too slow for the event loop"
    large = row.status is not None and not on_loop
    seen, message = _asked(server, row.how, LARGE if large else CELL, client)
    began = time.monotonic()
    others = [_asked(server, "well", CELL)[0] for _ in range(5)]
    seconds = time.monotonic() - began
    told = any(word in message for word in UNTOLD)
    wanted = "no answer" if row.status is None else str(row.status)
    return Finding(
        f"a model that {row.what}, {place}",
        f"{wanted}, then 200 in < {LONGEST:g} s",
        f"{seen or 'no answer'}{', with data' if told else ''}, then {_counted(others)} in "
        f"{seconds:.2f} s",
        holds=seen == row.status
        and not told
        and message.startswith(row.message)
        and others == [200] * len(others)
        and seconds < LONGEST,
    )


def _comes_to_loop(server: Server, client: httpx.Client) -> bool:
    """Whether requests are predicted on the event loop again. After a slow one, 1020 are not."""
    return any("MainThread" in _asked(server, "where", CELL, client)[1] for _ in range(5000))


def _asked(
    server: Server, how: str, cell: str, client: httpx.Client = CLIENT
) -> tuple[int | None, str]:
    """The status of an answer, and its message or body; None if the connection was lost."""
    body = {"dataframe_split": {"columns": ["how", "data"], "data": [[how, cell]] * 2}}
    try:
        answer = client.post(f"{server.url}/invocations", json=body)
    except httpx.TransportError:
        return None, ""
    found = answer.json()
    return answer.status_code, found.get("message", answer.text)


def _loaded(extent: Extent, how: str, processes: str, state: str) -> Finding:
    """The model misbehaves while it is loaded, again and again."""
    with _started(_model(extent.folder / how), PROCESSES=processes) as server:
        if state == DIES:
            wait_for(lambda: server.output().count("died") >= 3, server)
            seen = DIES
        else:
            wait_for(lambda: _health(server)["step"] == "loading the model", server)
            wait_for(lambda: _health(server)["state"] == state, server)
            paths = ("/ping", "/health", "/invocations")
            seen = f"{state}, {_counted([_posted(server, path) for path in paths])}"
        ended = _ended(server, f"a model that misbehaves while it is loaded: {how}")
    return Finding(
        ended.tried,
        f"{state}; {ended.wanted}",
        f"{seen}; {ended.seen}",
        holds=ended.holds and seen in (DIES, f"{state}, 3 x 503"),
    )


def _health(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = CLIENT.get(f"{server.url}/health").json()
    return found


def _posted(server: Server, path: str) -> int:
    """The status of a path for a caller who wants a prediction, or asks for one."""
    method = "POST" if path == "/invocations" else "GET"
    return CLIENT.request(method, server.url + path).status_code


def _counted(statuses: Sequence[int | None]) -> str:
    return ", ".join(f"{statuses.count(one)} x {one}" for one in dict.fromkeys(statuses))


def _pages(server: Server, place: str) -> Finding:
    """What all that has left of the server."""
    paths = ("/", "/docs", "/openapi.json", "/health", "/ping")
    pages = [status(server.url + path) for path in paths]
    ended = _ended(server, f"after all of these, {place}")
    return Finding(
        ended.tried,
        f"all pages 200; {ended.wanted}",
        f"{_counted(pages)}; {ended.seen}",
        holds=ended.holds and pages == [200] * len(paths),
    )


def _ended(server: Server, tried: str) -> Finding:
    """SIGTERM."""
    began = time.monotonic()
    server.process.terminate()
    code = server.process.wait(60)
    seconds = time.monotonic() - began
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not group(server.process.pid), seconds=5)
    keys, left = server.output().count(KEY), len(group(server.process.pid))
    return Finding(
        tried,
        "SIGTERM ends the server with 0; no process is left, no key is in the log",
        f"{code} after {seconds:.1f} s, {left} left, {keys} keys",
        holds=code == 0 and not left and not keys,
    )
