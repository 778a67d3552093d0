"""The lines of a requirements file, as pip reads them, and the versions that several allow.

In: text. Out: one `Line` for each line with its continuations; their texts together are exactly the
text that came in. Nothing is raised: a line without a requirement has None for it.
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

from modelserver.types.names import shortened

START: Final = "# >>> model packages"

END: Final = "# <<< model packages"
"""The marks before and after the lines that a merge wrote."""

BLOCK: Final = re.compile(rf"^{START}(?:(?!^{START}).)*?^{END}[^\n]*\n?", re.M | re.S)

COMMENT: Final = re.compile(r"(?<!\S)#.*$")

OPTIONS: Final = re.compile(r"\s(?=--\w)")
"""The place where a requirement ends and its options, such as hashes, begin."""

BLANKS: Final = re.compile(r"[ \t]+")

LONGEST: Final = 2000
"""The most characters of a requirement without its hashes; a longer one would take long to
parse."""

KEY: Final = re.compile(
    r"(?<![\w-])(?:gh[a-z]_|github_pat_|glpat-)[\w-]+|(?<![\w-])(?:hf_|dapi|AKIA|pypi-)[\w-]{16,}"
)
"""Keys that are recognised by their beginning, anywhere in a line."""

SECRET: Final = re.compile(
    rf"(?<=://)[^/\s]*(?=@)|(?<=:/)[^/\s]+(?=@)|(?<=\?)\S+|(?<=#)(?!egg=|subdirectory=|sha|md5)\S+|{KEY.pattern}"
)
"""The parts of a URL that may be secret: login, query, keys, and a fragment that pip does not
know."""

IN_ADDRESS: Final = re.compile(
    r"(?:^|[-@])v?(\d+(?:\.\d+)+(?:\.?(?:a|b|rc|post|dev)\d+)?)(?=-|\+|%2B|\.(?:zip|tar|tgz)|$)"
)
"""Finds the version in the last part of a URL: of a wheel, an archive or a tag."""

SHOWN: Final = 120
"""The most characters of a line in a message."""

LOWEST: Final = Version("0.dev0")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a requirements file. `text` is the line with its continuations, unchanged."""

    text: str
    content: str
    """The text without the comment, line ends, and blanks around it."""
    requirement: Requirement | None = None
    """None for comments, options, paths and all else that does not begin with a package's name."""
    options: str = ""
    """The options after the requirement, such as hashes."""

    @property
    def name(self) -> str:
        """The name of the package, normalised by PEP 503; empty if there is none."""
        return canonicalize_name(self.requirement.name) if self.requirement else ""

    @property
    def marker(self) -> str:
        """The condition under which the line counts; empty if it always does."""
        return str(self.requirement.marker or "") if self.requirement else ""

    @property
    def specifier(self) -> SpecifierSet:
        """The versions that the line allows. For a URL it is the version in its last part, or any
        version if there is none."""
        if self.requirement is None or self.requirement.url is None:
            return self.requirement.specifier if self.requirement else SpecifierSet()
        end = re.split("[?#]", self.requirement.url)[0].rpartition("/")[2]
        found = IN_ADDRESS.search(end)
        return SpecifierSet(f"=={found[1]}" if found else "")

    @property
    def quoted(self) -> str:
        """The content as a message shows it: cut if it is long, without logins, and without control
        characters."""
        start = BLANKS.sub(" ", SECRET.sub("…", self.content))[: SHOWN + 1]
        return shortened("".join(c if c.isprintable() else "�" for c in start), SHOWN)


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
    """The lines, each with the number of its first line in the text."""
    number = 1
    for line in read_lines(text):
        yield number, line
        number += line.text.count("\n")


def outside(text: str) -> str:
    """The text with empty lines in place of each merged block, so that later lines keep their
    numbers."""
    return BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)


def read_line(text: str) -> Line:
    """Reads one line, which may have continuations."""
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
    except (InvalidRequirement, RecursionError):  # many parentheses in a marker exceed the stack
        return None


def common(specifiers: Sequence[SpecifierSet]) -> SpecifierSet | None:
    """The versions that all `specifiers` allow. If one of them is an exact version, only that one.
    None if no version is left."""
    together = reduce(and_, specifiers)
    if together and not any(map(_allows(together), _candidates(together))):
        return None
    return next(filter(is_exact, specifiers), together)


def is_exact(specifier: SpecifierSet) -> bool:
    """Whether the specifier names an exact version."""
    return any(
        part.operator in ("==", "===") and not part.version.endswith(".*") for part in specifier
    )


def _allows(specifier: SpecifierSet) -> Callable[[Version], bool]:
    return lambda version: specifier.contains(version, prereleases=True)


def _candidates(specifier: SpecifierSet) -> Iterator[Version]:
    """Versions to try: a specifier that allows any version allows one of these. A range that is
    not empty begins at the lowest version of all, at a version that the specifier names, or at the
    next version after it."""
    yield LOWEST
    for part in specifier:
        try:
            version = Version(part.version.removesuffix(".*"))
        except InvalidVersion:  # `===` may have any text
            continue
        yield version
        yield _from_release(version, (*version.release, 1))
        yield _from_release(version, (*version.release[:-1], version.release[-1] + 1))


def _from_release(version: Version, release: Sequence[int]) -> Version:
    return Version(f"{version.epoch}!{'.'.join(map(str, release))}")
