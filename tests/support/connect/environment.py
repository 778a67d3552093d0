"""The Python environment of a bundle: what its requirements.txt asks for, and nothing more.

Connect installs it with pip, which takes minutes. Here the packages come from the interpreter that
runs the tests: what the requirements do not lead to stays invisible to the content. pip itself says
whether it would install them. Bundles with the same requirements share an environment.
"""

import atexit
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class BuildFailed(Exception):
    """A requirement cannot be met; the text is what pip prints."""


@cache
def environment_of(requirements: str) -> Path:
    """The interpreter of an environment for this text of a file. Raises `BuildFailed`."""
    folder = Path(tempfile.mkdtemp(prefix="environment-"))
    atexit.register(shutil.rmtree, folder)
    file = folder / "requirements.txt"
    file.write_text(requirements)
    _ask_pip(file)
    packages = needed(file)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in packages.values():
        for name in _top_level(package):
            if not (site / name).exists():
                (site / name).symlink_to(str(package.locate_file(name)))
    return folder / "bin" / "python"


def _ask_pip(requirements: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--dry-run"]
    asked = subprocess.run(
        [*command, "--disable-pip-version-check", "-r", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise BuildFailed(asked.stderr)
    # pip asks for no hash of what is installed, as everything is here.
    text = re.sub(r"\\\n", "", requirements.read_text())
    hashed = {" --hash" in line for line in text.splitlines() if re.match(r"\w", line)}
    if len(hashed) > 1:
        raise BuildFailed(
            "ERROR: Hashes are required in --require-hashes mode, but some are missing"
        )


def needed(requirements: Path) -> dict[str, Distribution]:
    """The installed packages that the file leads to, by name."""
    found: dict[str, Distribution] = {}
    for requirement in _lines(requirements):
        _add(requirement, "", found)
    return found


def _lines(file: Path) -> Iterator[Requirement]:
    for line in file.read_text().splitlines():
        text = re.split(r" #| --hash", line)[0].strip(" \\")
        if text and not text.startswith(("#", "-")):
            yield Requirement(text)


def _add(requirement: Requirement, extra: str, found: dict[str, Distribution]) -> None:
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return
    package = distribution(requirement.name)
    name = canonicalize_name(requirement.name)
    known = name in found
    found[name] = package
    # A package that was met before is asked again for the extras only.
    for chosen in requirement.extras | (set() if known else {""}):
        for dependency in package.requires or []:
            _add(Requirement(dependency), chosen, found)


def _top_level(package: Distribution) -> set[str]:
    """What the package put into site-packages: modules, folders, its metadata."""
    parts = {file.parts[0] for file in package.files or []}
    return {name for name in parts if name not in ("..", "__pycache__") and name[0] != "/"}
