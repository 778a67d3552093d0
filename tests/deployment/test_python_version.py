"""Which Python Connect takes, compared with what the real rsconnect reads from the same files."""

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from rsconnect.pyproject import detect_python_version_requirement

from modelserver.deployment.checks.project_checks import SOURCES, chosen_python, minor


@pytest.mark.parametrize(
    ("files", "source", "minors"),
    [
        ({".python-version": "3.12\n"}, ".python-version", [12]),
        ({".python-version": "3.12.7"}, ".python-version", [12]),
        ({".python-version": " >=3.11,<3.14 \n"}, ".python-version", [11, 12, 13]),
        ({".python-version": "==3.10.*"}, ".python-version", [10]),
        ({".python-version": "3"}, ".python-version", range(30)),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.28"'}, "pyproject.toml", [28, 29]),
        (
            {"pyproject.toml": '[project]\nrequires-python = ">=3.9"', ".python-version": "3.9"},
            ".python-version",
            [9],
        ),
    ],
)
def test_chosen_python(
    files: dict[str, str], source: str, minors: list[int], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    choice = chosen_python(tmp_path)
    assert choice is not None
    assert (choice.source, choice.minors) == (source, frozenset(minors))
    theirs = SpecifierSet(detect_python_version_requirement(tmp_path) or "")
    assert choice.minors == {number for number in range(30) if theirs.contains(f"3.{number}.9")}


def test_what_rsconnect_cannot_read_fits_no_python(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("cpython-3.12\n")
    choice = chosen_python(tmp_path)
    assert choice is not None
    assert choice.minors == frozenset()


def test_a_project_that_says_nothing(tmp_path: Path) -> None:
    assert chosen_python(tmp_path) is None
    for source in SOURCES:
        (tmp_path / source).write_text("\n# nothing\n")
    assert chosen_python(tmp_path) is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.11.7", 11), ("3.9", 9), ("3.11.2+", 11), ("3.13rc1", 13), ("3", None), ("2.7.18", None)],
)
def test_minor(version: str, expected: int | None) -> None:
    assert minor(version) == expected
