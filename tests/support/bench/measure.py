"""Measurements: rounds in which the servers take turns, and what is made of them."""

import contextlib
import http.client
import io
import json
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from tests.support.bench.cases import HOST, PING, START, Case
from tests.support.bench.client import PATIENCE, PING_REQUEST, ask, connected, drive
from tests.support.bench.limit import write_ready
from tests.support.bench.servers import SERVERS, UNBATCHED, Broken, Server, running

STARTS: Final = 3

PING_PAUSE: Final = 0.005

REST: Final = 3.0
"""Seconds between the last request and the look at the memory."""

RATE: Final = "rate"
LATENCY: Final = "latency"
CPU: Final = "cpu"

Samples: TypeAlias = dict[str, list[float]]
"""Numbers by metric (what one round yields), or by server."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    title: str
    metric: str
    values: Mapping[str, float]


def listening(server: Server) -> float:
    """Seconds from the start of the process until it accepts a connection."""
    return since_start(server, lambda: socket.create_connection((HOST, server.port)).close())


def first_prediction(server: Server, case: Case) -> float:
    """Seconds from the start of the process to its first answer."""

    def predicted() -> None:
        try:
            ask(server.port, case.sent_to(server.name))
        except ConnectionRefusedError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise server.broken(f"{case.name}: {error}") from error

    return since_start(server, predicted)


def since_start(server: Server, connect: Callable[[], None]) -> float:
    """Seconds from the start of the process until `connect` is no longer refused."""
    while time.perf_counter() - server.began < PATIENCE:
        if server.process.poll() is not None:
            raise server.broken("ended while it started")
        try:
            connect()
        except ConnectionRefusedError:
            time.sleep(0.005)
        else:
            return time.perf_counter() - server.began
    raise server.broken("does not listen")


def predictions_of(answer: bytes) -> list[object]:
    """The predictions in an answer in JSON or CSV, without the columns beside them."""
    if not answer.startswith(b"{"):
        return list(pd.read_csv(io.BytesIO(answer))["prediction"].tolist())
    found = json.loads(answer)["predictions"]
    return [row["prediction"] if isinstance(row, dict) else row for row in found]


def check_equal(servers: Sequence[Server], case: Case) -> None:
    """All servers predict the same, or `Broken`."""
    answers = []
    for server in servers:
        try:
            answers.append(predictions_of(ask(server.port, case.sent_to(server.name))))
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
    with connected(server.port, case.sent_to(server.name).request, case.callers) as callers:
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
        request = case.sent_to(server.name).request
        with connected(server.port, request, case.callers) as callers:
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
        time.sleep(REST)
        memory = {server.name: server.rss_mb() for server in servers}
    return rows, Row(f"memory at rest after the runs of {model}", "RSS MB", memory)


def bench_batching(path: Path, case: Case, rounds: int, seconds: float) -> Mapping[str, float]:
    """The median latency in ms of a single caller, with batching and without."""
    progress(UNBATCHED)
    ready = write_ready(path.parent, [case])
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(name, path, ready)) for name in ("here", UNBATCHED)]
        for server in servers:
            first_prediction(server, case)
        results = measure_rounds(
            servers, rounds, lambda server: measure_requests(server, case, seconds)
        )
    return {name: median(latencies) for name, latencies in results[LATENCY].items()}


def bench_start(path: Path, case: Case) -> list[Row]:
    """From the start of a process until it listens, and to its first prediction, with nothing else
    running."""
    progress(START)
    ready = write_ready(path.parent, [case])
    listens: Samples = {}
    predicts: Samples = {}
    for _ in range(STARTS):
        for name in SERVERS:
            with running(name, path, ready) as server:
                listens.setdefault(name, []).append(listening(server))
                predicts.setdefault(name, []).append(first_prediction(server, case))
    return [
        *summarised("process start → listening, LR", {START: listens}),
        *summarised("process start → first prediction, LR", {START: predicts}),
    ]


def progress(text: str) -> None:
    """A sign of life on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
