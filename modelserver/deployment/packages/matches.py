"""Which lines are about the same package, and what they say together.

In: our lines and the model's. Out: a `Match` for each package of the model, and one line that
replaces all lines of a match. Nothing is raised.

A pin without a comment that contradicts the model's line is taken for one of an older model, as
people leave it with `cat` or `sort -u`: it is dropped. Every other line is a person's own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from modelserver.deployment.packages.lines import COMMENT, Line, common, is_exact


@dataclass(frozen=True, slots=True)
class Match:
    """The lines for one package under one marker: the model's (`theirs`) and ours."""

    theirs: tuple[Line, ...]
    replaced: tuple[Line, ...]
    """Our lines that the model's line replaces."""
    older: tuple[Line, ...]
    """Pins of older models, which no longer count."""
    beside: tuple[Line, ...]
    """Our lines that stay, because they have another marker than the model's line."""

    @property
    def name(self) -> str:
        """The name of the package."""
        return self.theirs[0].name

    @property
    def clashing(self) -> tuple[Line, ...]:
        """Our lines that contradict the model's; empty if one version satisfies all lines."""
        ours = self.replaced + self.beside
        if agree(self.theirs + ours):
            return ()
        return tuple(line for line in ours if not agree((*self.theirs, line))) or ours


def _requirement(line: Line) -> Requirement:
    assert line.requirement is not None  # a match has only lines with a requirement
    return line.requirement


def _url(line: Line) -> str | None:
    return _requirement(line).url


def _specifiers(lines: Sequence[Line]) -> list[SpecifierSet]:
    return [line.specifier for line in lines]


def quoted_lines(lines: Sequence[Line]) -> str:
    """The lines as a message quotes them."""
    return " and ".join(dict.fromkeys(f"`{line.quoted}`" for line in lines))


def find_matches(
    ours: Sequence[Line], model: Sequence[Line], aliases: Mapping[str, str]
) -> list[Match]:
    """A `Match` for each package and marker of the model. `aliases`: from the name of a package in
    our lines to another name that it has in the model's."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in model:
        if line.requirement:
            groups.setdefault((line.name, line.marker), []).append(line)
    return [
        _match(marker, theirs, [o for o in ours if aliases.get(o.name, o.name) == name])
        for (name, marker), theirs in groups.items()
    ]


def _match(marker: str, theirs: list[Line], ours: list[Line]) -> Match:
    older = [line for line in ours if _is_pin(line) and not agree((*theirs, line))]
    ours = [line for line in ours if line not in older]
    replaced = [line for line in ours if line.marker == marker or not (marker or _url(line))]
    # Lines with two different markers are not compared, since the markers may exclude each other.
    others = [line for line in ours if line not in replaced and not (marker and line.marker)]
    return Match(tuple(theirs), tuple(replaced), tuple(older), tuple(others))


def agree(lines: Sequence[Line]) -> bool:
    """Whether one version satisfies all these lines of a package."""
    urls = {url for line in lines if (url := _url(line))}
    return len(urls) <= 1 and common(_specifiers(lines)) is not None


def _is_pin(line: Line) -> bool:
    """Whether MLflow may have written the line: it names one version, or one major version of
    MLflow itself."""
    if "#" in line.text or line.marker or _url(line):
        return False
    specifier = _requirement(line).specifier
    series = re.fullmatch(r"mlflow(-skinny)?<\d+,>=\d+", f"{line.name}{specifier}")
    return series is not None or is_exact(specifier)


def one_line(match: Match) -> str:
    """One line in place of all lines of the match. If one of them says the same, it is used as it
    is written."""
    lines = match.theirs + match.replaced
    for line in lines:
        if _url(line):
            return _as_written(line)
    wanted = Requirement(str(match.theirs[0].requirement))
    wanted.specifier = common(_specifiers(lines)) or SpecifierSet()
    wanted.extras = {extra for line in lines for extra in _requirement(line).extras}
    # Lines with hashes come first: only such a line can be used with its hashes.
    for line in sorted(lines, key=lambda line: not line.options):
        if line.requirement == wanted:
            return _as_written(line)
    comment = COMMENT.search(match.theirs[0].text)
    return f"{wanted}  {comment[0]}" if comment else str(wanted)


def _as_written(line: Line) -> str:
    """The line as it is in the file. If it has both continuations and a comment, it is joined to
    one line without the comment."""
    text = line.text.rstrip("\r\n\\")
    return line.content if "#" in text and len(text.splitlines()) > 1 else text


def is_copy(line: Line, match: Match) -> bool:
    """Whether the model has the same line."""
    said = (line.requirement, line.options)
    return any(said == (theirs.requirement, theirs.options) for theirs in match.theirs)
