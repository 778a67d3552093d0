"""What a check of the pre-flight found, and the report: a table for people, JSON for machines.

In: checks, as they are done. Out: text on a stream, and whether no check failed. Colours are used
on terminals only, and not if NO_COLOR is set. A console that cannot show the signs gets letters.
"""

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Generic, Literal, TextIO, TypeAlias, TypeVar

T = TypeVar("T")

Status: TypeAlias = Literal["ok", "warning", "failed", "skipped"]

SIGNS: Final = {"ok": "✓", "warning": "!", "failed": "✗", "skipped": "-", "advice": "→"}

LETTERS: Final = {"ok": "+", "warning": "!", "failed": "X", "skipped": "-", "advice": "->"}

COLOURS: Final = {"ok": "32", "warning": "33", "failed": "31", "skipped": "2", "advice": "1"}

NAME_WIDTH: Final = 16
"""The length of the longest name, requirements.txt."""

MARGIN: Final = " " * (NAME_WIDTH + 4)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `advice` is what to write or run; empty if there is nothing to do."""

    name: str
    status: Status
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The result of a check, and in `fact` what later checks can use of it."""

    status: Status
    found: str
    advice: str = ""
    fact: T | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """How text is written to a stream: signs, colours and width."""

    signs: Mapping[str, str]
    colour: bool
    width: int

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str]) -> "Style":
        """The style that the stream can show and that the user's settings ask for."""
        terminal = stream.isatty()
        colour = terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        columns = shutil.get_terminal_size().columns if terminal else 100
        return cls(SIGNS if _shows(stream, SIGNS) else LETTERS, colour, max(60, columns))

    def sign(self, kind: str) -> str:
        """The sign of a status, with its colour if the style has colours."""
        sign = self.signs[kind]
        return f"\033[{COLOURS[kind]}m{sign}\033[0m" if self.colour else sign


def _shows(stream: TextIO, signs: Mapping[str, str]) -> bool:
    try:
        "".join(signs.values()).encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def write_table(checks: Iterable[Check], stream: TextIO, style: Style, next_step: str) -> bool:
    """Writes a line for each check as soon as it is done, its advice below it, and at the end the
    verdict. Returns whether no check failed.

    `next_step`: the command to run if nothing failed.
    """
    counts: Counter[Status] = Counter()
    for check in checks:
        counts[check.status] += 1
        _write(stream, _row(check, style))
    _write(stream, _verdict(counts, next_step))
    return not counts["failed"]


def _verdict(counts: Mapping[Status, int], next_step: str) -> str:
    if counts["failed"]:
        return f"Failed: {counts['failed']}, warnings: {counts['warning']}."
    warnings = counts["warning"]
    verdict = f"Nothing failed; warnings: {warnings}." if warnings else "All is well."
    return f"{verdict} Next:\n    {next_step}"


def _row(check: Check, style: Style) -> str:
    head = f"{style.sign(check.status)} {check.name:{NAME_WIDTH}}  "
    lines = textwrap.wrap(
        check.found, style.width - len(MARGIN), break_on_hyphens=False, break_long_words=False
    )
    row = head + f"\n{MARGIN}".join(lines)
    # The advice is not wrapped, so that a person can copy and paste it.
    return f"{row}\n{MARGIN}{style.sign('advice')} {check.advice}" if check.advice else row


def _write(stream: TextIO, text: str) -> None:
    print(text, file=stream, flush=True)


def write_json(checks: Iterable[Check], stream: TextIO) -> bool:
    """Writes one JSON object: whether no check failed, and all checks. Returns the former."""
    done = list(checks)
    passed = all(check.status != "failed" for check in done)
    document = {"passed": passed, "checks": [asdict(check) for check in done]}
    print(json.dumps(document, indent=2), file=stream)
    return passed
