"""What a check of the pre-flight is: its outcome, and its line in the report. Nothing else."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")

Status: TypeAlias = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `advice` is what to write or run; empty where all is well."""

    name: str
    status: Status
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How a check went, and what later checks can use of it."""

    status: Status
    found: str
    advice: str = ""
    fact: T | None = None
