"""A model's packages compared with a requirements file, and with what is installed.

In: the model's lines. Out: a `Comparison` in words, package by package. Nothing is raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modelserver.deployment.malformed import malformed
from modelserver.deployment.merging import Conflict, merge
from modelserver.deployment.requirements import Line, read_lines
from modelserver.deployment.skinny import FULL, SKINNY
from modelserver.deployment.versions import common


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. `faults` stop the model, `doubts` may."""

    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    edit: str = ""
    """What a person has to change, where an update of the file cannot mend it."""


def in_file(text: str, packages: Sequence[Line]) -> Comparison:
    """The model's packages against the lines of a requirements file."""
    if unreadable := list(malformed(text)):
        edit = f"edit line {unreadable[0].number} of requirements.txt"
        return Comparison(faults=tuple(map(str, unreadable)), edit=edit)
    lines = {line.name: line for line in read_lines(text) if line.requirement}
    aliases = {FULL: SKINNY} if FULL not in lines and SKINNY in lines else {}
    wanted = _counting_here(packages)
    try:
        merge(text, packages, "", {skinny: full for full, skinny in aliases.items()})
    except Conflict as conflict:
        return Comparison(faults=conflict.reasons)
    found = [(package, lines.get(aliases.get(name, name))) for name, package in wanted.items()]
    return Comparison(
        faults=tuple(f"{package} has no line" for package, line in found if line is None),
        doubts=tuple(
            f"`{line.quoted}` allows more than {package}"
            for package, line in found
            if line is not None and _is_looser(line, package)
        ),
    )


def installed(packages: Sequence[Line]) -> Comparison:
    """The model's packages against those of this interpreter."""
    faults, doubts = [], []
    for name, package in _counting_here(packages).items():
        present = _version(name) or (_version(SKINNY) if name == FULL else None)
        if present is None:
            faults.append(f"{package} is not installed")
        elif not package.specifier.contains(present, prereleases=True):
            doubts.append(f"{package} is here as {present}")
    return Comparison(tuple(faults), tuple(doubts))


def _counting_here(packages: Sequence[Line]) -> dict[str, Requirement]:
    """The requirements whose markers hold for this interpreter, by name."""
    requirements = [line.requirement for line in packages if line.requirement]
    return {
        canonicalize_name(requirement.name): requirement
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def _is_looser(line: Line, package: Requirement) -> bool:
    ours = line.requirement
    if ours is None or ours.url:  # an address stands for one version
        return False
    return common([ours.specifier, package.specifier]) != ours.specifier


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
