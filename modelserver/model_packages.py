"""The packages that a model asks for, held against a module that is missing and what is installed.

In: the lines of the model's requirements.txt. Out: lines for a person to read. No name of a package
comes from anywhere else: whoever registers the name of a module could be a stranger.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

PACKAGES: Final = {
    "PIL": ("pillow",),
    "bs4": ("beautifulsoup4",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "dateutil": ("python-dateutil",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "tensorflow": ("tensorflow-cpu", "tensorflow-intel"),
    "yaml": ("pyyaml",),
}
"""Modules whose package has another name, or several names."""

SECRET: Final = re.compile(r"(?<=://)[^/\s]*(?=@)|(?<=\?)[^\s#]+")
"""Login and query of an address."""

MOST_NAMED: Final = 5
"""Packages that are listed one by one."""


def missing_module(module: str, requirements: Sequence[str]) -> str:
    """Advice for a module that cannot be imported, with the line that the model asks for."""
    top = module.partition(".")[0]
    line = line_for(module, requirements)
    if line and _installed(_name(line)) is None:
        return (
            f"the model needs the package {_name(line)}, which is not installed; add the line "
            f"`{line}` to requirements.txt and deploy again"
        )
    if top in sys.modules or find_spec(top):
        lacking = f"the model needs the module {module}, which the installed {top} does not have"
        return lacking + guess(requirements)
    return (
        f"the model needs the module {module}, which no line of its requirements names; if it is "
        "your own code, log the model with code_paths=, or name the file in the deploy command; if "
        "it is a package's, log the model with pip_requirements= that name it"
    )


def to_install(packages: Sequence[str]) -> str:
    """Which of the packages are to be installed, and how."""
    absent = [package for package in packages if _installed(package) is None] or packages
    lines = " and ".join(f"`{package}`" for package in absent)
    missing = "is not installed; add the line"
    if len(absent) > 1:
        missing = "are not installed; add the lines"
    return f"{' and '.join(absent)}, which {missing} {lines} to requirements.txt and deploy again"


def line_for(module: str, requirements: Sequence[str]) -> str | None:
    """The model's own line for the package that has the module, if it has one."""
    names = {canonicalize_name(name) for name in _names(module)}
    for line in requirements:
        if canonicalize_name(_name(line)) in names:
            return SECRET.sub("…", line.partition(" --")[0].rstrip("\\").strip())
    return None


def _name(line: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return found[1] if found else ""


def _names(module: str) -> Iterator[str]:
    """What the package may be called: `google.cloud.storage` may be google-cloud-storage."""
    parts = module.split(".")
    yield from PACKAGES.get(parts[0], ())
    yield from ("-".join(parts[:length]) for length in range(1, len(parts) + 1))


def guess(requirements: Sequence[str]) -> str:
    """Which packages are installed in other versions than the model asks for; empty for none."""
    found = [said for line in requirements if (said := _difference(line))]
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f". Often a package has another version: {', '.join(found[:MOST_NAMED])}{more}"


def _difference(line: str) -> str:
    try:
        wanted = Requirement(line.partition(" #")[0].partition(" --")[0].strip(" \t\\"))
    except InvalidRequirement:  # a comment, an option, a path
        return ""
    present = _installed(wanted.name)
    if present is None or (wanted.marker and not wanted.marker.evaluate()):
        return ""
    if wanted.specifier.contains(present, prereleases=True):
        return ""
    return f"{wanted.name}{wanted.specifier} is here {present}"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
