"""A model's packages compared with a requirements file, and with what is installed.

In: the model's lines. Out: a `Comparison` in words, package by package. Nothing is raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap

from packaging.requirements import Requirement

from modelserver.deployment.packages.cautions import cautions
from modelserver.deployment.packages.floors import FULL, SKINNY
from modelserver.deployment.packages.lines import Line, common, read_line, read_lines
from modelserver.deployment.packages.matches import agree, quoted_lines
from modelserver.deployment.packages.merging import Conflict, merge
from modelserver.deployment.packages.own_lines import own_faults
from modelserver.loading.explaining.model_packages import version_of


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences. With `faults` the model cannot run; `doubts` may stop it."""

    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    edit: str = ""
    """What a person must change in the file, if the command `update` cannot correct it."""


def in_file(text: str, packages: Sequence[Line], lacking: Sequence[Line] = ()) -> Comparison:
    """Compares the model's packages with the requirements file `text`, for this interpreter.
    `lacking`: the server's own lines that the file does not have."""
    if own := own_faults(text):
        return Comparison(faults=tuple(fault.found for fault in own), edit=own[0].advice)
    lines = _by_package(text)
    alias = {FULL: SKINNY} if FULL not in lines and SKINNY in lines else {}
    try:
        merge(text, packages, "", {skinny: full for full, skinny in alias.items()})
    except Conflict as conflict:
        return Comparison(faults=conflict.reasons, edit=conflict.reasons[0].rpartition("; ")[2])
    wanted = _counting_here(packages)
    found = [(package, lines.get(alias.get(name, name), [])) for name, package in wanted.items()]
    faults = (
        *(f"{line.content}, which the server needs, has no line" for line in lacking),
        *filter(None, starmap(_fault, found)),
    )
    looser = tuple(filter(None, starmap(_doubt, found)))
    risks = cautions(packages, text)
    # `update` corrects faults and looser lines; only the risks need a person.
    edit = risks[0].advice if risks and not faults + looser else ""
    return Comparison(faults, (*looser, *(risk.found for risk in risks)), edit)


def installed(packages: Sequence[Line]) -> Comparison:
    """Compares the model's packages with those that are installed for this interpreter."""
    faults, doubts = [], []
    for name, package in _counting_here(packages).items():
        present = version_of(name) or (version_of(SKINNY) if name == FULL else None)
        if present is None:
            faults.append(f"{package} is not installed")
        elif not package.specifier.contains(present, prereleases=True):
            doubts.append(f"{package} is here as {present}")
    return Comparison(tuple(faults), tuple(doubts))


def _by_package(text: str) -> dict[str, list[Line]]:
    """The lines that count for this interpreter, by the name of their package."""
    lines: dict[str, list[Line]] = {}
    for line in read_lines(text):
        if line.requirement and _counts_here(line.requirement):
            lines.setdefault(line.name, []).append(line)
    return lines


def _counting_here(packages: Sequence[Line]) -> dict[str, Requirement]:
    """What the lines that count for this interpreter together ask of each package."""
    wanted: dict[str, Requirement] = {}
    for line in packages:
        if line.requirement and _counts_here(line.requirement):
            asked = wanted.setdefault(line.name, Requirement(str(line.requirement)))
            both = [asked.specifier, line.requirement.specifier]
            asked.specifier = common(both) or both[0] & both[1]
    return wanted


def _counts_here(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate()


def _fault(package: Requirement, lines: Sequence[Line]) -> str | None:
    """What is wrong with our lines for a package of the model; None if they agree. The command
    `update` corrects it."""
    if not lines:
        return f"{package} has no line"
    asked = read_line(str(package))
    if agree([asked, *lines]):
        return None
    others = [line for line in lines if not agree([asked, line])]
    return f"the model asks for {package}, requirements.txt has {quoted_lines(others)}"


def _doubt(package: Requirement, lines: Sequence[Line]) -> str | None:
    """The doubt if our lines allow versions of a package that the model's line does not; otherwise
    None."""
    ours = [line.requirement for line in lines if line.requirement]
    if not ours or any(requirement.url for requirement in ours):  # a URL is a single version
        return None
    together = common([requirement.specifier for requirement in ours])
    if together is None or common([together, package.specifier]) == together:
        return None
    return f"{quoted_lines(lines)} allows more than {package}"
