"""The command line of `python main.py`: serve, or check and say what is missing.

In: arguments and environment. Out: nothing where the app is to be served; else the process ends
with an exit code: 0, 1 for a failed check, 2 for a wrong command line.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent


def read_command(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Returns if the app is to be served; anything else ends the process."""
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Serves the model that MODEL_URI names. The README has all settings.",
        allow_abbrev=False,
    )
    parser.add_argument("--check", action="store_true", help="say what a deployment lacks, and end")
    parser.add_argument("--json", action="store_true", help="the result of --check as JSON")
    parser.add_argument("extra", nargs="*", help="with --check: further files that you deploy")
    options = parser.parse_args(arguments)
    if (options.json or options.extra) and not options.check:
        parser.error("--json and further files belong to --check")
    if options.check:
        raise SystemExit(_check(environment, options.json, options.extra))


def _check(environment: Mapping[str, str], as_json: bool, extra: Sequence[str]) -> int:
    # A server has no use for them, and a bundle does not have them.
    from modelserver.deployment.bundle import deploy_line
    from modelserver.deployment.preflight import preflight
    from modelserver.deployment.report import Style, write_json, write_table

    environment = dict(environment)  # as it is now, since MLflow will keep settings of ours there
    checks, style = preflight(environment, ROOT, extra), Style.of(sys.stdout, environment)
    try:
        if as_json:
            passed = write_json(checks, sys.stdout)
        else:
            passed = write_table(checks, sys.stdout, style, deploy_line(environment, extra))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0 if passed else 1
