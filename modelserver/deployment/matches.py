"""Which lines speak of the same package, and what they say together.

In: our lines and the model's. Out: a `Match` for each package of the model, which can say that its
lines contradict each other, or what one line says in their place. Nothing is raised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from modelserver.deployment.requirements import Line
from modelserver.deployment.versions import common


@dataclass(frozen=True, slots=True)
class Match:
    """What is said of one package under one marker, by the model and by us."""

    theirs: tuple[Line, ...]
    replaced: tuple[Line, ...]
    """Our lines that the model's line stands for."""
    beside: tuple[Line, ...]
    """Our lines that stay, because one of the two counts under its marker only."""


def _requirement(line: Line) -> Requirement:
    assert line.requirement is not None  # matches are made of nothing else
    return line.requirement


def _url(line: Line) -> str | None:
    return _requirement(line).url


def _specifiers(lines: Sequence[Line]) -> list[SpecifierSet]:
    return [_requirement(line).specifier for line in lines]


def quoted(lines: Sequence[Line]) -> str:
    """The lines for messages."""
    return " and ".join(f"`{line.quoted}`" for line in lines)


def find_matches(
    ours: Sequence[Line], model: Sequence[Line], aliases: Mapping[str, str]
) -> list[Match]:
    """What is said of each package of the model; `aliases` are our names for some of them."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in model:
        if line.requirement:
            groups.setdefault((line.name, line.marker), []).append(line)
    return [
        _match(marker, theirs, [o for o in ours if aliases.get(o.name, o.name) == name])
        for (name, marker), theirs in groups.items()
    ]


def _match(marker: str, theirs: list[Line], ours: list[Line]) -> Match:
    replaced = [line for line in ours if line.marker == marker or not (marker or _url(line))]
    # Two markers that differ may exclude each other, so only lines without one are held together.
    others = [line for line in ours if line not in replaced and not (marker and line.marker)]
    return Match(tuple(theirs), tuple(replaced), tuple(others))


def contradiction(match: Match) -> str | None:
    """A sentence with both sides where no version satisfies all lines of the match."""
    lines = match.theirs + match.replaced + match.beside
    urls = {url for line in lines if (url := _url(line))}
    if len(urls) <= 1 and (urls or common(_specifiers(lines)) is not None):
        return None
    ours = match.replaced + match.beside
    also = f", requirements.txt has {quoted(ours)}" if ours else ""
    return f"the model asks for {quoted(match.theirs)}{also}"


def one_line(match: Match) -> str:
    """The line that says what all lines of the match say, as one of them says it if it can."""
    lines = match.theirs + match.replaced
    for line in lines:
        if _url(line):
            return _as_written(line)
    wanted = Requirement(str(match.theirs[0].requirement))
    wanted.specifier = common(_specifiers(lines)) or SpecifierSet()
    wanted.extras = {extra for line in lines for extra in _requirement(line).extras}
    # Hashes belong to one version, so where a line has them it is the one that names it.
    for line in sorted(lines, key=lambda line: not line.options):
        if line.requirement == wanted:
            return _as_written(line)
    return str(wanted)


def _as_written(line: Line) -> str:
    """As it stands, if it also ends where it ends and its continuations are no comments."""
    text = line.text.rstrip("\r\n\\")
    return line.content if "#" in text and len(text.splitlines()) > 1 else text


def is_copy(line: Line, match: Match) -> bool:
    """Whether the model has the very same line."""
    said = (line.requirement, line.options)
    return any(said == (theirs.requirement, theirs.options) for theirs in match.theirs)
