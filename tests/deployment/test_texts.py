"""Text files as people and their shells write them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelserver.deployment.checks.preflight import preflight
from modelserver.deployment.checks.report import Check
from modelserver.deployment.texts import NoText, decode, read_text

UTF_16 = "UTF-16 text, as PowerShell 5 writes it with >"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a==1".encode("utf-16"), UTF_16),
        (b"\xfe\xff" + "a==1".encode("utf-16-be"), UTF_16),
        ("# für alle".encode("latin-1"), "no UTF-8 text (byte 4)"),
        (
            b"a==1\r\nb==2\r\n" + "scikit-learn==1.5\r\n".encode("utf-16-le"),
            "UTF-16 text from line 3 on, as PowerShell 5 writes it with >>",
        ),
    ],
)
def test_no_text(content: bytes, what: str) -> None:
    with pytest.raises(NoText) as caught:
        decode(content, "requirements.txt")
    assert str(caught.value) == f"requirements.txt is {what}"
    assert caught.value.name == "requirements.txt"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_text(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_bytes("a==1\r\n# für alle".encode(encoding))
    assert read_text(file) == "a==1\n# für alle"


@pytest.mark.usefixtures("mlflow_as_before")
def test_the_check_says_which_file_to_save(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    names = ("requirements.txt", ".python-version")
    for name in names:
        (tmp_path / name).write_text("3.11", encoding="utf-16")
    (tmp_path / "openapi_base.yaml").write_text("{")
    checks = preflight({"MODEL_URI": str(model_path("one_long"))}, tmp_path)
    found = {check.name: check for check in checks}
    for name, row in zip(names, ("requirements.txt", "Python"), strict=True):
        advice = f"save {name} as UTF-8"
        assert found[row] == Check(row, "failed", f"{name} is {UTF_16}", advice)
