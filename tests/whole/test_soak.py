"""The campaign of `make soak`, in its smallest extent: all findings hold but those that depend
on the speed of the machine."""

from pathlib import Path

import pytest

from tests.support.soak.__main__ import PARTS
from tests.support.soak.findings import Extent

pytestmark = [pytest.mark.processes, pytest.mark.repeats]


@pytest.mark.parametrize("title", PARTS)
def test_every_finding_holds(title: str, tmp_path: Path) -> None:
    findings = PARTS[title](Extent(0.0001, tmp_path))
    assert findings
    failed = [finding for finding in findings if not (finding.holds or finding.is_timed)]
    assert failed == []
