"""The command line of the benchmark."""

import argparse
import logging
import signal
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import tests.bench
from tests.bench.cases import START, Case, build_cases
from tests.bench.measure import Row, bench_model, bench_start, progress
from tests.bench.models import MODELS
from tests.bench.report import CPU, preamble, table
from tests.bench.servers import Broken
from tests.bench.stages import stage_table, stage_times


def arguments(names: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=tests.bench.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="rounds per workload")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds per round and server")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the Markdown there, too")
    return parser.parse_args()


def bench(
    folder: Path, cases: Sequence[Case], options: argparse.Namespace
) -> tuple[list[Row], dict[str, Mapping[str, float]]]:
    """All rows that were asked for, and the times of the stages."""
    wanted = options.only or [case.name for case in cases] + [START]
    rows: list[Row] = []
    rest: list[Row] = []
    stages: dict[str, Mapping[str, float]] = {}
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
            stages |= stage_times(path, own)
        if starts:
            rest += bench_start(path, cases[0])
    return rows + rest, stages


def report(rows: Sequence[Row], stages: Mapping[str, Mapping[str, float]]) -> str:
    """The whole Markdown."""
    cpu = {row.title: row.values["here"] for row in rows if row.metric == CPU}
    heading = ["", "## Where the time goes here", ""]
    heading += ["Share of the server's CPU per request; each stage as for one request alone.", ""]
    return "\n".join([*preamble(), *table(rows), *heading, *stage_table(stages, cpu)])


def main() -> None:
    """Runs, prints, writes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that servers are stopped
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    cases = build_cases()
    options = arguments([*(case.name for case in cases), START])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            rows, stages = bench(Path(folder), cases, options)
        except Broken as error:
            sys.exit(str(error))
    text = report(rows, stages)
    print(text)
    if options.write:
        options.write.write_text(text + "\n")


if __name__ == "__main__":
    main()
