"""Folders of downloads: locked while their process lives, removed once it is dead."""

import builtins
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from modelserver.loading.downloads import FRESH, PREFIX, Download, remove_left_downloads


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def left(folder: Path, age: float) -> Path:
    """The folder of a process that was killed so many seconds ago."""
    found = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    (found / "MLmodel").touch()
    moment = found.stat().st_mtime - age
    os.utime(found, (moment, moment))
    return found


def test_only_what_a_dead_process_has_left_is_removed(tmp_path: Path) -> None:
    old, fresh = left(tmp_path, 2 * FRESH), left(tmp_path, 0)
    (tmp_path / "model").mkdir()
    (tmp_path / f"{PREFIX}file").touch()
    download = Download()
    os.utime(download.name, (0, 0))
    remove_left_downloads()
    assert not old.exists()
    assert fresh.exists()
    assert (tmp_path / "model").exists()
    assert Path(download.name).exists()
    download.cleanup()
    download.cleanup()
    assert not Path(download.name).exists()


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without_locks(name: str, *arguments: Any) -> Any:
        if name == "fcntl":
            raise ImportError(name)
        return imported(name, *arguments)

    old = left(tmp_path, 2 * FRESH)
    monkeypatch.setattr(builtins, "__import__", without_locks)
    download = Download()
    remove_left_downloads()
    download.cleanup()
    assert old.exists()
    assert not Path(download.name).exists()
