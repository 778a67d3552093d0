"""What the server itself needs of requirements.txt."""

import pytest

from modelserver.deployment.packages.comparison import in_file
from modelserver.deployment.packages.floors import OWN, missing, with_own
from modelserver.deployment.packages.lines import read_lines
from tests.support.processes import ROOT

OURS = (ROOT / "requirements.txt").read_text()

HERE = [line.name for line in missing("")]
"""All of them, but for one that newer versions of Python do without."""


def test_they_are_those_of_the_file() -> None:
    assert [line.content for line in read_lines(OURS)] == [line.content for line in OWN]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (OURS, []),
        ("", HERE),
        ("# mlflow\n# >>> model packages\n", HERE),
        (OURS.replace("orjson>=3.10\n", ""), ["orjson"]),
        (OURS.replace("orjson", "# orjson"), ["orjson"]),
        (OURS.replace("orjson>=3.10", "ORJSON @ https://h/orjson.whl"), []),
        (OURS.replace("orjson>=3.10", "orjson>=3.10; sys_platform == 'win32'"), ["orjson"]),
        (OURS.replace("orjson>=3.10", "orjson; platform_system == 'Linux'"), []),
        (OURS.replace("mlflow>=2.20", "mlflow-skinny==3.1"), []),
    ],
)
def test_missing_lines(text: str, names: list[str]) -> None:
    assert [line.name for line in missing(text)] == names
    assert missing(with_own(text)) == []
    assert with_own(text).endswith(text)


def test_the_file_keeps_its_line_ends() -> None:
    text = OURS.replace("orjson>=3.10\n", "").replace("\n", "\r\n")
    assert with_own(text) == f"orjson>=3.10\r\n{text}"


def test_the_check_names_what_is_missing() -> None:
    text = OURS.replace("orjson>=3.10\n", "")
    comparison = in_file(text, read_lines("a==1"), missing(text))
    assert comparison.faults == (
        "orjson>=3.10, which the server needs, has no line",
        "a==1 has no line",
    )
    assert comparison.edit == ""
