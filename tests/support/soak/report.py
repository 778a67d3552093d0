"""The findings as Markdown, with where, when and by which command they were made."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from typing import Final

from tests.support.soak.findings import Finding

PACKAGES: Final = (
    *("mlflow", "pandas", "numpy", "scikit-learn", "orjson", "pysimdjson"),
    *("starlette", "uvicorn", "uvloop", "httptools", "h11"),
)


def write(parts: Mapping[str, Sequence[Finding]], command: str, minutes: float) -> str:
    """The whole of RELIABILITY.md. `parts`: the findings of each part, by its title."""
    lines = ["# Reliability", "", *_preamble(command, minutes)]
    for title, findings in parts.items():
        lines += ["", f"## {title}", "", "| tried | wanted | seen | |", "|---|---|---|---|"]
        lines += [_row(finding) for finding in findings]
    return "\n".join(lines) + "\n"


def _preamble(command: str, minutes: float) -> list[str]:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return [
        f"Machine: {os.cpu_count()} cores, {platform.system()}  ",
        f"Versions: Python {platform.python_version()}, {versions}  ",
        f"Date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, in {minutes:.0f} minutes  ",
        f"Command: `{command}`",
        "",
        "The real `python main.py`, called over the loopback interface. Callers and server share",
        "the cores, so that latencies are those of a busy machine.",
    ]


def _row(finding: Finding) -> str:
    verdict = "holds" if finding.holds else "**does not hold**"
    return f"| {finding.tried} | {finding.wanted} | {finding.seen} | {verdict} |"
