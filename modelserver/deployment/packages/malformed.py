"""Lines of requirements.txt that pip cannot read, and what they may have meant.

In: the file's text. Out: a `Malformed` for each such line, with its number. Nothing is raised.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from modelserver.deployment.packages.lines import Line, numbered, read_line
from modelserver.deployment.packages.refusals import is_address, is_path, read_option

BOUNDARY: Final = re.compile(r"""(?<=[\d*\]"')])(?=\s*(?:[A-Za-z]|-|\#))""")
"""Where a version or a marker may end and another line begin: `a==1.0b==2`."""

PIP_OPTIONS: Final = re.compile(r"(?:\s+(?:--hash|--config-settings?|--global-option)[ =]\S+)*")
"""What pip takes behind a requirement."""

PINNED: Final = re.compile(r"[\w\]]==\d")
"""What an address, a path or an option has only if a requirement was joined to it."""

RULE: Final = "each line holds one requirement, and notes begin with #"

SLIPS: Final = (
    (re.compile(r"^!?(?:\S*python\S* -m )?pip3? install (.*)$"), r"\1"),
    (re.compile(r"""^(?:- +)?["']?(.*?)["',;\s]*$"""), r"\1"),
    (re.compile(r"^([\w.-]+(?:\[[\w,-]*\])?) *= *(\d[\w.*]*)(?:=\w+)?$"), r"\1==\2"),
    (re.compile(r"^([\w.-]+(?:\[[\w,-]*\])?) +v?(\d[\w.*]*)$"), r"\1==\2"),
    (re.compile(r"^(.*)=([<>])(.*)$"), r"\1\2=\3"),
)
"""Other programs' ways to write a requirement, and pip's."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that is no requirement, option, address or path."""

    number: int
    line: Line

    def __str__(self) -> str:
        """What is wrong, and a guess."""
        found = f"line {self.number} `{self.line.quoted}` of requirements.txt is no requirement"
        meant = [f"`{line.quoted}`" for line in _meant(self.line.content) if line.content]
        if len(meant) > 1:
            return f"{found}: perhaps lines that were joined, {' and '.join(meant)}"
        return f"{found}: perhaps {meant[0]}" if meant else f"{found}: {RULE}"


def malformed(text: str) -> Iterator[Malformed]:
    """The lines of `text` that pip would refuse."""
    for number, line in numbered(text):
        if not _is_readable(line):
            yield Malformed(number, line)


def _is_readable(line: Line) -> bool:
    if PINNED.search((line.requirement.url or "") if line.requirement else line.content):
        return False
    if line.requirement:
        return PIP_OPTIONS.fullmatch(line.options) is not None
    known = is_address(line) or read_option(line.content) or is_path(line.content)
    return not line.content or bool(known)


def _meant(content: str) -> list[Line]:
    """The lines that were joined into one, or the one that was meant; empty without a guess."""
    parts: list[Line] = []
    for piece in BOUNDARY.split(content):
        longer = read_line(parts[-1].content + piece) if parts else read_line(piece)
        if parts and _is_readable(longer):
            parts[-1] = longer
        else:
            parts.append(read_line(piece))
    if len(parts) > 1 and all(map(_is_readable, parts)):
        return parts
    for slip, instead in SLIPS:
        line = read_line(slip.sub(instead, content))
        if line.requirement and _is_readable(line):
            return [line]
    return []
