"""Packages that pip would not find, or would install in a version that does not fit the model.

In: the model's lines and the text of requirements.txt. Out: a `Caution` for each package. Nothing
is raised, and no index is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from modelserver.deployment.packages.lines import Line, common, read_lines
from modelserver.deployment.packages.refusals import INDEXES, read_option

PYTORCH: Final = frozenset({"torch", "torchaudio", "torchvision"})

PYTORCH_INDEX: Final = "https://download.pytorch.org/whl/{}"

NUMPY_2: Final = SpecifierSet(">=2")

READY_FOR_NUMPY_2: Final = {
    "pandas": SpecifierSet(">=2.2.2"),
    "scikit-learn": SpecifierSet(">=1.4.2"),
    "statsmodels": SpecifierSet(">=0.14.2"),
    "torch": SpecifierSet(">=2.3"),
}
"""The versions that work with NumPy 2. Older ones do not, but they do not exclude NumPy 2 either,
so pip installs both."""


@dataclass(frozen=True, slots=True)
class Caution:
    """What would go wrong, and what to do about it."""

    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.found}; {self.advice}"


def cautions(packages: Sequence[Line], text: str) -> list[Caution]:
    """What could go wrong if `packages` are installed together with the requirements in `text`."""
    ours = read_lines(text)
    return [*_without_index(packages, ours), *_with_numpy_2([*packages, *ours])]


def _without_index(packages: Sequence[Line], ours: Sequence[Line]) -> Iterator[Caution]:
    """The cautions for local versions, such as 2.4.0+cpu, which PyPI never has."""
    options = {option[0] for line in ours if (option := read_option(line.content))}
    if options & INDEXES:
        return
    asked = {line.requirement for line in packages}
    for line in packages:
        yield from _of_local_version(line, "log the model with")
    for line in ours:
        if line.requirement not in asked:
            yield from _of_local_version(line, "write")


def _of_local_version(line: Line, instead: str) -> Iterator[Caution]:
    for version in _versions(line):
        if version.local:
            known = PYTORCH_INDEX.format(version.local) if line.name in PYTORCH else "https://…"
            yield Caution(
                f"PyPI has no `{line.quoted}`, only its own index has",
                f"add the line --extra-index-url {known} to requirements.txt, "
                f"or {instead} {line.name}=={version.public}",
            )


def _versions(line: Line) -> Iterator[Version]:
    for part in line.requirement.specifier if line.requirement else ():
        try:
            yield Version(part.version)
        except InvalidVersion:  # `==1.*` has one, and `===` may have any text
            continue


def _with_numpy_2(lines: Sequence[Line]) -> Iterator[Caution]:
    """The cautions for packages that are too old for NumPy 2, if no line excludes NumPy 2."""
    asked: dict[str, list[SpecifierSet]] = {}
    for line in lines:
        if line.requirement:
            asked.setdefault(line.name, []).append(line.specifier)
    if common([*asked.get("numpy", ()), NUMPY_2]) is None:
        return
    for name, ready in READY_FOR_NUMPY_2.items():
        if name in asked and common([*asked[name], ready]) is None:
            wanted = next(line for line in lines if line.name == name)
            yield Caution(
                f"`{wanted.quoted}` is older than NumPy 2, which pip may take",
                "add the line numpy<2 to requirements.txt",
            )
