"""The benchmark: MLflow's own server, ours, and the limit, in turns on the same bodies.

`python -m tests.bench [--only NAME …] [--rounds N] [--seconds S] [--write FILE]` prints Markdown.
Models are saved into a temporary folder; the servers are real processes on 127.0.0.1, started once
per model, and must agree on every prediction before they are measured. The limit is a bare
Starlette app with our uvicorn options that does what no server can leave out: it reads the body,
decodes it (`orjson.loads`, `pandas.read_csv`), calls the model's own predict on an input that is
ready beforehand, and encodes the result with `orjson.dumps`.

The client is this process: one keep-alive socket per caller, driven by epoll. Machines are noisy:
read the ratios. Needs Linux (/proc, epoll).
"""

import argparse
import asyncio
import contextlib
import gc
import http.client
import io
import json
import logging
import os
import pickle
import platform
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

import mlflow
import numpy as np
import orjson
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import Schema, TensorSpec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ROOT: Final = Path(__file__).resolve().parent.parent

HOST: Final = "127.0.0.1"

SERVERS: Final = ("MLflow", "here", "limit")

PATIENCE: Final = 120.0
"""Seconds until a server that does not start or answer counts as broken."""

AWAKE: Final = 0.002 if (os.cpu_count() or 1) > 1 else 0.0
"""Seconds that the client polls before it sleeps."""

MOST_REQUESTS: Final = 3000
"""Bound of one round, so that fast servers do not fill the memory with latencies."""

STARTS: Final = 3

PING: Final = "ping"
START: Final = "start"
"""The two workloads that are measured otherwise."""

PING_REQUEST: Final = f"GET /ping HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()

PING_PAUSE: Final = 0.005

RATE: Final = "rate"
LATENCY: Final = "latency"
CPU: Final = "cpu"

JSON: Final = "application/json"
CSV: Final = "text/csv"

Samples: TypeAlias = dict[str, list[float]]
"""Numbers by metric (what one round yields), or by server."""


class Broken(RuntimeError):
    """A server failed; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Case:
    """One workload: a body for a model, and the input that the model makes of it."""

    name: str
    title: str
    model: str
    body: bytes
    ready: Any
    media_type: str = JSON
    callers: int = 1

    @property
    def request(self) -> bytes:
        """The HTTP request. Its query tells the limit which input is ready; others ignore it."""
        head = (
            f"POST /invocations?{self.name} HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Content-Type: {self.media_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    title: str
    metric: str
    values: Mapping[str, float]


# Models and their data.


class Noop(PythonModel):
    """Returns at once."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Zeros, one per row."""
        return np.zeros(len(model_input))


class Brightness(PythonModel):
    """Images to numbers."""

    def predict(self, context: Any, model_input: np.ndarray, params: Any = None) -> Any:
        """The mean of each image."""
        return model_input.mean(axis=(1, 2), dtype="float64")


def doubles(rows: int) -> pd.DataFrame:
    """Four columns of doubles."""
    cells = np.random.default_rng(0).normal(size=(rows, 4)).round(2)
    return pd.DataFrame(cells, columns=["a", "b", "c", "d"])


def mixed(rows: int, dates: bool) -> pd.DataFrame:
    """50 columns: doubles, longs, strings, booleans and, if `dates`, one of datetimes."""
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue", "yellow"], object)
    columns: dict[str, Any] = {}
    columns |= {f"double{i}": rng.normal(size=rows).round(3) for i in range(24)}
    columns |= {f"long{i}": rng.integers(0, 1000, rows) for i in range(12)}
    columns |= {f"text{i}": pd.Series(rng.choice(words, rows), dtype="str") for i in range(8)}
    columns |= {f"flag{i}": rng.random(rows) < 0.5 for i in range(5)}
    moments = np.datetime64("2024-01-01", "ns") + rng.integers(0, 10**6, rows).astype("m8[s]")
    columns |= {"when": moments} if dates else {"double24": rng.normal(size=rows).round(3)}
    return pd.DataFrame(columns)


