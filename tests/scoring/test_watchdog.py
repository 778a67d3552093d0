"""The end of a process whose event loop or threads predictions hold; what is not taken for that."""

from pathlib import Path

import pytest

from modelserver.scoring.scheduling.watchdog import Progress
from tests.support.soak.bad_models import held, stuck


@pytest.mark.processes
@pytest.mark.measured
def test_another_process_takes_the_place_of_a_held_event_loop(tmp_path: Path) -> None:
    finding = held(tmp_path, "computes for ever")
    assert finding.holds, finding


@pytest.mark.processes
@pytest.mark.measured
def test_another_process_takes_the_place_of_held_threads(tmp_path: Path) -> None:
    finding = stuck(tmp_path)
    assert finding.holds, finding


def test_only_looks_at_the_same_work_of_all_threads_count() -> None:
    progress = Progress(2)
    progress.begun = 1
    assert [progress.looks() for _ in range(3)] == [0, 0, 0]  # one thread is free
    progress.begun = 2
    assert [progress.looks() for _ in range(3)] == [0, 1, 2]
    progress.ended, progress.begun = 1, 3
    assert [progress.looks() for _ in range(2)] == [0, 1]
    progress.ended = 2
    assert [progress.looks() for _ in range(2)] == [0, 0]
