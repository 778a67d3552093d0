"""`python main.py check`: the pre-flight and its report.

In: a command line, environment variables. Out: an exit code, 1 where a check failed.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from modelserver.deployment.checks.preflight import preflight
from modelserver.deployment.checks.report import Style, write_json, write_table
from modelserver.deployment.shell import ours
from modelserver.deployment.targets import model_and_files, with_model

ROOT: Final = Path(__file__).parents[3]

TARGETS: Final = "the model, by default that of MODEL_URI; further files that you deploy"


def check(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Prints each check as it is done; the exit code."""
    options = _parser().parse_intermixed_args(arguments)
    model, extra = model_and_files(options.target)
    environment = with_model(environment, model)
    checks, style = preflight(environment, ROOT, extra), Style.of(sys.stdout, environment)
    if options.json:
        passed = write_json(checks, sys.stdout)
    else:
        next_step = ours("deploy", environment.get("MODEL_URI", ""), *extra)
        passed = write_table(checks, sys.stdout, style, next_step)
    return 0 if passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="main.py check",
        usage="%(prog)s [--json] [model-uri] [file …]",
        description="Says what a deployment of the model lacks, and what mends it.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument("target", nargs="*", metavar="model-uri, file", help=TARGETS)
    return parser
