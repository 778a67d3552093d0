"""The map of the rooms is that of the code."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PACKAGE = ROOT / "modelserver"
MODULES = [path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_"]


def opening(path: Path) -> str:
    """The first paragraph of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert text is not None
    return " ".join(text.partition("\n\n")[0].split())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_map_says_what_a_module_says(path: Path) -> None:
    name = path.relative_to(PACKAGE)
    if name.name == "__init__.py":
        assert f"| **`{name.parent}/`** | **{opening(path)}** |" in TEXT
    else:
        assert f"| `{name}` | {opening(path)} |" in TEXT


def test_the_map_has_nothing_else() -> None:
    assert len(re.findall(r"^\| \**`", TEXT, re.M)) == len(MODULES)


def tracked(folder: Path) -> list[Path]:
    """The files of the folder that git has, as paths in it."""
    listed = subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, check=True)
    return [Path(line) for line in listed.stdout.decode().splitlines()]


def test_no_room_is_crowded() -> None:
    folders = {path.parent for path in MODULES}
    assert max(len(list(folder.glob("*.py"))) for folder in folders) <= 12
    entries = {path.parts[0]: len(path.parts) == 1 for path in tracked(PACKAGE)}
    files, rooms = sum(entries.values()), len(entries) - sum(entries.values())
    assert (rooms <= 10, files <= 7) == (True, True)
    assert len({path.parts[0] for path in tracked(ROOT / "tests")}) <= 15


@pytest.mark.parametrize("path", [*PACKAGE.rglob("__init__.py")], ids=lambda path: path.parent.name)
def test_a_room_opens_with_its_contract(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text()))
    assert text is not None
    assert 3 <= len(text.splitlines()) <= 8
