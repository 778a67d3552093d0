"""Which Python Posit Connect takes for this project, and whether a model saved with one fits.

In: the project's folder. Out: `PythonChoice`. The rules are rsconnect's: `.python-version` wins
over `requires-python`, and of a plain version only the first two numbers count.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from modelserver.deployment.texts import read_text

SOURCES: Final = {
    ".python-version": re.compile(r"^\s*([^\s#].*?)\s*$", re.M),
    "pyproject.toml": re.compile(r"""^requires-python\s*=\s*["']([^"']*)["']""", re.M),
}
"""Files in the order in which they count, and where in them the version is."""

MINORS: Final = range(30)

OLDEST: Final = 10
"""The lowest minor version of Python 3 that the server runs with."""


@dataclass(frozen=True, slots=True)
class PythonChoice:
    """What the project asks for: where, as written, and the minor versions of Python 3 it takes."""

    source: str
    text: str
    minors: frozenset[int]


def chosen_python(root: Path) -> PythonChoice | None:
    """What the project in `root` says, None where it says nothing that can be read."""
    for source, pattern in SOURCES.items():
        file = root / source
        found = pattern.search(read_text(file)) if file.is_file() else None
        if found:
            return PythonChoice(source, found[1], _minors(found[1]))
    return None


def minor(version: str) -> int | None:
    """The second number of a version such as 3.11.7; None where it is no Python 3 of Connect's."""
    found = re.match(r"3\.(\d+)(?!\d)", version)
    return int(found[1]) if found else None


def _minors(text: str) -> frozenset[int]:
    plain = re.fullmatch(r"\d+(\.\d+)*", text)
    try:
        specifier = SpecifierSet(f"~={'.'.join(text.split('.')[:2])}.0" if plain else text)
    except InvalidSpecifier:  # rsconnect ignores such a line
        return frozenset()
    return frozenset(
        number
        for number in MINORS
        if any(specifier.contains(f"3.{number}.{patch}") for patch in (0, 99))
    )
