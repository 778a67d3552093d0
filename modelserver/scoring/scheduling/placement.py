"""Where a piece of work is to run: a pure function of how busy the workers are.

`workers` keeps a `Load` and calls `place_of` for each piece of work; its docstring explains the
places. This module reads no clock: `workers` measures how long work took and calls `Load.learn`.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Place: TypeAlias = Literal["here", "gathered", "thread", "refused"]

Caller: TypeAlias = "tuple[str, int] | None"
"""Host and port of a connection (ASGI's `client`), the same for all its requests. None, or a port
of 0, names no connection: a proxy may leave it so."""

SHORT: Final = 0.002
"""Seconds for which work may hold the event loop in one turn."""

SHORT_FOR_ONE: Final = 0.01
"""The same while one caller is alone, since nobody else waits. To pass a prediction of 7 ms to a
thread and back costs an eighth more time."""

SHORT_TOGETHER: Final = 0.005
"""The same for work that is joined. In threads, which take turns with the event loop, it takes
several times as long."""

ALONE_AFTER: Final = 20
"""A caller is alone after this many pieces of work in a row that came over the same connection."""

TRUSTED_AFTER: Final = 20
"""Small work may run on the event loop after this many pieces in a row that were not slow."""

SLOW: Final = 0.05
"""Work that took more seconds is slow. A pause of the machine is shorter, so it is not taken for
slow work."""

PENALTY: Final = 1000
"""How many pieces of small work go to threads after a slow one."""

FADING: Final = 0.8
"""After a piece that took less time than expected, the expected time falls to this share."""

MOST_TOGETHER: Final = 32
"""The most pieces that are joined. Joining more saves hardly anything, and the first would wait for
the last."""


@dataclass(slots=True)
class Load:
    """How busy the workers are, and how long small work has taken so far."""

    capacity: int
    """The most pieces of work that may be gathered or in threads at one time."""
    in_threads: int = 0
    """How many pieces a thread works on, or wait for a thread."""
    gathered: int = 0
    """How many pieces wait for the end of this turn of the event loop."""
    crowded: bool = False
    """Whether several pieces were done together at the end of the last turn that gathered work."""
    held: float = 0.0
    """Seconds for which work has held the event loop in this turn."""
    caller: Caller = None
    """Whose work came last."""
    in_a_row: int = 0
    """How many pieces directly before the last came from its caller."""
    expected: float = 0.0
    """Seconds that the next piece of small work is expected to take."""
    trust: int = 0
    """How many pieces of small work in a row were not slow; negative after a slow one."""
    most: int = MOST_TOGETHER
    """How many pieces may be joined on the event loop."""

    @property
    def is_short(self) -> bool:
        """Whether small work may run on the event loop."""
        return self.trust >= TRUSTED_AFTER and self.expected < self.bound

    @property
    def is_alone(self) -> bool:
        """Whether all work comes from one caller, who waits for each answer."""
        return self.in_a_row >= ALONE_AFTER

    @property
    def bound(self) -> float:
        """Seconds for which work may hold the event loop in one turn."""
        return SHORT_FOR_ONE if self.is_alone else SHORT

    def arrive(self, caller: Caller) -> None:
        """Notes whose work is the next that `place_of` is asked for."""
        again = caller is not None and caller[1] and caller == self.caller
        self.in_a_row = self.in_a_row + 1 if again else 0
        self.caller = caller

    def learn(self, seconds: float, pieces: int = 1) -> None:
        """Updates what is expected of small work, after so many pieces of it, joined, took so many
        seconds. If they held the event loop for too long, half as many are joined from now on."""
        self.trust = -PENALTY if seconds > SLOW else self.trust + 1
        if pieces > 1 and seconds >= SHORT_TOGETHER:
            self.most = max(1, pieces // 2)
        elif pieces == self.most and seconds < SHORT_TOGETHER / 2:
            self.most = min(2 * pieces, MOST_TOGETHER)
        self.expected = max(seconds / pieces, self.expected * FADING)


def place_of(load: Load, small: bool, joinable: bool) -> Place:
    """Where the next piece of work is to run. `small`: whether its input is small; `joinable`:
    whether it can be done together with others."""
    if load.in_threads + load.gathered >= load.capacity:
        return "refused"
    if not small or not load.is_short or load.in_threads:
        return "thread"
    if not load.held and not load.crowded:
        return "here"
    if joinable:
        return "gathered"
    return "here" if load.held + load.expected < load.bound else "thread"
