"""The numbers as Markdown: where and how they were measured, ratios, goals."""

import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Final

from tests.support.bench.measure import Row
from tests.support.bench.servers import SERVERS


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: at most so many times the limit, so many times better than MLflow, at
    most so much; None for what is left open."""

    of_limit: float | None = None
    than_mlflow: float | None = None
    at_most: float | None = None

    def words(self) -> str:
        """The goal for the table."""
        parts = []
        if self.of_limit:
            parts.append(f"≤ {self.of_limit} of the limit")
        if self.than_mlflow:
            parts.append(f"{self.than_mlflow} times better")
        if self.at_most:
            parts.append(f"≤ {self.at_most}")
        return ", ".join(parts)

    def is_reached(self, row: Row) -> bool:
        """Whether the row reaches all of it."""
        theirs, here, limit = (row.values[name] for name in SERVERS)
        return (
            (self.of_limit is None or here <= self.of_limit * limit)
            and (self.than_mlflow is None or better(row, theirs, here) >= self.than_mlflow)
            and (self.at_most is None or here <= self.at_most)
        )


PACKAGES: Final = (
    *("mlflow", "pandas", "numpy", "scikit-learn", "orjson", "pysimdjson"),
    *("starlette", "uvicorn", "uvloop", "httptools"),
)

RATE: Final = "requests/s"
CPU: Final = "server CPU ms/request"

GOALS: Final[Mapping[tuple[str, str], Goal]] = {
    ("LR, 1 row", CPU): Goal(1.25, 4.5),
    ("LR, 1 row, 64 callers", RATE): Goal(than_mlflow=15),
    ("LR, 100 rows records", CPU): Goal(1.25, 4),
    ("LR, 10,000 rows split", CPU): Goal(1.25, 10),
    ("LR, 100,000 rows CSV", CPU): Goal(1.25, 2),
    ("/ping beside two callers of 10,000 rows", "p99 ms"): Goal(at_most=15),
    ("no-op, 1 row", CPU): Goal(than_mlflow=9),
    ("50 columns, 1 row", CPU): Goal(1.15),
    ("50 columns, 10,000 rows split", CPU): Goal(1.3),
    ("50 columns, 10,000 rows CSV", CPU): Goal(1.25),
    ("tensor 64x28x28, instances", CPU): Goal(than_mlflow=8),
    ("tensor 64x28x28, inputs", CPU): Goal(than_mlflow=8),
    ("process start → listening, LR", "s"): Goal(at_most=0.25),
    ("process start → first prediction, LR", "s"): Goal(1.15),
    ("memory at rest after the runs of LR", "RSS MB"): Goal(than_mlflow=2),
}


def better(row: Row, theirs: float, here: float) -> float:
    """How many times better than MLflow's server."""
    return ratio(here, theirs) if row.metric == RATE else ratio(theirs, here)


def preamble() -> list[str]:
    """Where, when and with what the numbers were measured, and how to read them."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    versions = [f"{package} {_version(package)}" for package in PACKAGES]
    return [
        "# Benchmarks",
        "",
        f"Machine: {os.cpu_count()} cores, {cpu}  ",
        f"Load average at the end: {', '.join(f'{load:.1f}' for load in os.getloadavg())}  ",
        f"Versions: Python {platform.python_version()}, {', '.join(versions)}  ",
        f"Date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC  ",
        f"Command: `{shlex.join(['python', '-m', 'tests.support.bench', *sys.argv[1:]])}`",
        "",
        "The three servers take turns, after their predictions were found equal. limit: a bare",
        "Starlette app that decodes the body with orjson, pandas or pyarrow, has the model predict",
        "an input that is ready, and encodes the result. Where MLflow's server has no such body or",
        "answer, it gets or gives the same rows in JSON (dataframe_split).",
        "Of requests/s more is better, of all else less.",
        "Numbers have two decimals (4 columns), three (50) or four (pixels); longer cost more.",
        "Medians of the rounds; a p99 of fewer than 100 requests is close to their maximum.",
        "BLAS has one thread in all three, since its waiting threads would count as work.",
        "",
    ]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as Markdown."""
    lines = [
        "| workload | metric | MLflow | here | limit | here/limit | better than MLflow | goal | |",
        "|---|---|--:|--:|--:|--:|--:|---|---|",
    ]
    for row in rows:
        theirs, here, limit = (row.values[name] for name in SERVERS)
        times = better(row, theirs, here)
        numbers = map(shown, (theirs, here, limit, ratio(here, limit), times))
        goal = GOALS.get((row.title, row.metric))
        words = goal.words() if goal else ""
        reached = ("reached" if goal.is_reached(row) else "missed") if goal else ""
        cells = [row.title, row.metric, *numbers, words, reached]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def ratio(part: float, whole: float) -> float:
    """A quotient; nothing by nothing is not a number."""
    return part / whole if whole else float("nan")


def shown(number: float) -> str:
    """About three digits."""
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f}"
