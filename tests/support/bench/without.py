"""What each fast way brings: a request with it and without it, in this process, in turns.

`python -m tests.support.bench.without [--ways NAME …] [--only NAME …] [--rounds N]` prints
Markdown: for each workload the CPU ms of a request that is read, predicted and encoded, the least
of all rounds, and how many times as long it takes without each of the ways. `WAYS` says how one is
switched off.
"""

import argparse
import contextlib
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from modelserver.hosting.memory import settle_memory
from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.scoring.model import Model
from modelserver.scoring.request import score
from tests.support.bench.cases import PING, Case, build_cases
from tests.support.bench.models import MODELS

MOST_CALLS: Final = 50
"""Of one round, for the smallest bodies."""


def nothing(*_: object) -> None:
    """Takes the place of a way that may have nothing to say."""


WAYS: Final[Mapping[str, tuple[str, Any]]] = {
    "json_numbers": ("reading.fast.json_numbers._array", nothing),
    "json_pieces": ("reading.fast.json_pieces._beginning", nothing),
    "fast_nulls": ("reading.json_reader.fast_nulls", nothing),
    "block_of": ("types.frames.block_of", nothing),
    "plain_columns": ("types.frames.plain_columns", lambda *_: {}),
    "frame_of": ("types.fast_blocks.create_dataframe_from_blocks", None),
    "_fast_dates": ("types.dates._are_plain", nothing),
    "_fast_texts": ("types.cell_parsers._fast_texts", nothing),
    "_fast_cells": ("reading.csv.reader._fast_cells", nothing),
    "_fast_column": ("reading.csv.reader._fast_column", nothing),
    "_fast_count": (
        "reading.csv.dialect._fast_count",
        lambda body, letter: body.count(letter.encode()),
    ),
    "_fast_maker": ("scoring.answering.fast_objects.WIDEST", 0),
    "array_predict": ("scoring.ways.array_predict", nothing),
    "_fast_call": ("scoring.ways._fast_call", nothing),
    "fast_predict": ("scoring.ways.fast_predict", nothing),
}
"""For each way: which name of the package stands for it, and what does in its place."""

Rival = str | None
"""A way that is switched off, or none."""


@contextlib.contextmanager
def switched_off(way: Rival) -> Iterator[None]:
    """Without the way."""
    if way is None:
        yield
    else:
        name, stand_in = WAYS[way]
        with patch(f"modelserver.{name}", stand_in):
            yield


def cpu_ms(case: Case, models: Mapping[Rival, Model], rounds: int) -> dict[Rival, float]:
    """The CPU of a request with each of the models, that are asked in turns."""
    request = case.work
    calls = max(1, min(MOST_CALLS, 100_000 // len(case.body)))
    least = dict.fromkeys(models, float("inf"))
    for _ in range(rounds):
        for way, model in models.items():
            with switched_off(way):
                start = time.thread_time()
                for _ in range(calls):
                    score(model, request)
                least[way] = min(least[way], (time.thread_time() - start) * 1000 / calls)
    return least


def loaded(path: Path, ways: Sequence[str]) -> dict[Rival, Model]:
    """The model as it is loaded with all ways, and without each of them."""
    models: dict[Rival, Model] = {}
    for way in (None, *ways):
        with switched_off(way):
            models[way] = load_model(read_settings({"MODEL_URI": str(path)}))
    return models


def table(ways: Sequence[str], report: Callable[[str], None], options: argparse.Namespace) -> None:
    """Measures, and reports the table line by line."""
    report(f"| workload | ms | {' | '.join(ways)} |\n|---|--:|{'--:|' * len(ways)}")
    cases = [case for case in build_cases() if case.name != PING and case.callers == 1]
    for name, save in MODELS.items():
        own = [c for c in cases if c.model == name and c.name in (options.only or [c.name])]
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            models = {}
            if own:
                save(Path(folder) / "model")
                models = loaded(Path(folder) / "model", ways)
                settle_memory()
            for case in own:
                least = cpu_ms(case, models, options.rounds)
                times = [f"{least[way] / least[None]:.2f}" for way in ways]
                report(f"| {case.title} | {least[None]:.2f} | {' | '.join(times)} |")


def main() -> None:
    """Measures what was asked for."""
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.bench.without", description=__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--ways", nargs="+", metavar="NAME", choices=WAYS, default=list(WAYS))
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="workloads of tests/support/bench/cases"
    )
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    table(options.ways, lambda line: print(line, flush=True), options)


if __name__ == "__main__":
    main()
