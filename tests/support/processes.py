"""Real servers as child processes: ours and MLflow's, started on free ports and ended for sure."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]

NEEDED = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
"""What a child process needs of the environment; settings of the developer's shell stay out."""

MEASURED = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""What has the coverage of a child process measured; tests marked `measured` have it set."""


def inherited() -> dict[str, str]:
    """The environment of a child process."""
    return {name: os.environ[name] for name in NEEDED + MEASURED if name in os.environ}


HELD: list[socket.socket] = []
"""Sockets that keep a port each from everybody else, for as long as the tests run."""


def free_port() -> int:
    """A port that nobody listens on, and that nobody else is given.

    A server may still listen on it, since servers set SO_REUSEADDR as the held socket does.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    HELD.append(holder)
    return int(holder.getsockname()[1])


@dataclass
class Server:
    """A running server: its URL, its process and what it printed so far."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text()

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def group(leader: int) -> dict[int, str]:
    """The living processes of the group that `running` has made, with their commands."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, of_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == leader and state != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text()
    return found


@contextlib.contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, port: int
) -> Iterator[Server]:
    """`command` in a process group of its own, from the project's folder."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**inherited(), **environment},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(f"http://127.0.0.1:{port}", process, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def our_server(log: Path, **environment: str) -> Iterator[Server]:
    """`python main.py` on a free port, once it listens."""
    port = free_port()
    command = [sys.executable, "main.py"]
    with running(command, {"PORT": str(port), **environment}, log, port) as server:
        wait_for(lambda: status(f"{server.url}/version") == 200, server)
        yield server


@contextlib.contextmanager
def tracking_server(folder: Path, port: int, *options: str, **variables: str) -> Iterator[Server]:
    """`mlflow server` with a SQLite store and proxied artifacts in `folder`."""
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts"), *options]
    # Its job runner, which no test needs, would be five more processes.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **variables}
    log = folder / "mlflow-server.log"
    with running(command, environment, log, port) as server:
        wait_for(lambda: status(f"{server.url}/health") == 200, server)
        yield server


def interrupted_while_it_waits(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Ctrl-C while `command` waits for a tracking server that is silent: the exit code.

    Fails if something is printed to stderr.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited(), "MLFLOW_TRACKING_URI": url, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # Where the tests are a background job of a shell, they and their children ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        silent.settimeout(90)
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=90)
    assert error == b""
    return process.returncode


class QuietHandler(BaseHTTPRequestHandler):
    """Writes no log."""

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def handled_by(handler: type[QuietHandler]) -> Iterator[str]:
    """The host and port of a server in this process, whose requests `handler` answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def answering(status: int, body: str, media_type: str) -> Iterator[str]:
    """The URL of a server that answers everything alike, as a proxy or a login page does."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

    with handled_by(Handler) as address:
        yield f"http://{address}"


def wait_for(
    condition: Callable[[], object], server: Server | None = None, seconds: float = 90
) -> None:
    """Returns once `condition` holds; fails when it does not, at once if the server has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (server is None or server.process.poll() is None):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s:\n{server.output() if server else ''}")


CLIENT = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))
"""Made once, since to make one takes longer than to ask with it."""


def status(url: str) -> int | None:
    """The status of a GET, None where nobody answers."""
    with contextlib.suppress(httpx.TransportError):
        return CLIENT.get(url).status_code
    return None
