"""The lowest versions that the server itself runs with. requirements.txt has the same.

A model that pins another package below its floor has to be logged again. MLflow itself is another
matter: it was there when the model was logged, and newer versions read what older ones wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from modelserver.deployment.requirements import Line, read_line
from modelserver.deployment.versions import common

FLOORS: Final[Mapping[str, SpecifierSet]] = {
    "httptools": SpecifierSet(">=0.6.1"),
    "mlflow": SpecifierSet(">=2.20"),
    "orjson": SpecifierSet(">=3.10"),
    "pandas": SpecifierSet(">=2.1"),
    "pysimdjson": SpecifierSet(">=6"),
    "pyyaml": SpecifierSet(">=6.0"),
    "starlette": SpecifierSet(">=0.40"),
    "uvicorn": SpecifierSet(">=0.30"),
    "uvloop": SpecifierSet(">=0.19"),
}


def floor(name: str) -> SpecifierSet:
    """What the server needs of a package; anything of one that it does not import."""
    return FLOORS.get(name.removesuffix("-skinny"), SpecifierSet())


def is_below(lines: Sequence[Line]) -> bool:
    """Whether lines of one package allow only versions that the server cannot run with."""
    asked = [line.requirement.specifier for line in lines if line.requirement]
    return common([*asked, floor(lines[0].name)]) is None


def raised(line: Line) -> Line:
    """The model's line; for an MLflow below the server's floor one with the floor, and why."""
    if line.name not in ("mlflow", "mlflow-skinny") or not is_below([line]):
        return line
    requirement = Requirement(str(line.requirement))
    requirement.specifier = floor(line.name)
    return read_line(f"{requirement}  # what the server needs; the model asks for {line.quoted}")
