"""The end of a process whose event loop a prediction holds; what is not taken for that."""

from pathlib import Path

import pytest

from modelserver.scoring.scheduling.watchdog import Watchdog
from tests.support.soak.bad_models import held


@pytest.mark.processes
@pytest.mark.measured
@pytest.mark.parametrize("how", ["hangs", "computes for ever"])
def test_the_process_ends_and_another_one_answers(how: str, tmp_path: Path) -> None:
    finding = held(tmp_path, how)
    assert finding.holds, finding


def test_only_looks_at_one_prediction_count() -> None:
    watchdog = Watchdog()
    watchdog.begin(0)
    assert [watchdog.looks() for _ in range(3)] == [0, 1, 2]
    watchdog.end()
    watchdog.begin(0)
    assert [watchdog.looks() for _ in range(2)] == [0, 1]
    watchdog.end()
    assert watchdog.looks() == 0
