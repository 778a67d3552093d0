"""The findings as Markdown, with where, when and by which command they were made."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from typing import Final

from tests.support.soak.findings import Extent, Finding

PACKAGES: Final = (
    *("mlflow", "pandas", "numpy", "scikit-learn", "orjson", "pysimdjson"),
    *("starlette", "uvicorn", "uvloop", "httptools", "h11"),
)

HEADING: Final = "\n## "


def merged(before: str, sections: Sequence[str]) -> str:
    """The whole of RELIABILITY.md. `before`: what it was; its sections of parts that were not tried
    again are kept."""
    kept = {_title(section): section for section in before.split(HEADING)[1:]}
    kept |= {_title(section): section for section in sections}
    return HEADING.join([_preamble(), *kept.values()])


def section(title: str, findings: Sequence[Finding], extent: Extent, seconds: float) -> str:
    """What was found by a part of the campaign."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    lines = [
        title,
        "",
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, in {seconds / 60:.1f} minutes; share "
        f"{extent.share:g}, seed {extent.seed}; Python {platform.python_version()}, {versions}.",
        "",
        "| tried | wanted | seen | |",
        "|---|---|---|---|",
        *map(_row, findings),
    ]
    return "\n".join(lines) + "\n"


def _title(section: str) -> str:
    return section.partition("\n")[0]


def _preamble() -> str:
    return "\n".join(
        [
            "# Reliability",
            "",
            "`make soak` wrote this, or for some of the parts",
            "`python -m tests.support.soak --write RELIABILITY.md --only PART`.",
            "The real `python main.py` was called over the loopback interface of a machine with "
            f"{os.cpu_count()} cores ({platform.system()}).",
            "Callers and server shared the cores, so that latencies are those of a busy machine.",
            "",
        ]
    )


def _row(finding: Finding) -> str:
    verdict = "holds" if finding.holds else "**does not hold**"
    return f"| {finding.tried} | {finding.wanted} | {finding.seen} | {verdict} |"
