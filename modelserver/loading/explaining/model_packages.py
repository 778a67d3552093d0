"""The packages that a model needs, compared with a missing module and with what is installed.

In: the model's folder, or the lines of its requirements. Out: sentences of advice. They name only
packages that the model names: a package that has just the name of a missing module could be
anybody's, and dangerous.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Final

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelserver.types.names import some

PACKAGES: Final = {
    "Bio": ("biopython",),
    "Crypto": ("pycryptodome",),
    "Levenshtein": ("python-levenshtein",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow", "pillow-simd"),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "community": ("python-louvain",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "dateutil": ("python-dateutil",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "google.generativeai": ("google-generativeai",),
    "google.protobuf": ("protobuf",),
    "grpc": ("grpcio",),
    "hydra": ("hydra-core",),
    "igraph": ("python-igraph",),
    "imblearn": ("imbalanced-learn",),
    "jwt": ("pyjwt",),
    "magic": ("python-magic",),
    "mpl_toolkits": ("matplotlib",),
    "osgeo": ("gdal",),
    "pkg_resources": ("setuptools",),
    "pptx": ("python-pptx",),
    "psycopg": ("psycopg-binary",),
    "psycopg2": ("psycopg2-binary",),
    "pywt": ("pywavelets",),
    "serial": ("pyserial",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn", "scikit-learn-intelex"),
    "sklearn_extra": ("scikit-learn-extra",),
    "skopt": ("scikit-optimize",),
    "sksurv": ("scikit-survival",),
    "slugify": ("python-slugify",),
    "snowflake.connector": ("snowflake-connector-python",),
    "tensorflow": ("tensorflow-cpu", "tensorflow-intel"),
    "umap": ("umap-learn",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}
"""The packages of modules that have another name than their package."""

SECRET: Final = re.compile(r"(?<=://)[^/\s]*(?=@)|(?<=\?)[^\s#]+")
"""The login and the query of a URL."""

MOST_NAMED: Final = 5
"""The most packages that a message names."""


def requirements_of(folder: Path) -> list[str]:
    """The lines of the model's requirements.txt, or those of conda.yaml if it has only that."""
    if (folder / "requirements.txt").is_file():
        return _text(folder / "requirements.txt").splitlines()
    try:
        entries = yaml.safe_load(_text(folder / "conda.yaml"))["dependencies"]
    except (yaml.YAMLError, LookupError, TypeError):
        return []
    lines = []
    for entry in entries if isinstance(entries, list) else ():
        listed = entry.get("pip") if isinstance(entry, dict) else [_for_pip(str(entry))]
        lines += [str(line) for line in listed if line] if isinstance(listed, list) else []
    return lines


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""


def _for_pip(entry: str) -> str:
    """A line of conda, such as `channel::name=1.2=build`, as pip writes it: `name==1.2.*`."""
    return re.sub(r"(?<![=<>!~])=([\d.]+)(?:=.*)?$", r"==\1.*", entry.rpartition("::")[2])


def missing_module(module: str, requirements: Sequence[str]) -> str:
    """The advice for a module that cannot be imported. It quotes the model's line for its package,
    if there is one."""
    top = module.partition(".")[0]
    line = line_for(module, requirements)
    if line and version_of(_name(line)) is None:
        return (
            f"the model needs the package {_name(line)}, which is not installed; add the line "
            f"`{line}` to requirements.txt and deploy again"
        )
    if top in sys.stdlib_module_names or top in packages_distributions():
        lacking = f"the model needs the module {module}, which the installed {top} does not have"
        return lacking + guess(requirements)
    return (
        f"the model needs the module {module}, which no line of its requirements names; if it is "
        "your own code, log the model with code_paths=, or name the file in the deploy command; if "
        "it is a package's, log the model with pip_requirements= that name it"
    )


def to_install(packages: Sequence[str]) -> str:
    """Which of the packages must be installed, and how."""
    absent = [package for package in packages if version_of(package) is None] or packages
    lines = " and ".join(f"`{package}`" for package in absent)
    missing = "is not installed; add the line"
    if len(absent) > 1:
        missing = "are not installed; add the lines"
    return f"{' and '.join(absent)}, which {missing} {lines} to requirements.txt and deploy again"


def line_for(module: str, requirements: Sequence[str]) -> str | None:
    """The line of the model's requirements for the package of a module; None if there is none."""
    names = {canonicalize_name(name) for name in _names(module)}
    for line in requirements:
        if canonicalize_name(_name(line)) in names:
            return SECRET.sub("…", line.partition(" --")[0].rstrip("\\").strip())
    return None


def _name(line: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return found[1] if found else ""


def _names(module: str) -> Iterator[str]:
    """The possible names of a module's package: `google.cloud.storage` may be in
    google-cloud-storage."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        yield from PACKAGES.get(".".join(parts[:length]), ())
        yield "-".join(parts[:length])


def guess(requirements: Sequence[str]) -> str:
    """A sentence that names the packages with other versions than the model needs; empty if there
    are none."""
    found = _differences(requirements, absent=False)
    return f". Often a package has another version: {some(found, MOST_NAMED)}" if found else ""


def other_packages(requirements: Sequence[str]) -> str:
    """The packages with other versions than the model needs, and those that are not installed;
    empty if there are none."""
    return some(_differences(requirements, absent=True), MOST_NAMED)


def _differences(requirements: Sequence[str], absent: bool) -> list[str]:
    found = []
    for wanted in filter(None, map(_requirement, requirements)):
        present = version_of(wanted.name)
        if present is None and absent:
            found.append(f"{wanted.name}{wanted.specifier} is not installed")
        elif present is not None and not wanted.specifier.contains(present, prereleases=True):
            found.append(f"{wanted.name}{wanted.specifier} is here {present}")
    return found


def _requirement(line: str) -> Requirement | None:
    """A line of requirements; None if it names no package, or none for this machine."""
    try:
        wanted = Requirement(line.partition(" #")[0].partition(" --")[0].strip(" \t\\"))
    except InvalidRequirement:  # for example a comment, an option, a path
        return None
    return None if wanted.marker and not wanted.marker.evaluate() else wanted


def version_of(name: str) -> str | None:
    """The installed version of a package; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
