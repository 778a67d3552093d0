"""Where our server's time goes: each stage of a request alone, in this process."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.scoring.request import encode, read
from tests.support.bench.cases import PING, Case

SECONDS: Final = 0.3
"""For each stage of each workload."""

STAGES: Final = ("read", "predict", "encode")


def stage_times(path: Path, cases: Sequence[Case]) -> dict[str, Mapping[str, float]]:
    """By workload, the CPU ms of each stage."""
    model = load_model(read_settings({"MODEL_URI": str(path)}))
    found: dict[str, Mapping[str, float]] = {}
    for case in cases:
        if case.name == PING:
            continue

        work = case.work
        payload = read(model, work)
        predictions = model.predict(payload)
        found[case.title] = {
            "read": cpu_ms(partial(read, model, work)),
            "predict": cpu_ms(partial(model.predict, payload)),
            "encode": cpu_ms(partial(encode, model, work, payload, predictions, 0.0, 0.0)),
        }
    return found


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU of this thread for one call, the median of many."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 3:
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return median(times) * 1000


def stage_table(stages: Mapping[str, Mapping[str, float]], cpu: Mapping[str, float]) -> list[str]:
    """The shares as Markdown. `cpu`: our server's ms per request, by workload."""
    lines = [
        "| workload | reading the input | the model | writing the answer | HTTP, threads, log |",
        "|---|--:|--:|--:|--:|",
    ]
    for title, times in stages.items():
        total = max(cpu[title], sum(times.values()))
        shares = [times[stage] / total for stage in STAGES]
        cells = " | ".join(f"{share:.0%}" for share in [*shares, 1 - sum(shares)])
        lines.append(f"| {title} | {cells} |")
    return lines
