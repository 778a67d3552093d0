"""What the server itself needs, and the lowest versions that it runs with. requirements.txt has the
same.

A model that pins another package below its floor has to be logged again. MLflow itself is another
matter: it was there when the model was logged, and newer versions read what older ones wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from modelserver.deployment.packages.lines import Line, numbered, read_line, read_lines
from modelserver.deployment.packages.versions import common

OWN: Final = tuple(
    read_lines("""\
httptools>=0.6.1
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
"""What markers ask for; for the rest Connect is taken to be as it is here."""


def floor(name: str) -> SpecifierSet:
    """What the server needs of a package; anything of one that it does not import."""
    return FLOORS.get(_full(name), SpecifierSet())


def is_below(lines: Sequence[Line]) -> bool:
    """Whether lines of one package allow only versions that the server cannot run with."""
    return common([*(line.specifier for line in lines), floor(lines[0].name)]) is None


def missing(text: str) -> list[Line]:
    """The server's own lines that the requirements in `text` lack on Connect."""
    present = {_full(line.name) for line in read_lines(text) if _counts(line)}
    return [line for line in OWN if _counts(line) and line.name not in present]


def with_own(text: str) -> str:
    """The requirements in `text`, after the lines that they lack."""
    newline = "\r\n" if "\r\n" in text else "\n"
    return "".join(f"{line.content}{newline}" for line in missing(text)) + text


def lowered(text: str) -> Iterator[tuple[int, Line, Requirement]]:
    """Lines below the server's floors, each with its number and with what to write there."""
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
    """The package that `name` stands for: mlflow-skinny is served as mlflow is."""
    return name.removesuffix("-skinny")


def raised(line: Line) -> Line:
    """The model's line; for an MLflow below the server's floor one with the floor, and why."""
    mlflow = line.requirement if _full(line.name) == "mlflow" else None
    if mlflow is None or not is_below([line]):
        return line
    why = f"what the server needs; the model asks for {line.quoted}"
    return read_line(f"{_with_floor(mlflow)}  # {why}")
