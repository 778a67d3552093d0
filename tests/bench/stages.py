"""Where our server's time goes: each stage of a request alone, in this process."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from modelserver.answering.encoding import encode_predictions
from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.reading.formats import FORMATS
from tests.bench.cases import PING, Case

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

        def read(case: Case = case) -> object:
            return FORMATS[case.media_type].read(case.body, model.signature, 10**9)

        payload = FORMATS[case.media_type].read(case.body, model.signature, 10**9)
        predictions = model.predict(payload)
        found[case.title] = {
            "read": cpu_ms(read),
            "predict": cpu_ms(lambda payload=payload: model.predict(payload)),  # type: ignore[misc]
            "encode": cpu_ms(lambda value=predictions: encode_predictions(value)),  # type: ignore[misc]
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
