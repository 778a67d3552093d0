"""The command line of the benchmark."""

import argparse
import logging
import signal
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tests.support.bench
from tests.support.bench.cases import START, Case, build_cases
from tests.support.bench.measure import Row, bench_batching, bench_model, bench_start, progress
from tests.support.bench.models import MODELS
from tests.support.bench.report import CPU, preamble, table
from tests.support.bench.servers import Broken
from tests.support.bench.stages import stage_table, stage_times


def arguments(names: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.bench", description=tests.support.bench.__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=9, help="rounds per workload")
    parser.add_argument("--seconds", type=float, default=0.6, help="seconds per round and server")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the Markdown there, too")
    return parser.parse_args()


@dataclass(slots=True)
class Results:
    """What was measured: rows of the table, times of the stages by workload, and latencies with
    batching and without."""

    rows: list[Row] = field(default_factory=list)
    stages: dict[str, Mapping[str, float]] = field(default_factory=dict)
    batching: Mapping[str, float] = field(default_factory=dict)


def bench(folder: Path, cases: Sequence[Case], options: argparse.Namespace) -> Results:
    """All that was asked for."""
    wanted = options.only or [case.name for case in cases] + [START]
    results = Results()
    rest: list[Row] = []
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
            results.rows += found
            rest.append(used)
            results.stages |= stage_times(path, own)
        if cases[1] in own:
            batching = bench_batching(path, cases[0], options.rounds, options.seconds)
            results.batching = batching
        if starts:
            rest += bench_start(path, cases[0])
    results.rows += rest
    return results


def report(results: Results) -> str:
    """The whole Markdown."""
    cpu = {row.title: row.values["here"] for row in results.rows if row.metric == CPU}
    parts = [*preamble(), *table(results.rows)]
    if results.batching:
        texts = [f"{value:.3f} ms {name}" for name, value in results.batching.items()]
        parts += ["", f"Median latency of a single caller, LR, 1 row: {', '.join(texts)}."]
    parts += ["", "## Where the time goes here", ""]
    parts += ["Share of the server's CPU per request; each stage as for one request alone.", ""]
    return "\n".join([*parts, *stage_table(results.stages, cpu)])


def main() -> None:
    """Runs, prints, writes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that servers are stopped
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    cases = build_cases()
    options = arguments([*(case.name for case in cases), START])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            results = bench(Path(folder), cases, options)
        except Broken as error:
            sys.exit(str(error))
    text = report(results)
    print(text)
    if options.write:
        options.write.write_text(text + "\n")


if __name__ == "__main__":
    main()
