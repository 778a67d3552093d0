"""Where work is to run, and what is learned of how long it takes: no clock, no threads."""

from dataclasses import replace

import pytest

from modelserver.scoring.placement import (
    FADING,
    PENALTY,
    SHORT,
    SLOW,
    TRUSTED_AFTER,
    Load,
    Place,
    place_of,
)

IDLE = Load(capacity=3, trust=TRUSTED_AFTER)


@pytest.mark.parametrize(
    ("load", "small", "joinable", "place"),
    [
        (IDLE, True, True, "here"),
        (IDLE, True, False, "here"),
        (IDLE, False, True, "thread"),
        (replace(IDLE, trust=TRUSTED_AFTER - 1), True, True, "thread"),
        (replace(IDLE, expected=SHORT * 0.99), True, True, "here"),
        (replace(IDLE, expected=SHORT), True, True, "thread"),
        (replace(IDLE, in_threads=1), True, True, "thread"),
        (replace(IDLE, in_threads=2, gathered=0), False, False, "thread"),
        (replace(IDLE, in_threads=3), True, True, "refused"),
        (replace(IDLE, in_threads=4), False, False, "refused"),
        (replace(IDLE, gathered=2, crowded=True), True, True, "gathered"),
        (replace(IDLE, gathered=3, crowded=True), True, True, "refused"),
        (replace(IDLE, in_threads=1, gathered=2), False, False, "refused"),
        (replace(IDLE, held=SHORT / 4), True, True, "gathered"),
        (replace(IDLE, crowded=True), True, True, "gathered"),
        (replace(IDLE, held=SHORT / 4, expected=SHORT / 4), True, False, "here"),
        (replace(IDLE, held=SHORT / 2, expected=SHORT / 2), True, False, "thread"),
        (replace(IDLE, held=SHORT), True, False, "thread"),
    ],
)
def test_place_of(load: Load, small: bool, joinable: bool, place: Place) -> None:
    assert place_of(load, small, joinable) == place


@pytest.mark.parametrize(
    ("before", "seconds", "trust", "expected"),
    [
        (Load(1), 0.001, 1, 0.001),
        (Load(1, expected=0.01, trust=5), 0.001, 6, 0.01 * FADING),
        (Load(1, expected=0.001, trust=5), 0.01, 6, 0.01),
        (Load(1, trust=500), SLOW, 501, SLOW),
        (Load(1, trust=500), SLOW * 1.01, -PENALTY, SLOW * 1.01),
        (Load(1, trust=-PENALTY), 0.001, 1 - PENALTY, 0.001),
    ],
)
def test_what_a_duration_teaches(before: Load, seconds: float, trust: int, expected: float) -> None:
    before.learn(seconds)
    assert before == Load(1, expected=expected, trust=trust)
