"""Lines of requirements.txt with which it should not be deployed, and which no update mends.

In: the file's text. Out: a `Caution` for each fault: logins that would lie open, files that
Connect does not have, hashes that make pip refuse the lines without, and versions below the
server's floors. Nothing is raised, and no login is repeated.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Final

from packaging.requirements import Requirement

from modelserver.deployment.packages.cautions import Caution
from modelserver.deployment.packages.floors import lowered
from modelserver.deployment.packages.lines import Line, numbered
from modelserver.deployment.packages.malformed import Malformed, malformed
from modelserver.deployment.packages.merging import outside
from modelserver.deployment.packages.refusals import (
    OF_FILES,
    has_login,
    is_address,
    leads_nowhere,
    read_option,
)
from modelserver.deployment.packages.versions import is_exact

HASH: Final = re.compile(r"\s--hash[ =]")

HASH_OF_ADDRESS: Final = re.compile(r"#(?:\S*&)?(?:sha\d+|md5)=")
"""At its end; it counts as a hash, but does not make pip want others."""


def own_faults(text: str) -> list[Caution]:
    """What stops a deployment with the requirements in `text`, whatever the model needs."""
    lines = list(numbered(text))
    return [
        *(_unreadable(found) for found in malformed(text)),
        *(_login(number) for number, line in lines if has_login(line.text)),
        *(_to_nowhere(number, line) for number, line in lines if leads_nowhere(line)),
        *_hashes(lines),
        *starmap(_lowered, lowered(outside(text))),
    ]


def _unreadable(line: Malformed) -> Caution:
    return Caution(str(line), f"edit line {line.number} of requirements.txt")


def _login(number: int) -> Caution:
    return Caution(
        f"line {number} of requirements.txt has a login or a key in it, which lies open for "
        "everybody who may read the file or the bundle",
        f"take it out of line {number} of requirements.txt, and have a new one issued",
    )


def _to_nowhere(number: int, line: Line) -> Caution:
    found = f"line {number} `{line.quoted}` of requirements.txt names a file that Connect lacks"
    option = read_option(line.content)
    if option and option[0] in OF_FILES:
        return Caution(found, f"put the lines of that file in the place of line {number}")
    advice = f"take line {number} out of requirements.txt; your own modules go as further files"
    return Caution(found, advice)


def _lowered(number: int, line: Line, needed: Requirement) -> Caution:
    return Caution(
        f"line {number} of requirements.txt has `{line.quoted}`, the server needs `{needed}`",
        f"write {needed} in line {number} of requirements.txt",
    )


def _hashes(lines: Sequence[tuple[int, Line]]) -> Iterator[Caution]:
    """pip wants one version and a hash of every package, or of none."""
    hashed = [number for number, line in lines if _wants_hashes(line)]
    others = [number for number, line in lines if _is_package(line) and not _is_exact(line)]
    if hashed and others:
        yield Caution(
            f"line {hashed[0]} of requirements.txt asks for hashes, line {others[0]} has none or "
            "no exact version: pip refuses them together",
            "take the hashes out of requirements.txt",
        )


def _wants_hashes(line: Line) -> bool:
    option = read_option(line.content)
    return HASH.search(line.content) is not None or option == ("--require-hashes", "")


def _is_package(line: Line) -> bool:
    return line.requirement is not None or is_address(line)


def _is_exact(line: Line) -> bool:
    """Whether the line names one version of a package, with a hash."""
    requirement = line.requirement
    one = requirement is None or requirement.url is not None or is_exact(requirement.specifier)
    return one and any(hash.search(line.content) for hash in (HASH, HASH_OF_ADDRESS))
