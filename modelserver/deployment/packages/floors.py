"""What the server itself needs: packages, their lowest versions, what `mlflow-skinny` lacks.

In: lines of requirements.txt or of a model. Out: what is missing or too low, and the lines that
correct it. requirements.txt has the same packages with the same floors (lowest versions). Nothing
is raised.

A model that pins a package below its floor must be logged again. MLflow is an exception: its line
is raised to the floor, since newer versions of MLflow read what older ones wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from modelserver.deployment.packages.lines import (
    COMMENT,
    Line,
    common,
    numbered,
    read_line,
    read_lines,
)

OWN: Final = tuple(
    read_lines("""\
httptools>=0.6.4
jsonschema>=4.20
mlflow>=2.20
orjson>=3.10
pandas>=2.1
pyyaml>=6.0
pysimdjson>=6; python_version < "3.14"
starlette>=0.40
uvicorn>=0.30
uvloop>=0.19; sys_platform != "win32"
""")
)

FLOORS: Final[Mapping[str, SpecifierSet]] = {
    line.name: line.requirement.specifier for line in OWN if line.requirement
}

ON_CONNECT: Final = {"os_name": "posix", "platform_system": "Linux", "sys_platform": "linux"}
"""The values of markers on Connect. All other values are assumed to be as on this machine."""

FULL: Final = "mlflow"

SKINNY: Final = "mlflow-skinny"

ALIASES: Final = {FULL: SKINNY}
"""With `--skinny`, our line for `mlflow` is replaced by the model's line for `mlflow-skinny`."""

SERVER_NEEDS: Final = ("pandas",)
"""Packages of the server that only full MLflow installs. pandas reads tables, and brings NumPy."""

FLAVOR_NEEDS: Final = {
    # mlflow.sklearn imports it, and the model consists of its objects.
    "sklearn": ("scikit-learn",),
}

FORMAT_NEEDS: Final = {
    # Newer versions of MLflow save scikit-learn models in this format; full MLflow installs skops.
    "skops": ("skops",),
}


def floor(name: str) -> SpecifierSet:
    """The versions of a package that the server can run with; all if it does not need the
    package."""
    return FLOORS.get(_full(name), SpecifierSet())


def is_below(lines: Sequence[Line]) -> bool:
    """Whether the lines for one package allow only versions that the server cannot run with."""
    return common([*(line.specifier for line in lines), floor(lines[0].name)]) is None


def missing(text: str) -> list[Line]:
    """The server's own lines for packages that the requirements in `text` would not install on
    Connect."""
    present = {_full(line.name) for line in read_lines(text) if _counts(line)}
    return [line for line in OWN if _counts(line) and line.name not in present]


def with_own(text: str) -> str:
    """The requirements in `text`, with the lines of the server that they lack before them."""
    newline = "\r\n" if "\r\n" in text else "\n"
    return "".join(f"{line.content}{newline}" for line in missing(text)) + text


def lowered(text: str) -> Iterator[tuple[int, Line, Requirement]]:
    """The lines below the server's floors, each with its number and with what to write instead."""
    for number, line in numbered(text):
        if line.requirement and _full(line.name) in FLOORS and _counts(line) and is_below([line]):
            yield number, line, _with_floor(line.requirement)


def _with_floor(asked: Requirement) -> Requirement:
    requirement = Requirement(str(asked))
    requirement.specifier, requirement.url = floor(canonicalize_name(asked.name)), None
    return requirement


def _counts(line: Line) -> bool:
    marker = line.requirement.marker if line.requirement else None
    return marker is None or marker.evaluate(ON_CONNECT)


def _full(name: str) -> str:
    """The name of the full package: `mlflow` for `mlflow-skinny`, whose floor is the same."""
    return name.removesuffix("-skinny")


def raised(line: Line) -> Line:
    """The model's line. If it asks for an MLflow that is too old for the server, a line with the
    server's floor and a comment that says why."""
    mlflow = line.requirement if _full(line.name) == "mlflow" else None
    if mlflow is None or not is_below([line]):
        return line
    why = f"what the server needs; the model asks for {line.quoted}"
    return read_line(f"{_with_floor(mlflow)}  # {why}")


def skinny(packages: Sequence[Line], flavors: Mapping[str, Any]) -> list[Line]:
    """The model's lines, with `mlflow-skinny` in place of `mlflow`, and lines for the packages that
    only full MLflow would have installed."""
    lines = [_renamed(line) for line in packages]
    names = {line.name for line in lines}
    needed = [name for name in (SKINNY, *_needs(flavors)) if name not in names]
    return [*lines, *map(read_line, needed)]


def _renamed(line: Line) -> Line:
    if line.name != FULL or line.requirement is None:
        return line
    requirement = Requirement(str(line.requirement))
    requirement.name = SKINNY
    comment = COMMENT.search(line.text)
    # The hashes are left out, since they are those of the full package.
    return read_line(f"{requirement}  {comment[0]}" if comment else str(requirement))


def _needs(flavors: Mapping[str, Any]) -> Sequence[str]:
    known = [flavor for flavor in flavors.values() if isinstance(flavor, dict)]
    formats = [str(flavor.get("serialization_format")) for flavor in known]
    return [
        *SERVER_NEEDS,
        *(name for flavor in flavors for name in FLAVOR_NEEDS.get(flavor, ())),
        *(name for kind in formats for name in FORMAT_NEEDS.get(kind, ())),
    ]
