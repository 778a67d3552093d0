"""Version specifiers of several lines taken together.

In: what each line allows. Out: what all of them allow, or None where no version is left.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import and_
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

LOWEST: Final = Version("0.dev0")


def common(specifiers: Sequence[SpecifierSet]) -> SpecifierSet | None:
    """What all `specifiers` allow, as short as can be: an exact version stands for the rest."""
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
    """Versions of which one is allowed if any is: a range that is not empty has at its lower end
    the lowest version of all, a version that is named, or the next after one."""
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
