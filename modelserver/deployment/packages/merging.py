"""A model's packages merged into our requirements.txt, in a marked block.

In: the text of requirements.txt and the model's lines. Out: the new text. A line of ours for a
package of the block is put aside as a comment, so each package has one line, and the next merge
begins with our own lines as they were. Whatever is no requirement stays byte for byte.

Raises `Conflict` with a sentence for each contradiction: both sides, then, after the last "; ", the
one thing to do. Reads and writes no files.
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
    quoted,
)
from modelserver.deployment.packages.own_lines import malformed
from modelserver.deployment.packages.refusals import is_address, refusals

ASIDE: Final = "# the model's line replaces: "
"""Before a line of ours that counts no more while the block has the model's."""

HOLDERS: Final = {"starlette": "fastapi"}
"""Packages of which each version takes only some versions of one that the server needs."""

STRAY: Final = re.compile(rf"^(?:{START}|{END})[^\n]*\n?", re.M)
"""A mark without its partner: a file with a block was sorted."""


def contradictions(matches: Sequence[Match], text: str) -> Iterator[str]:
    """A sentence for each match that no version satisfies. `text` has its blocks emptied."""
    for match in matches:
        asked = f"the model asks for {quoted(match.theirs)}"
        if not agree(match.theirs):
            yield f"{asked}; log it again with one of them"
        elif is_below(match.theirs):
            needed = f"{match.name}{floor(match.name)}"
            instead = f"{needed}{_holding(match.name, matches)}"
            yield f"{asked}, the server needs `{needed}`; log the model again with {instead}"
        elif match.clashing:
            yield f"{asked}, {_blamed(match.clashing, text)}"


def _holding(name: str, matches: Sequence[Match]) -> str:
    """Names another package of the model whose old version forbids the one that the server needs;
    empty if there is none."""
    holder = HOLDERS.get(name)
    present = any(match.name == holder for match in matches)
    return f" and a {holder} that allows it" if present else ""


def _blamed(lines: Sequence[Line], text: str) -> str:
    numbers = [str(number) for number in _numbers(lines, text)]
    if len(numbers) == 1:
        return f"line {numbers[0]} of requirements.txt has {quoted(lines)}; delete that line"
    which = " and ".join(numbers)
    return f"lines {which} of requirements.txt have {quoted(lines)}; delete those lines"


def _numbers(lines: Sequence[Line], text: str) -> Iterator[int]:
    """The numbers of the lines in the text, whether or not a block put them aside."""
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
    """`text` with the packages of `model` in its block; `label` says which model.

    `aliases`: packages of ours that go by another name in `model`. Raises `Conflict`.
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
    """What two sets of lines do not agree on."""

    reasons: tuple[str, ...]
    """Sentences on packages that they cannot have in the same version."""
    older: tuple[Line, ...]
    """Pins of ours that came from older models, and give way."""


def differences(
    text: str, model: Sequence[Line], aliases: Mapping[str, str] | None = None
) -> Differences:
    """What `text` and `model` do not agree on."""
    head, tail = _without_block(text, "\n")
    matches = find_matches(read_lines(head + tail), model, aliases or {})
    return Differences(
        reasons=tuple(contradictions(matches, outside(text))),
        older=tuple(line for match in matches for line in match.older),
    )


def _without_block(text: str, newline: str) -> tuple[str, str]:
    """The text before and after the block, as it was before the block was made."""
    block = BLOCK.search(text)
    head, tail = (text[: block.start()], text[block.end() :]) if block else (text, "")
    if head and not head.endswith("\n"):
        head += newline
    return _restored(head), _restored(BLOCK.sub("", tail))


def _restored(text: str) -> str:
    return re.sub(rf"^{ASIDE}", "", STRAY.sub("", text), flags=re.M)


def _addresses(model: Sequence[Line], ours: Sequence[Line]) -> list[str]:
    """The model's packages without a name, unless we have the same lines."""
    present = {line.content for line in ours}
    found = dict.fromkeys(line.content for line in model if is_address(line))
    return [content for content in found if content not in present]


def _fates(match: Match) -> Iterator[tuple[Line, str]]:
    """What becomes of our lines that the block replaces: comments, from which they can come back;
    nothing where a line is only a pin of an older model or a copy of this model's line. The last
    line for a package that the server needs is kept as a comment."""
    gone = [*match.older, *(line for line in match.replaced if is_copy(line, match))]
    if match.name in FLOORS and len(gone) == len(match.older + match.replaced):
        gone = gone[:-1]
    for line in match.older + match.replaced:
        aside = "".join(ASIDE + part for part in line.text.splitlines(keepends=True))
        yield line, "" if line in gone else aside
