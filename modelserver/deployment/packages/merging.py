"""A model's packages merged into our requirements.txt, in a marked block.

In: the text of requirements.txt and the model's lines. Out: the new text. If the block has a line
for a package, our own line for it becomes a comment. So each package has one line, and the next
merge can restore our own lines first. All other lines stay unchanged.

Raises `Conflict` with a sentence for each contradiction: what both sides say and, after the last
"; ", what to do. Reads and writes no files.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modelserver.deployment.packages.floors import FLOORS, floor, is_below
from modelserver.deployment.packages.lines import BLOCK, END, START, Line, outside, read_lines
from modelserver.deployment.packages.matches import (
    Match,
    agree,
    find_matches,
    is_copy,
    one_line,
    quoted_lines,
)
from modelserver.deployment.packages.own_lines import malformed
from modelserver.deployment.packages.refusals import is_address, refusals

ASIDE: Final = "# the model's line replaces: "
"""The beginning of a comment with a line of ours, which does not count while the block has the
model's line."""

HOLDERS: Final = {"starlette": "fastapi"}
"""For a package that the server needs: another package whose versions each allow only some versions
of it."""

STRAY: Final = re.compile(rf"^(?:{START}|{END})[^\n]*\n?", re.M)
"""A single mark, for example because somebody sorted a file with a block."""


def contradictions(matches: Sequence[Match], text: str) -> Iterator[str]:
    """A sentence for each match that no version satisfies. `text` is requirements.txt with empty
    lines in place of its block."""
    for match in matches:
        asked = f"the model asks for {quoted_lines(match.theirs)}"
        if not agree(match.theirs):
            yield f"{asked}; log it again with one of them"
        elif is_below(match.theirs):
            needed = f"{match.name}{floor(match.name)}"
            instead = f"{needed}{_holding(match.name, matches)}"
            yield f"{asked}, the server needs `{needed}`; log the model again with {instead}"
        elif match.clashing:
            yield f"{asked}, {_blamed(match.clashing, text)}"


def _holding(name: str, matches: Sequence[Match]) -> str:
    """Words that name a package of the model whose version excludes the version of `name` that the
    server needs; empty if there is none."""
    holder = HOLDERS.get(name)
    present = any(match.name == holder for match in matches)
    return f" and a {holder} that allows it" if present else ""


def _blamed(lines: Sequence[Line], text: str) -> str:
    numbers = [str(number) for number in _numbers(lines, text)]
    if len(numbers) == 1:
        return f"line {numbers[0]} of requirements.txt has {quoted_lines(lines)}; delete that line"
    which = " and ".join(numbers)
    return f"lines {which} of requirements.txt have {quoted_lines(lines)}; delete those lines"


def _numbers(lines: Sequence[Line], text: str) -> Iterator[int]:
    """The numbers of these lines in the text, also if a merge has made them comments."""
    starts = {line.text.splitlines()[0] for line in lines}
    for number, part in enumerate(text.splitlines(), 1):
        if part.removeprefix(ASIDE) in starts:
            yield number


class Conflict(Exception):
    """The lines contradict each other, or cannot be taken over."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def merge(
    text: str, model: Sequence[Line], label: str, aliases: Mapping[str, str] | None = None
) -> str:
    """`text` with the packages of `model` in its block. `label`: the model's name in the block.

    `aliases`: from the name of a package in our lines to another name that it has in `model`.
    Raises `Conflict`.
    """
    if unreadable := [fault.found for fault in malformed(outside(text))]:
        raise Conflict(unreadable)
    newline = "\r\n" if "\r\n" in text else "\n"
    head, tail = (read_lines(part) for part in _without_block(text, newline))
    matches = find_matches(head + tail, model, aliases or {})
    if reasons := [*refusals(model, head + tail), *contradictions(matches, outside(text))]:
        raise Conflict(reasons)
    block = [f"{START} of {label}, made by `python main.py update`; edits here are lost"]
    block += _addresses(model, head + tail)
    block += [one_line(match) for match in matches]
    block += [END]
    fate = {line: after for match in matches for line, after in _fates(match)}
    return "".join(
        [
            *(fate.get(line, line.text) for line in head),
            *(f"{line}{newline}" for line in block),
            *(fate.get(line, line.text) for line in tail),
        ]
    )


@dataclass(frozen=True, slots=True)
class Differences:
    """How our lines differ from those of a model."""

    reasons: tuple[str, ...]
    """Sentences about packages for which no version satisfies both."""
    older: tuple[Line, ...]
    """Pins of older models among our lines, which are dropped."""


def differences(
    text: str, model: Sequence[Line], aliases: Mapping[str, str] | None = None
) -> Differences:
    """How the lines in `text` differ from those of `model`."""
    head, tail = _without_block(text, "\n")
    matches = find_matches(read_lines(head + tail), model, aliases or {})
    return Differences(
        reasons=tuple(contradictions(matches, outside(text))),
        older=tuple(line for match in matches for line in match.older),
    )


def _without_block(text: str, newline: str) -> tuple[str, str]:
    """The text before and after the block, with our own lines as they were before the merge."""
    block = BLOCK.search(text)
    head, tail = (text[: block.start()], text[block.end() :]) if block else (text, "")
    if head and not head.endswith("\n"):
        head += newline
    return _restored(head), _restored(BLOCK.sub("", tail))


def _restored(text: str) -> str:
    return re.sub(rf"^{ASIDE}", "", STRAY.sub("", text), flags=re.M)


def _addresses(model: Sequence[Line], ours: Sequence[Line]) -> list[str]:
    """The model's lines that are only a URL of a package, except those that we have too."""
    present = {line.content for line in ours}
    found = dict.fromkeys(line.content for line in model if is_address(line))
    return [content for content in found if content not in present]


def _fates(match: Match) -> Iterator[tuple[Line, str]]:
    """Our lines that the block replaces, and what each becomes: a comment, from which it can be
    restored; or nothing, if it is a pin of an older model or a copy of this model's line. The last
    line for a package that the server needs always becomes a comment."""
    gone = [*match.older, *(line for line in match.replaced if is_copy(line, match))]
    if match.name in FLOORS and len(gone) == len(match.older + match.replaced):
        gone = gone[:-1]
    for line in match.older + match.replaced:
        aside = "".join(ASIDE + part for part in line.text.splitlines(keepends=True))
        yield line, "" if line in gone else aside
