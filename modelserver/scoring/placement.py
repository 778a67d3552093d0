"""Where a piece of work is to run: a pure function of how busy the workers are.

`workers` keeps a `Load`, asks `place_of` for each piece of work, and says why there are these
places. No clock is read here: whoever runs work says how many seconds it took.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Place: TypeAlias = Literal["here", "gathered", "thread", "refused"]

SHORT: Final = 0.002
"""Seconds that the event loop may be held in one turn."""

TRUSTED_AFTER: Final = 20
"""Pieces of small work in a row that were not slow, before the next may run on the loop."""

SLOW: Final = 0.05
"""Seconds that no hiccup of the machine explains."""

PENALTY: Final = 1000
"""Pieces of small work that go to threads after a slow one."""

FADING: Final = 0.8
"""How much of a longer duration is still expected after each shorter one."""


@dataclass(slots=True)
class Load:
    """How busy the workers are, and how long small work has taken so far."""

    capacity: int
    """Pieces of work that may be gathered or in threads at a time."""
    in_threads: int = 0
    """Pieces that a thread works on, or that wait for one."""
    gathered: int = 0
    """Pieces that wait for the end of this turn of the event loop."""
    crowded: bool = False
    """Whether more than one piece had been gathered by the end of the last such turn."""
    held: float = 0.0
    """Seconds for which work has held the event loop in this turn."""
    expected: float = 0.0
    """Seconds that the next piece of small work is expected to take."""
    trust: int = 0
    """Pieces of small work in a row that were not slow; negative after a slow one."""

    @property
    def is_short(self) -> bool:
        """Whether small work may run on the event loop."""
        return self.trust >= TRUSTED_AFTER and self.expected < SHORT

    def learn(self, seconds: float) -> None:
        """Takes into account how long a piece of small work took."""
        self.expected = max(seconds, self.expected * FADING)
        self.trust = -PENALTY if seconds > SLOW else self.trust + 1


def place_of(load: Load, small: bool, joinable: bool) -> Place:
    """Where the next piece of work is to run. `joinable`: whether it can be done with others."""
    if load.in_threads + load.gathered >= load.capacity:
        return "refused"
    if not small or not load.is_short or load.in_threads:
        return "thread"
    if not load.held and not load.crowded:
        return "here"
    if joinable:
        return "gathered"
    return "here" if load.held + load.expected < SHORT else "thread"
