"""The command line of the campaign."""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import tests.support.soak
from tests.support.soak.bad_models import bad_models
from tests.support.soak.connections import connections
from tests.support.soak.findings import Extent, Finding, Part
from tests.support.soak.kills import kills
from tests.support.soak.odd_requests import odd_requests
from tests.support.soak.overload import overload
from tests.support.soak.report import merged, section
from tests.support.soak.surroundings import surroundings

PARTS: Final[Mapping[str, Part]] = {
    "Odd requests": odd_requests,
    "Overload": overload,
    "Connections": connections,
    "Models that misbehave": bad_models,
    "Kills": kills,
    "Faults around the server": surroundings,
}
"""The parts of the campaign by their titles in RELIABILITY.md, in the order of the report."""


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.soak", description=tests.support.soak.__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", metavar="PART", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="of the campaign, such as 0.01")
    parser.add_argument("--seed", type=int, default=1, help="other requests, other moments")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the Markdown there, too")
    return parser.parse_args()


def main() -> int:
    """Runs the parts and prints the report: 1 if something does not hold."""
    options = arguments()
    sections: list[str] = []
    found: list[Finding] = []
    for title in options.only:
        print(f"== {title}", file=sys.stderr, flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            extent = Extent(options.share, Path(folder), options.seed)
            findings = PARTS[title](extent)
        for finding in findings:
            print(f"{finding.tried}: {finding.seen}", file=sys.stderr, flush=True)
        sections.append(section(title, findings, extent, time.monotonic() - began))
        found += findings
    before = options.write.read_text() if options.write and options.write.exists() else ""
    print(text := merged(before, sections))
    if options.write:
        options.write.write_text(text)
    return int(not all(finding.holds for finding in found))


if __name__ == "__main__":
    sys.exit(main())
