"""Lines of requirements.txt that must not be deployed, and that `update` cannot correct.

In: the file's text. Out: a `Caution` for each fault: a line that pip cannot read, a login that
others could see, a file that Connect does not have, hashes because of which pip refuses lines
without, and versions below the server's floors. Nothing is raised, and no login is repeated.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Final

from packaging.requirements import Requirement

from modelserver.deployment.packages.cautions import Caution
from modelserver.deployment.packages.floors import lowered
from modelserver.deployment.packages.lines import Line, is_exact, numbered, outside, read_line
from modelserver.deployment.packages.refusals import (
    OF_FILES,
    has_login,
    is_address,
    is_path,
    leads_nowhere,
    read_option,
)

BOUNDARY: Final = re.compile(r"""(?<=[\d*\]"')])(?=\s*(?:[A-Za-z]|-|\#))""")
"""A place where one requirement may end and another begin, in lines that were joined:
`a==1.0b==2`."""

PIP_OPTIONS: Final = re.compile(r"(?:\s+(?:--hash|--config-settings?|--global-option)[ =]\S+)*")
"""The options that pip accepts after a requirement."""

PINNED: Final = re.compile(r"[\w\]]==\d")
"""A pinned version. In a URL, a path or an option it shows that a requirement was joined to it."""

RULE: Final = "each line holds one requirement, and notes begin with #"

SLIPS: Final = (
    (re.compile(r"^!?(?:\S*python\S* -m )?pip3? install (.*)$"), r"\1"),
    (re.compile(r"""^(?:- +)?["']?(.*?)["',;\s]*$"""), r"\1"),
    (re.compile(r"^([\w.-]+(?:\[[\w,-]*\])?) *= *(\d[\w.*]*)(?:=\w+)?$"), r"\1==\2"),
    (re.compile(r"^([\w.-]+(?:\[[\w,-]*\])?) +v?(\d[\w.*]*)$"), r"\1==\2"),
    (re.compile(r"^(.*)=([<>])(.*)$"), r"\1\2=\3"),
)
"""Forms in which other programs write a requirement, and how pip writes it."""

HASH: Final = re.compile(r"\s--hash[ =]")

HASH_OF_ADDRESS: Final = re.compile(r"#(?:\S*&)?(?:sha\d+|md5)=")
"""A hash in the fragment of a URL. pip accepts it as a hash, but does not require others for it."""


def malformed(text: str) -> Iterator[Caution]:
    """The lines of `text` that pip would refuse."""
    for number, line in numbered(text):
        if not _is_readable(line):
            found = f"line {number} `{line.quoted}` of requirements.txt is no requirement"
            guess = _guess(line.content)
            yield Caution(f"{found}: {guess}", f"edit line {number} of requirements.txt")


def _guess(content: str) -> str:
    meant = [f"`{line.quoted}`" for line in _meant(content) if line.content]
    if len(meant) > 1:
        return f"perhaps lines that were joined, {' and '.join(meant)}"
    return f"perhaps {meant[0]}" if meant else RULE


def _is_readable(line: Line) -> bool:
    if PINNED.search((line.requirement.url or "") if line.requirement else line.content):
        return False
    if line.requirement:
        return PIP_OPTIONS.fullmatch(line.options) is not None
    known = is_address(line) or read_option(line.content) or is_path(line.content)
    return not line.content or bool(known)


def _meant(content: str) -> list[Line]:
    """The lines that were probably joined into one, or the line that was probably meant; empty if
    there is no guess."""
    parts: list[Line] = []
    for piece in BOUNDARY.split(content):
        longer = read_line(parts[-1].content + piece) if parts else read_line(piece)
        if parts and _is_readable(longer):
            parts[-1] = longer
        else:
            parts.append(read_line(piece))
    if len(parts) > 1 and all(map(_is_readable, parts)):
        return parts
    for slip, instead in SLIPS:
        line = read_line(slip.sub(instead, content))
        if line.requirement and _is_readable(line):
            return [line]
    return []


def own_faults(text: str) -> list[Caution]:
    """The faults of the requirements in `text` that prevent a deployment, whatever the model
    needs."""
    lines = list(numbered(text))
    return [
        *malformed(text),
        *(_login(number) for number, line in lines if has_login(line.text)),
        *(_to_nowhere(number, line) for number, line in lines if leads_nowhere(line)),
        *_hashes(lines),
        *starmap(_lowered, lowered(outside(text))),
    ]


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
    """The caution if only some lines have hashes: if one has, pip requires an exact version and a
    hash for each."""
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
    """Whether the line names an exact version of a package, with a hash."""
    requirement = line.requirement
    one = requirement is None or requirement.url is not None or is_exact(requirement.specifier)
    return one and any(hash.search(line.content) for hash in (HASH, HASH_OF_ADDRESS))
