"""The lines of a requirements file, as pip reads them, and the versions that several allow.

In: text. Out: one `Line` for each line with its continuations; their texts together are the text
that came in, byte for byte. Nothing is raised: a line that holds no requirement says so.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

START: Final = "# >>> model packages"

END: Final = "# <<< model packages"
"""Marks around the lines that a merge wrote."""

BLOCK: Final = re.compile(rf"^{START}(?:(?!^{START}).)*?^{END}[^\n]*\n?", re.M | re.S)

COMMENT: Final = re.compile(r"(?<!\S)#.*$")

OPTIONS: Final = re.compile(r"\s(?=--\w)")
"""Where a requirement ends and its hashes begin."""

BLANKS: Final = re.compile(r"[ \t]+")

LONGEST: Final = 2000
"""Characters of a requirement without its hashes; a longer one would take long to read."""

KEY: Final = re.compile(
    r"(?<![\w-])(?:gh[a-z]_|github_pat_|glpat-)[\w-]+|(?<![\w-])(?:hf_|dapi|AKIA|pypi-)[\w-]{16,}"
)
"""Keys that are known by how they begin, wherever they stand."""

SECRET: Final = re.compile(
    rf"(?<=://)[^/\s]*(?=@)|(?<=\?)\S+|(?<=#)(?!egg=|subdirectory=|sha|md5)\S+|{KEY.pattern}"
)
"""Login, query, keys and unknown fragment of an address."""

IN_ADDRESS: Final = re.compile(
    r"(?:^|[-@])v?(\d+(?:\.\d+)+(?:\.?(?:a|b|rc|post|dev)\d+)?)(?=-|\+|%2B|\.(?:zip|tar|tgz)|$)"
)
"""The version in the last part of an address: of a wheel, an archive, a tag."""

SHOWN: Final = 120
"""Characters of a line in a message."""

LOWEST: Final = Version("0.dev0")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its continuations, as it stands in the file."""

    text: str
    content: str
    """The text without comment, spaces and line ends."""
    requirement: Requirement | None = None
    """None for comments, options, paths and whatever else is no name of a package."""
    options: str = ""
    """What follows the requirement: hashes."""

    @property
    def name(self) -> str:
        """The package in the one spelling that PEP 503 has for it; empty if there is none."""
        return canonicalize_name(self.requirement.name) if self.requirement else ""

    @property
    def marker(self) -> str:
        """When the line counts; empty for always."""
        return str(self.requirement.marker or "") if self.requirement else ""

    @property
    def specifier(self) -> SpecifierSet:
        """The versions that the line allows. For an address it is the version that its last part
        names, or any."""
        if self.requirement is None or self.requirement.url is None:
            return self.requirement.specifier if self.requirement else SpecifierSet()
        end = re.split("[?#]", self.requirement.url)[0].rpartition("/")[2]
        found = IN_ADDRESS.search(end)
        return SpecifierSet(f"=={found[1]}" if found else "")

    @property
    def quoted(self) -> str:
        """The content as a message shows it: cut where it is long, without logins and characters
        that would move a cursor."""
        start = BLANKS.sub(" ", SECRET.sub("…", self.content))[: SHOWN + 1]
        text = "".join(sign if sign.isprintable() else "�" for sign in start)
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def read_lines(text: str) -> list[Line]:
    """The lines of a requirements file."""
    lines: list[Line] = []
    pending = ""
    for part in text.splitlines(keepends=True):
        pending += part
        if part.rstrip("\r\n").endswith("\\") and not COMMENT.search(part):
            continue
        lines.append(read_line(pending))
        pending = ""
    return [*lines, read_line(pending)] if pending else lines


def numbered(text: str) -> Iterator[tuple[int, Line]]:
    """The lines, each with the number at which it begins."""
    number = 1
    for line in read_lines(text):
        yield number, line
        number += line.text.count("\n")


def outside(text: str) -> str:
    """The text with empty lines in place of each block, so that the lines after it keep their
    numbers."""
    return BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)


def read_line(text: str) -> Line:
    """One line, which may have continuations."""
    content = COMMENT.sub("", re.sub(r"\\(\r?\n|$)", "", text).rstrip("\r\n")).strip()
    specification, *options = OPTIONS.split(content, maxsplit=1)
    requirement = _requirement(BLANKS.sub(" ", specification).rstrip())
    if requirement is None:
        return Line(text, content)
    return Line(text, content, requirement, f" {options[0]}" if options else "")


def _requirement(text: str) -> Requirement | None:
    if len(text) > LONGEST:
        return None
    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):  # a marker may have many parentheses
        return None


def common(specifiers: Sequence[SpecifierSet]) -> SpecifierSet | None:
    """The versions that all `specifiers` allow, in the shortest form: an exact version stands for
    the rest. None where no version is left."""
    together = reduce(and_, specifiers)
    if together and not any(map(_allows(together), _candidates(together))):
        return None
    return next(filter(is_exact, specifiers), together)


def is_exact(specifier: SpecifierSet) -> bool:
    """Whether no more than one version is allowed."""
    return any(
        part.operator in ("==", "===") and not part.version.endswith(".*") for part in specifier
    )


def _allows(specifier: SpecifierSet) -> Callable[[Version], bool]:
    return lambda version: specifier.contains(version, prereleases=True)


def _candidates(specifier: SpecifierSet) -> Iterator[Version]:
    """Versions to try: if a specifier allows any version at all, it allows one of these. A range
    that is not empty begins at the lowest version of all, at a version that it names, or at the
    next after one."""
    yield LOWEST
    for part in specifier:
        try:
            version = Version(part.version.removesuffix(".*"))
        except InvalidVersion:  # `===` takes any text
            continue
        yield version
        yield _from_release(version, (*version.release, 1))
        yield _from_release(version, (*version.release[:-1], version.release[-1] + 1))


def _from_release(version: Version, release: Sequence[int]) -> Version:
    return Version(f"{version.epoch}!{'.'.join(map(str, release))}")
