"""What a part of the campaign takes and gives: how much to try, and what was found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a part is tried: `share` 1.0 is the whole campaign, `make test` takes less."""

    share: float
    folder: Path
    """An empty folder of the part, for models and logs."""
    seed: int = 1

    def of(self, number: int, least: int = 1) -> int:
        """So many of `number`, at least `least`."""
        return max(least, round(number * self.share))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of RELIABILITY.md: what was tried, what is wanted, what was seen."""

    tried: str
    wanted: str
    seen: str
    holds: bool
    is_timed: bool = False
    """Whether it depends on the speed of the machine, so that tests cannot ask for it."""


Part: TypeAlias = Callable[[Extent], Sequence[Finding]]
