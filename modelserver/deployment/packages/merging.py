"""A model's packages merged into our requirements.txt, in a marked block.

In: the text of requirements.txt and the model's lines. Out: the new text. A line of ours for a
package of the block is put aside as a comment, so each package has one line, and the next merge
begins with our own lines as they were. Whatever is no requirement stays byte for byte.

Raises `Conflict` with a sentence for each contradiction. Reads and writes no files.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modelserver.deployment.packages.contradictions import ASIDE, contradictions
from modelserver.deployment.packages.floors import FLOORS
from modelserver.deployment.packages.lines import Line, read_lines
from modelserver.deployment.packages.malformed import malformed
from modelserver.deployment.packages.matches import Match, find_matches, is_copy, one_line
from modelserver.deployment.packages.refusals import is_address, refusals

START: Final = "# >>> model packages"
END: Final = "# <<< model packages"

BLOCK: Final = re.compile(rf"^{START}(?:(?!^{START}).)*?^{END}[^\n]*\n?", re.M | re.S)

STRAY: Final = re.compile(rf"^(?:{START}|{END})[^\n]*\n?", re.M)
"""A mark without its partner: a file with a block was sorted."""


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
    if unreadable := [str(line) for line in malformed(outside(text))]:
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


def outside(text: str) -> str:
    """The text with its blocks empty, so that the numbers of its lines are the same."""
    return BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)


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