def images(count: int) -> "np.ndarray[Any, Any]":
    """Grey images of 28 by 28 pixels."""
    return np.random.default_rng(0).random((count, 28, 28)).round(4).astype("float32")


def targets(frame: pd.DataFrame) -> "np.ndarray[Any, Any]":
    """Something to learn: whether the first two columns are large."""
    return (frame.iloc[:, 0] + frame.iloc[:, 1] > 0).to_numpy().astype(int)


def save_sklearn(path: Path, model: Any, frame: pd.DataFrame) -> None:
    """The model, fitted to `frame`, with signature and input example."""
    model.fit(frame, targets(frame))
    mlflow.sklearn.save_model(
        model,
        path,
        signature=infer_signature(frame, model.predict(frame)),
        input_example=frame.head(2),
        pip_requirements=["scikit-learn"],
    )


def save_regression(path: Path) -> None:
    """LogisticRegression on four doubles."""
    from sklearn.linear_model import LogisticRegression

    save_sklearn(path, LogisticRegression(), doubles(200))


def save_wide(path: Path, dates: bool) -> None:
    """A pipeline on 50 mixed columns."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = mixed(500, dates)
    kinds = ("double", "long", "text", "flag")
    named = {kind: [name for name in frame if str(name).startswith(kind)] for kind in kinds}
    columns = make_column_transformer(
        (StandardScaler(), named["double"] + named["long"]),
        (OneHotEncoder(), named["text"]),
        ("passthrough", named["flag"]),
        remainder="drop",
    )
    save_sklearn(path, make_pipeline(columns, LogisticRegression()), frame)


def save_noop(path: Path) -> None:
    """A pyfunc that does nothing, with the signature of the regression."""
    example = doubles(1)
    mlflow.pyfunc.save_model(
        path,
        python_model=Noop(),
        signature=infer_signature(example, np.zeros(1)),
        input_example=example,
        pip_requirements=["mlflow"],
    )


def save_tensor(path: Path) -> None:
    """A pyfunc that takes images."""
    mlflow.pyfunc.save_model(
        path,
        python_model=Brightness(),
        signature=ModelSignature(Schema([TensorSpec(np.dtype("float32"), (-1, 28, 28))])),
        input_example=images(1),
        pip_requirements=["mlflow"],
    )


MODELS: Final[Mapping[str, Callable[[Path], None]]] = {
    "LR": save_regression,
    "no-op": save_noop,
    "wide": lambda path: save_wide(path, dates=True),
    "wide without dates": lambda path: save_wide(path, dates=False),
    "tensor": save_tensor,
}
"""How each model is saved."""


# Workloads.


def split(frame: pd.DataFrame) -> bytes:
    """The frame as a `dataframe_split` body."""
    table = frame.to_json(orient="split", index=False, date_format="iso")
    return f'{{"dataframe_split":{table}}}'.encode()


def records(frame: pd.DataFrame) -> bytes:
    """The frame as a `dataframe_records` body."""
    return f'{{"dataframe_records":{frame.to_json(orient="records")}}}'.encode()


def split_case(name: str, title: str, model: str, frame: pd.DataFrame, callers: int = 1) -> Case:
    """A workload of `dataframe_split`."""
    return Case(name, title, model, split(frame), frame, callers=callers)


def csv_case(name: str, title: str, model: str, frame: pd.DataFrame) -> Case:
    """A workload of CSV, where MLflow hands text to the model as objects."""
    ready = frame.astype(dict.fromkeys(frame.select_dtypes("str"), object))
    return Case(name, title, model, frame.to_csv(index=False).encode(), ready, CSV)


def tensor_case(form: str) -> Case:
    """A workload of 64 images under `instances` or `inputs`."""
    pixels = images(64)
    body = orjson.dumps({form: pixels.astype("float64").round(4).tolist()})
    return Case(f"tensor-{form}", f"tensor 64x28x28, {form}", "tensor", body, pixels)


def build_cases() -> list[Case]:
    """All workloads in the order of the table, those of one model side by side."""
    one, hundred, many = doubles(1), doubles(100), doubles(10_000)
    wide, wide_csv = mixed(10_000, dates=True), mixed(10_000, dates=False)
    return [
        split_case("lr-1", "LR, 1 row", "LR", one),
        split_case("lr-1-64", "LR, 1 row, 64 callers", "LR", one, callers=64),
        Case("lr-100", "LR, 100 rows records", "LR", records(hundred), hundred),
        split_case("lr-10k", "LR, 10,000 rows split", "LR", many),
        csv_case("lr-100k-csv", "LR, 100,000 rows CSV", "LR", doubles(100_000)),
        split_case(PING, "/ping beside two callers of 10,000 rows", "LR", many, callers=2),
        split_case("noop-1", "no-op, 1 row", "no-op", one),
        split_case("wide-1", "50 columns, 1 row", "wide", mixed(1, dates=True)),
        split_case("wide-10k", "50 columns, 10,000 rows split", "wide", wide),
        csv_case("wide-10k-csv", "50 columns, 10,000 rows CSV", "wide without dates", wide_csv),
        tensor_case("instances"),
        tensor_case("inputs"),
    ]


# The limit's server.


def limit_answer(name: str, body: bytes, media_type: str, ready: Any, predict: Any) -> bytes:
    """What no server can leave out."""
    if media_type == CSV:
        pd.read_csv(io.BytesIO(body))
    else:
        orjson.loads(body)
    answer = {"predictions": np.asarray(predict(ready))}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def serve_limit(model_path: str, cases_path: str) -> None:
    """Serves the limit. Runs in a process of its own; address and port are our settings."""
    from modelserver.serve import serve
    from modelserver.settings import read_settings

    cases = pickle.loads(Path(cases_path).read_bytes())
    predict = mlflow.pyfunc.load_model(model_path)._model_impl.predict

    async def invocations(request: Request) -> Response:
        name = request.scope["query_string"].decode()
        work = (name, await request.body(), *cases[name], predict)
        if name == PING:  # on the event loop it would keep /ping waiting
            return Response(await asyncio.to_thread(limit_answer, *work), media_type=JSON)
        return Response(limit_answer(*work), media_type=JSON)

    async def ping(request: Request) -> Response:
        return Response(b"\n", media_type=JSON)

    gc.collect()
    gc.freeze()
    routes = [Route("/invocations", invocations, methods=["POST"]), Route("/ping", ping)]
    serve(Starlette(routes=routes), read_settings(os.environ))


# Servers as processes.


@dataclass(slots=True)
class Server:
    """A running server: its first process, port and log."""

    name: str
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    began: float = field(default_factory=time.perf_counter)

    def processes(self) -> list[int]:
        """The ids of the server's process and all that descend from it."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(entry)[1]), []).append(int(entry.parent.name))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def cpu_ms(self) -> float:
        """User and system time of all processes so far."""
        ticks = 0
        for pid in self.processes():
            values = _stat(Path(f"/proc/{pid}/stat"))
            ticks += int(values[11]) + int(values[12])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory of all processes."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self.processes()]
        return sum(int(text.partition("VmRSS:")[2].split()[0]) for text in texts) / 1024

    def broken(self, what: str) -> Broken:
        """An error that shows the end of the log."""
        return Broken(f"{self.name}: {what}\n{self.log.read_text(errors='replace')[-4000:]}")

    def stop(self) -> None:
        """Ends the process group."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)


def _stat(file: Path) -> list[str]:
    """The fields of a /proc/<pid>/stat from the third on, the state; the second may hold spaces."""
    return file.read_text().rpartition(")")[2].split()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def command(name: str, model: Path, cases: Path, port: int) -> list[str]:
    """How a server is started."""
    if name == "MLflow":
        tool = str(Path(sys.executable).parent / "mlflow")
        options = ["-p", str(port), "-h", HOST, "--env-manager", "local"]
        return [tool, "models", "serve", "-m", str(model), *options]
    if name == "here":
        return [sys.executable, str(ROOT / "main.py")]
    code = f"from tests.bench import serve_limit; serve_limit({str(model)!r}, {str(cases)!r})"
    return [sys.executable, "-c", code]


@contextlib.contextmanager
def running(name: str, model: Path, cases: Path) -> Iterator[Server]:
    """A server's process, which may not listen yet; ended with everything it started."""
    port = free_port()
    folder = model.parent
    environment = {
        **os.environ,
        "MODEL_URI": str(model),
        "HOST": HOST,
        "PORT": str(port),
        "PYTHONPATH": str(ROOT) if name == "limit" else "",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    log = folder / f"{name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(name, model, cases, port),
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Server(name, process, port, log)
    try:
        yield server
    finally:
        server.stop()


# The client.


class Caller:
    """One keep-alive connection that sends the same request again and again."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._get_accepted()
        self.socket.setblocking(False)
        self.request = memoryview(request)
        self.began = 0.0
        self._left = self.request
        self._answer = bytearray()
        self._end: int | None = None

    def begin(self) -> None:
        """Sends, as much as the socket takes."""
        self._left, self._answer, self._end = self.request, bytearray(), None
        self.began = time.perf_counter()
        self.advance()

    def advance(self) -> bool:
        """Sends and receives what is possible now; True once the answer is complete."""
        with contextlib.suppress(BlockingIOError):
            while self._left:
                self._left = self._left[self.socket.send(self._left) :]
            while not self._complete():
                if not (part := self.socket.recv(1 << 18)):
                    raise ConnectionError("the server closed the connection")
                self._answer += part
            return True
        return False

    def _get_accepted(self) -> None:
        """Pings: a server that is busy with older connections leaves new ones waiting."""
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(PING_REQUEST)
        answer = b""
        while not answer.endswith(b"\r\n\r\n\n"):
            if not (part := self.socket.recv(1 << 12)):
                raise ConnectionError(f"/ping was answered {answer!r}")
            answer += part

    def _complete(self) -> bool:
        if self._end is None:
            head, found, _ = self._answer.partition(b"\r\n\r\n")
            if not found:
                return False
            if not head.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"the server answered {self._answer[:1000]!r}")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._end = len(head) + 4 + int(length)
        return len(self._answer) >= self._end


@contextlib.contextmanager
def connected(port: int, request: bytes, callers: int) -> Iterator[list[Caller]]:
    """Callers with open connections."""
    with contextlib.ExitStack() as stack:
        opened = [Caller(port, request) for _ in range(callers)]
        for caller in opened:
            stack.enter_context(caller.socket)
        yield opened


def _events(poll: select.epoll) -> list[tuple[int, int]]:
    """The next events. Waits awake for short: to wake a sleeping caller is work for the server."""
    until = time.perf_counter() + AWAKE
    while time.perf_counter() < until:
        if events := poll.poll(0):
            return events
    if events := poll.poll(PATIENCE):
        return events
    raise TimeoutError(f"the server said nothing for {PATIENCE} s")


def drive(
    callers: Sequence[Caller], seconds: float, most: int = MOST_REQUESTS
) -> tuple[list[float], float]:
    """Latencies of requests sent for `seconds` by `callers`, at most `most`; and the time taken."""
    latencies: list[float] = []
    with select.epoll() as poll:
        active = {caller.socket.fileno(): caller for caller in callers}
        for fd in active:
            poll.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        start = time.perf_counter()
        for caller in callers:
            caller.begin()
        while active:
            for fd, _ in _events(poll):
                if active[fd].advance():
                    now = time.perf_counter()
                    latencies.append(now - active[fd].began)
                    if now - start < seconds and len(latencies) + len(active) <= most:
                        active[fd].begin()
                    else:
                        poll.unregister(fd)
                        del active[fd]
        return latencies, time.perf_counter() - start


def ask(port: int, case: Case) -> bytes:
    """One answer to a workload's request."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    with contextlib.closing(connection):
        headers = {"Content-Type": case.media_type}
        connection.request("POST", f"/invocations?{case.name}", case.body, headers)
        response = connection.getresponse()
        answer = response.read()
    if response.status != 200:
        raise ConnectionError(f"{response.status}: {answer[:1000]!r}")
    return answer


# Measurements.


def first_prediction(server: Server, case: Case) -> float:
    """Seconds from the start of the process to its first answer."""
    while time.perf_counter() - server.began < PATIENCE:
        if server.process.poll() is not None:
            raise server.broken("ended while it started")
        try:
            ask(server.port, case)
        except ConnectionRefusedError:
            time.sleep(0.01)
        except (OSError, http.client.HTTPException) as error:
            raise server.broken(f"{case.name}: {error}") from error
        else:
            return time.perf_counter() - server.began
    raise server.broken("does not listen")


def check_equal(servers: Sequence[Server], case: Case) -> None:
    """All servers predict the same, or `Broken`."""
    answers = []
    for server in servers:
        try:
            answers.append(json.loads(ask(server.port, case))["predictions"])
        except (OSError, KeyError) as error:
            raise server.broken(f"{case.name}: {error}") from error
    for server, answer in zip(servers, answers, strict=True):
        if answer != answers[0]:
            raise Broken(f"{case.name}: {server.name} predicts other values than MLflow's server")


def measure_rounds(
    servers: Sequence[Server], rounds: int, measure: Callable[[Server], Samples]
) -> dict[str, Samples]:
    """What `measure` yields by metric and server, the servers taking turns."""
    results: dict[str, Samples] = {}
    for _ in range(rounds):
        for server in servers:
            try:
                measured = measure(server)
            except OSError as error:
                raise server.broken(str(error)) from error
            for metric, values in measured.items():
                results.setdefault(metric, {}).setdefault(server.name, []).extend(values)
    return results


def measure_requests(server: Server, case: Case, seconds: float) -> Samples:
    """One round of a workload."""
    with connected(server.port, case.request, case.callers) as callers:
        before = server.cpu_ms()
        latencies, elapsed = drive(callers, seconds)
        spent = server.cpu_ms() - before
    return {
        RATE: [len(latencies) / elapsed],
        LATENCY: [latency * 1000 for latency in latencies],
        CPU: [spent / len(latencies)],
    }


def measure_pings(server: Server, case: Case, seconds: float) -> Samples:
    """One round of pings, with pauses, while callers send large bodies."""
    latencies: list[float] = []
    with (
        ThreadPoolExecutor(1) as thread,
        connected(server.port, case.request, case.callers) as callers,
        connected(server.port, PING_REQUEST, 1) as pinger,
    ):
        load = thread.submit(drive, callers, seconds)
        while not load.done():
            latencies += drive(pinger, seconds=0)[0]
            time.sleep(PING_PAUSE)
        load.result()
    return {LATENCY: [latency * 1000 for latency in latencies]}


def summarised(title: str, results: Mapping[str, Samples]) -> list[Row]:
    """Rates and CPU as medians of the rounds, latencies as percentiles of all requests."""
    rows = []
    for metric, values in results.items():
        for label, reduce in SUMMARIES[metric].items():
            numbers = {name: float(reduce(values[name])) for name in SERVERS}
            rows.append(Row(title, label, numbers))
    return rows


def percentile(percent: float) -> Callable[[Sequence[float]], float]:
    """A function to a percentile."""
    return lambda values: float(np.percentile(values, percent))


SUMMARIES: Final[Mapping[str, Mapping[str, Callable[[Sequence[float]], float]]]] = {
    RATE: {"requests/s": median},
    LATENCY: {"p50 ms": median, "p99 ms": percentile(99)},
    CPU: {"server CPU ms/request": median},
    START: {"s": median},
}


def bench_case(servers: Sequence[Server], case: Case, rounds: int, seconds: float) -> list[Row]:
    """The rows of one workload."""
    check_equal(servers, case)
    for server in servers:
        with connected(server.port, case.request, case.callers) as callers:
            drive(callers, seconds / 2, most=200)
    measure = measure_pings if case.name == PING else measure_requests
    results = measure_rounds(servers, rounds, lambda server: measure(server, case, seconds))
    return summarised(case.title, results)


def bench_model(
    model: str, path: Path, cases: Sequence[Case], rounds: int, seconds: float
) -> tuple[list[Row], Row]:
    """The rows of all workloads of one model, and its servers' memory after them."""
    ready = write_ready(path.parent, cases)
    rows = []
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(name, path, ready)) for name in SERVERS]
        for server in servers:
            first_prediction(server, cases[0])
        for case in cases:
            progress(case.name)
            rows += bench_case(servers, case, rounds, seconds)
        memory = {server.name: server.rss_mb() for server in servers}
    return rows, Row(f"memory after the runs of {model}", "RSS MB", memory)


