"""Where work is to run, and what is learned of how long it takes: no clock, no threads."""

from dataclasses import replace

import pytest

from modelserver.scoring.scheduling.placement import Caller, Load, Place, place_of

IDLE = Load(capacity=3, trust=20)


@pytest.mark.parametrize(
    ("load", "small", "joinable", "place"),
    [
        (IDLE, True, True, "here"),
        (IDLE, True, False, "here"),
        (IDLE, False, True, "thread"),
        (replace(IDLE, trust=19), True, True, "thread"),
        (replace(IDLE, expected=0.0019), True, True, "here"),
        (replace(IDLE, expected=0.002), True, True, "thread"),
        (replace(IDLE, expected=0.0099, in_a_row=20), True, True, "here"),
        (replace(IDLE, expected=0.01, in_a_row=20), True, True, "thread"),
        (replace(IDLE, expected=0.002, in_a_row=19), True, True, "thread"),
        (replace(IDLE, in_threads=1), True, True, "thread"),
        (replace(IDLE, in_threads=2, gathered=0), False, False, "thread"),
        (replace(IDLE, in_threads=3), True, True, "refused"),
        (replace(IDLE, in_threads=4), False, False, "refused"),
        (replace(IDLE, gathered=2, crowded=True), True, True, "gathered"),
        (replace(IDLE, gathered=3, crowded=True), True, True, "refused"),
        (replace(IDLE, in_threads=1, gathered=2), False, False, "refused"),
        (replace(IDLE, held=0.0005), True, True, "gathered"),
        (replace(IDLE, crowded=True), True, True, "gathered"),
        (replace(IDLE, held=0.0005, expected=0.0005), True, False, "here"),
        (replace(IDLE, held=0.001, expected=0.001), True, False, "thread"),
        (replace(IDLE, held=0.002), True, False, "thread"),
        (replace(IDLE, held=0.002, expected=0.007, in_a_row=20), True, False, "here"),
    ],
)
def test_place_of(load: Load, small: bool, joinable: bool, place: Place) -> None:
    assert place_of(load, small, joinable) == place


@pytest.mark.parametrize(
    ("before", "seconds", "trust", "expected"),
    [
        (Load(1), 0.001, 1, 0.001),
        (Load(1, expected=0.01, trust=5), 0.001, 6, 0.008),
        (Load(1, expected=0.001, trust=5), 0.01, 6, 0.01),
        (Load(1, trust=500), 0.05, 501, 0.05),
        (Load(1, trust=500), 0.051, -1000, 0.051),
        (Load(1, trust=-1000), 0.001, -999, 0.001),
    ],
)
def test_what_a_duration_teaches(before: Load, seconds: float, trust: int, expected: float) -> None:
    before.learn(seconds)
    assert before == Load(1, expected=expected, trust=trust)


@pytest.mark.parametrize(
    ("before", "seconds", "pieces", "most", "expected"),
    [
        (Load(1), 0.004, 32, 32, 0.000125),
        (Load(1), 0.005, 32, 16, 0.00015625),
        (Load(1), 0.006, 5, 2, 0.0012),
        (Load(1), 0.006, 3, 1, 0.002),
        (Load(1, expected=0.001), 0.004, 32, 32, 0.0008),
        (Load(1), 0.005, 1, 32, 0.005),
        (Load(1, most=8), 0.005, 1, 8, 0.005),
        (Load(1, most=8), 0.0024, 8, 16, 0.0003),
        (Load(1, most=8), 0.0025, 8, 8, 0.0003125),
        (Load(1, most=8), 0.0024, 6, 8, 0.0004),
        (Load(1, most=24), 0.0024, 24, 32, 0.0001),
        (Load(1, most=1), 0.0024, 1, 2, 0.0024),
    ],
)
def test_what_joined_pieces_teach(
    before: Load, seconds: float, pieces: int, most: int, expected: float
) -> None:
    before.learn(seconds, pieces)
    assert before.expected == pytest.approx(expected)
    assert replace(before, expected=0) == Load(1, trust=1, most=most)


def test_joined_work_is_slow_as_a_whole() -> None:
    load = Load(1, trust=500)
    load.learn(0.051, 32)
    assert load.trust == -1000


ONE: Caller = ("10.0.0.1", 50001)
OTHER: Caller = ("10.0.0.1", 50002)


@pytest.mark.parametrize(
    ("callers", "in_a_row"),
    [
        ([ONE], 0),
        ([ONE, ONE], 1),
        ([ONE] * 21, 20),
        ([ONE] * 30 + [OTHER], 0),
        ([ONE] * 30 + [OTHER, ONE], 0),
        ([ONE] * 30 + [OTHER, ONE, ONE], 1),
        ([None] * 30, 0),
        ([("10.0.0.1", 0)] * 30, 0),
    ],
)
def test_a_caller_in_a_row(callers: list[Caller], in_a_row: int) -> None:
    load = Load(1)
    for caller in callers:
        load.arrive(caller)
    assert load.in_a_row == in_a_row
