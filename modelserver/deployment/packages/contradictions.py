"""Where a model's packages and our requirements cannot hold together, and what ends that.

In: matches and the text of requirements.txt. Out: a sentence for each contradiction: both sides,
then, after the last "; ", the one thing to do. Nothing is raised.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from modelserver.deployment.packages.floors import floor, is_below
from modelserver.deployment.packages.lines import Line
from modelserver.deployment.packages.matches import Match, agree, quoted

ASIDE: Final = "# the model's line replaces: "
"""Before a line of ours that counts no more while the block has the model's."""

HOLDERS: Final = {"starlette": "fastapi"}
"""Packages of which each version takes only some versions of one that the server needs."""


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
    """Another package of the model that, in an old version, does not allow a new one of this."""
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
    """Where the lines begin in the text, in which some are put aside."""
    starts = {line.text.splitlines()[0] for line in lines}
    for number, part in enumerate(text.splitlines(), 1):
        if part.removeprefix(ASIDE) in starts:
            yield number