def bench_start(path: Path, case: Case) -> list[Row]:
    """From the start of a process to its first prediction, with nothing else running."""
    progress(START)
    ready = write_ready(path.parent, [case])
    seconds: Samples = {}
    for _ in range(STARTS):
        for name in SERVERS:
            with running(name, path, ready) as server:
                seconds.setdefault(name, []).append(first_prediction(server, case))
    return summarised("process start → first prediction, LR", {START: seconds})


def write_ready(folder: Path, cases: Sequence[Case]) -> Path:
    """The inputs for the limit's server, by workload, in a file."""
    file = folder / "ready.pickle"
    file.write_bytes(pickle.dumps({case.name: (case.media_type, case.ready) for case in cases}))
    return file


def progress(text: str) -> None:
    """A sign of life on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


# The report.


def preamble() -> list[str]:
    """Where, when and with what the numbers were measured, and how to read them."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    packages = ("mlflow", "pandas", "numpy", "orjson", "starlette", "uvicorn")
    versions = [f"{package} {metadata.version(package)}" for package in packages]
    return [
        f"Machine: {os.cpu_count()} cores, {cpu}  ",
        f"Versions: Python {platform.python_version()}, {', '.join(versions)}  ",
        f"Date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC  ",
        f"Command: `{shlex.join(['python', '-m', 'tests.bench', *sys.argv[1:]])}`",
        "",
        "limit: a bare Starlette app that decodes the body, has the model predict an input that",
        "is ready, and encodes the result. Of requests/s more is better, of all else less.",
        "A p99 of fewer than 100 requests is close to their maximum.",
        "",
    ]


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as Markdown."""
    lines = [
        "| workload | metric | MLflow | here | limit | here/limit | MLflow/here |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        theirs, here, limit = (row.values[name] for name in SERVERS)
        numbers = map(shown, (theirs, here, limit, ratio(here, limit), ratio(theirs, here)))
        lines.append(f"| {row.title} | {row.metric} | {' | '.join(numbers)} |")
    return lines


def ratio(part: float, whole: float) -> float:
    """A quotient; nothing by nothing is not a number."""
    return part / whole if whole else float("nan")


def shown(number: float) -> str:
    """About three digits."""
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f}"


def arguments(names: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="rounds per workload")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds per round and server")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the Markdown there, too")
    return parser.parse_args()


def bench(folder: Path, cases: Sequence[Case], options: argparse.Namespace) -> list[Row]:
    """All rows that were asked for."""
    wanted = options.only or [case.name for case in cases] + [START]
    rows, rest = [], []
    for model, save in MODELS.items():
        own = [case for case in cases if case.model == model and case.name in wanted]
        starts = model == cases[0].model and START in wanted
        if not own and not starts:
            continue
        progress(f"saving {model}")
        path = folder / model.replace(" ", "-")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to authors of models
            save(path)
        if own:
            found, used = bench_model(model, path, own, options.rounds, options.seconds)
            rows += found
            rest.append(used)
        if starts:
            rest += bench_start(path, cases[0])
    return rows + rest


def main() -> None:
    """Runs, prints, writes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that servers are stopped
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    cases = build_cases()
    options = arguments([*(case.name for case in cases), START])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            rows = bench(Path(folder), cases, options)
        except Broken as error:
            sys.exit(str(error))
    text = "\n".join([*preamble(), *table(rows)])
    print(text)
    if options.write:
        options.write.write_text(text + "\n")


if __name__ == "__main__":
    main()
