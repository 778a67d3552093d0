"""The Python environment of a bundle: what its requirements.txt asks for, and nothing more.

Connect installs it with pip, which takes minutes. Here the packages come from the interpreter that
runs the tests: what the requirements do not lead to stays invisible to the content.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class BuildFailed(Exception):
    """A requirement cannot be met; the text is what pip prints."""


def build_environment(requirements: Path, folder: Path) -> Path:
    """The interpreter of a new environment in `folder`."""
    packages = needed(requirements)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in packages.values():
        for name in _top_level(package):
            if not (site / name).exists():
                (site / name).symlink_to(str(package.locate_file(name)))
    return folder / "bin" / "python"


def needed(requirements: Path) -> dict[str, Distribution]:
    """The installed packages that the file leads to, by name. Raises `BuildFailed`."""
    found: dict[str, Distribution] = {}
    for requirement in _lines(requirements):
        _add(requirement, "", found)
    return found


def _lines(file: Path) -> Iterator[Requirement]:
    for line in file.read_text().splitlines():
        text = line.partition(" #")[0].strip()
        if text and not text.startswith(("#", "-")):
            yield Requirement(text)


def _add(requirement: Requirement, extra: str, found: dict[str, Distribution]) -> None:
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return
    package = _installed(requirement)
    name = canonicalize_name(requirement.name)
    known = name in found
    found[name] = package
    # A package that was met before is asked again for the extras only.
    for chosen in requirement.extras | (set() if known else {""}):
        for dependency in package.requires or []:
            _add(Requirement(dependency), chosen, found)


def _installed(requirement: Requirement) -> Distribution:
    try:
        package = distribution(requirement.name)
    except PackageNotFoundError:
        raise _no_match(requirement, "none") from None
    if not requirement.specifier.contains(package.version, prereleases=True):
        raise _no_match(requirement, package.version)
    return package


def _no_match(requirement: Requirement, versions: str) -> BuildFailed:
    return BuildFailed(
        "ERROR: Could not find a version that satisfies the requirement "
        f"{requirement} (from versions: {versions})\n"
        f"ERROR: No matching distribution found for {requirement}"
    )


def _top_level(package: Distribution) -> set[str]:
    """What the package put into site-packages: modules, folders, its metadata."""
    parts = {file.parts[0] for file in package.files or []}
    return {name for name in parts if name not in ("..", "__pycache__") and name[0] != "/"}
