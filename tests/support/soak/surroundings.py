"""Faults around the server: its tracking server, its disk, its home folder, the clock."""

import contextlib
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support.processes import CLIENT, Server, free_port, our_server, running, wait_for
from tests.support.soak import light
from tests.support.soak.findings import Extent, Finding
from tests.support.soak.kills import asked
from tests.support.soak.tracking import FILES, Act, Handler, Tracking

KEY: Final = "4711-of-the-tracking-server"
PAGE: Final = f"<!doctype html><title>Log in</title> {KEY}".encode()
UNTOLD: Final = (KEY, "Traceback", 'File "', "<title>Log in")
"""What no answer may have. The page repeats the key that it was asked with."""

LOOKED_UP: Final = "/api/2.0/mlflow/"

ENVIRONMENT: Final = {
    "MODEL_URI": light.URI,
    "MLFLOW_TRACKING_TOKEN": KEY,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "REQUEST_TIMEOUT": "5",
}


def _answering(status: int, body: bytes = PAGE, media_type: str = "text/html") -> Act:
    return lambda handler: handler.answer(status, body, media_type)


def _cut(handler: Handler) -> None:
    handler.begin(200, 1000, {"Content-Type": "application/json"})
    handler.wfile.write(b'{"model_version": ')


def _reset(handler: Handler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _send_on(handler: Handler) -> None:
    handler.begin(302, 0, {"Location": handler.path})


REFUSED: Final = "refused the login"
FORBIDDEN: Final = "forbids"
BUSY: Final = "was asked too often (429); wait a while"
FAILED: Final = "answered with an error of its own"
UNREACHABLE: Final = "cannot be reached; check MLFLOW_TRACKING_URI"
CUT_OFF: Final = "was cut off; check the network"
SENT_ON: Final = "redirects without end; check MLFLOW_TRACKING_URI"


@dataclass(frozen=True, slots=True)
class Fault:
    """What the tracking server does, and words of the advice: for a fault while the model is looked
    up, and while its files are fetched."""

    what: str
    act: Act
    looking_up: str
    fetching: str


FAULTS: Final = (
    Fault("cuts its answers", _cut, CUT_OFF, CUT_OFF),
    Fault("answers with a login page", _answering(200), "with a web page", "with a web page"),
    Fault("answers 400", _answering(400), "with error code 400", "(HTTPError)"),
    Fault("answers 401", _answering(401), REFUSED, REFUSED),
    Fault("answers 403", _answering(403), FORBIDDEN, FORBIDDEN),
    Fault("answers 404", _answering(404), "is no MLflow server", "are not at"),
    Fault("answers 429", _answering(429), BUSY, BUSY),
    Fault("answers 500", _answering(500), FAILED, FAILED),
    Fault(
        "answers 501 and {}",
        _answering(501, b"{}", "application/json"),
        *("is none of MLflow's", FAILED),
    ),
    Fault("answers 503", _answering(503), UNREACHABLE, UNREACHABLE),
    Fault("answers {}", _answering(200, b"{}", "application/json"), "the files", "the files"),
    Fault("answers no HTTP", lambda handler: None, UNREACHABLE, UNREACHABLE),
    Fault("redirects without end", _send_on, SENT_ON, SENT_ON),
    Fault("resets its connections", _reset, UNREACHABLE, UNREACHABLE),
    Fault("is silent", lambda handler: time.sleep(10), UNREACHABLE, UNREACHABLE),
)


def surroundings(extent: Extent) -> Sequence[Finding]:
    """All faults. Two servers at a time, since they wait more than they work. Those that need a
    disk of its own are left out if this user may not mount one."""
    files = extent.folder / "files"
    light.save(files / "0" / "light")
    faults = FAULTS[: extent.of(len(FAULTS))]
    others = OTHERS[: extent.of(len(OTHERS), least=0)]
    tried = [*(partial(_tracking, fault) for fault in faults), *others]
    with ThreadPoolExecutor(2) as threads:
        found = threads.map(lambda attempt: attempt(extent.folder, files), tried)
        return [finding for finding in found if finding is not None]


def _health(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = CLIENT.get(f"{server.url}/health").json()
    return found


def _fails(server: Server, words: str) -> str:
    """What /health says once it says these words; what it says instead after a minute."""
    with contextlib.suppress(AssertionError):
        wait_for(lambda: words in (_health(server)["reason"] or ""), server, seconds=60)
    found = _health(server)
    return str(found["reason"] or found["state"])


def _recovers(server: Server) -> tuple[str, float]:
    """What a request gets once the fault is gone, and after how many seconds."""
    began = time.monotonic()
    with contextlib.suppress(AssertionError):
        wait_for(lambda: _health(server)["state"] == "ready", server, seconds=90)
    return asked(server.url), time.monotonic() - began


def _told(server: Server) -> list[str]:
    """What the server tells that it should not, now that it has no model."""
    answers = [CLIENT.get(server.url + path) for path in ("/", "/health", "/ping", "/docs")]
    answers.append(CLIENT.post(f"{server.url}/invocations", json={"inputs": [1]}))
    texts = [answer.text + str(answer.headers) for answer in answers]
    return [word for word in UNTOLD if any(word in text for text in texts)]


def _tracking(fault: Fault, folder: Path, files: Path) -> Finding:
    """The tracking server fails while the model is looked up, then while its files are fetched, and
    then not any more."""
    log = folder / f"{FAULTS.index(fault)}.log"
    steps = ((LOOKED_UP, fault.looking_up), (FILES, fault.fetching))
    with Tracking(files) as tracking:
        tracking.act, tracking.prefix = fault.act, LOOKED_UP
        with our_server(log, **ENVIRONMENT, MLFLOW_TRACKING_URI=tracking.url) as server:
            reasons, told = [], []
            for prefix, words in steps:
                tracking.prefix = prefix
                reasons.append(_fails(server, words))
                told += _told(server)
            tracking.act = None
            answer, seconds = _recovers(server)
        told += [KEY] * (KEY in server.output())
    shown = "; ".join(dict.fromkeys(f"“{_short(reason, tracking.url)}”" for reason in reasons))
    return Finding(
        f"a tracking server that {fault.what}",
        "`failed`, with advice that fits; no key, page or traceback; ready once it is well",
        f"{shown}; {len(told)} told; then {answer} after {seconds:.0f} s",
        holds=all(words in reason for reason, (_, words) in zip(reasons, steps, strict=True))
        and not told
        and answer == "right",
    )


def _short(reason: str, url: str) -> str:
    return reason.replace(url, "…").partition("; ")[0]


def _down(folder: Path, files: Path) -> Finding:
    """Nobody listens at the address of the tracking server; then somebody does."""
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with our_server(folder / "down.log", **ENVIRONMENT, MLFLOW_TRACKING_URI=uri) as server:
        reason = _fails(server, UNREACHABLE)
        with Tracking(files, port):
            answer, seconds = _recovers(server)
    return _recovered("no tracking server", reason, UNREACHABLE, answer, seconds, uri)


def _recovered(
    tried: str, reason: str, words: str, answer: str, seconds: float, url: str = "?"
) -> Finding:
    return Finding(
        tried,
        "`failed`, with advice that fits; ready once the fault is gone",
        f"“{_short(reason, url)}”; then {answer} after {seconds:.0f} s",
        holds=words in reason and answer == "right",
    )


@contextlib.contextmanager
def _disk(folder: Path, size: str) -> Iterator[Path | None]:
    """A disk of its own; None if this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "soak", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _full_disk(folder: Path, files: Path) -> Finding | None:
    """The disk fills up while the files are fetched; then it has room."""
    large = light.save(folder / "large" / "0" / "light")
    (large / "weights").write_bytes(bytes(4_000_000))
    with _disk(folder / "disk", "1m") as disk, Tracking(folder / "large") as tracking:
        if disk is None:
            return None
        environment = {**ENVIRONMENT, "MLFLOW_TRACKING_URI": tracking.url, "TMPDIR": str(disk)}
        with our_server(folder / "disk.log", **environment) as server:
            reason = _fails(server, "the disk is full")
            subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
            answer, seconds = _recovers(server)
        left = list(disk.iterdir())
    found = _recovered("a full disk", reason, "the disk is full", answer, seconds)
    seen = f"{found.seen}; {len(left)} downloads left at the end"
    return replace(found, seen=seen, holds=found.holds and not left)


READ_ONLY: Final = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -o remount,bind,ro / && exec "$@"',
    "-",
]


def _read_only(folder: Path, files: Path) -> Finding | None:
    """All folders are read-only; then TMPDIR is not."""
    reasons, answers = [], []
    with _disk(folder / "memory", "9m") as disk, Tracking(files) as tracking:
        if disk is None:
            return None
        for variables in ({}, {"TMPDIR": str(disk)}):
            port = free_port()
            environment = {**ENVIRONMENT, "MLFLOW_TRACKING_URI": tracking.url, **variables}
            command = [*READ_ONLY, sys.executable, "main.py"]
            log = folder / "read-only.log"
            with running(command, {**environment, "PORT": str(port)}, log, port) as server:
                wait_for(lambda: _settled(server), server)
                reasons.append(str(_health(server)["reason"]))
                answers.append(asked(server.url))
    words = "there is no folder for temporary files; set TMPDIR"
    return _recovered("a read-only disk", reasons[0], words, answers[1], 0)


def _settled(server: Server) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return _health(server)["state"] in ("failed", "ready")
    return False


def _no_home(folder: Path, files: Path) -> Finding:
    """The home folder does not exist, and the user has no name."""
    with Tracking(files) as tracking:
        environment = {**ENVIRONMENT, "MLFLOW_TRACKING_URI": tracking.url, "HOME": "/nowhere"}
        with our_server(folder / "home.log", **environment) as server:
            answer, _ = _recovers(server)
    return Finding("no home folder", "ready, answers", answer, holds=answer == "right")


def _two_at_once(folder: Path, files: Path) -> Finding:
    """Two processes look for the model in a store that is not there yet, then in one that is."""
    (folder / "made").mkdir()
    store = folder / "mlflow.db"
    environment = {**ENVIRONMENT, "MLFLOW_TRACKING_URI": f"sqlite:///{store}", "PROCESSES": "2"}
    words = "there is no MLflow store"
    with our_server(folder / "two.log", **environment) as server:
        reason = _fails(server, words)
        light.register(folder / "made")
        (folder / "made" / "mlflow.db").rename(store)
        wait_for(lambda: server.output().count(" ready\n") == 2, server)
        answer, seconds = _recovers(server)
    return _recovered("two processes without a store", reason, words, answer, seconds)


CLOCK: Final = """\
import time

def jumped(clock, unit):
    return lambda: clock() + unit * int(open({file!r}).read())

time.time, time.time_ns = jumped(time.time, 1), jumped(time.time_ns, 10**9)
"""
"""Python's `time.time` with what a file says added to it. Python runs it as `sitecustomize`."""

TEN_YEARS: Final = 315_000_000


def _clock(folder: Path, files: Path) -> Finding:
    """The clock jumps forwards and back, while the model cannot be loaded and afterwards."""
    (folder / "clock").mkdir()
    now, port = folder / "clock" / "now", free_port()
    (folder / "clock" / "sitecustomize.py").write_text(CLOCK.format(file=str(now)))
    environment = {
        **ENVIRONMENT,
        "PYTHONPATH": str(now.parent),
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
    }
    now.write_text("0")
    answers = []
    with our_server(folder / "clock.log", **environment) as server:
        reason = _fails(server, UNREACHABLE)
        now.write_text(str(TEN_YEARS))
        with Tracking(files, port):
            answer, seconds = _recovers(server)
        for jump in (-TEN_YEARS, TEN_YEARS, 0):
            now.write_text(str(jump))
            answers.append(asked(server.url))
        code = server.interrupt()
    return Finding(
        "a clock (Python's `time.time`) that jumps ten years forwards and back",
        "the model is loaded, right answers, an end with 0",
        f"{answer} after {seconds:.0f} s; {answers.count('right')} of {len(answers)} right; exit "
        f"code {code}",
        holds=UNREACHABLE in reason and {answer, *answers} == {"right"} and code == 0,
    )


OTHERS: Final[Sequence[Callable[[Path, Path], Finding | None]]] = (
    _down,
    _full_disk,
    _read_only,
    _no_home,
    _two_at_once,
    _clock,
)
