"""The temporary folders into which models are downloaded.

A process holds a lock on its folder for as long as it lives. So later processes know the folders of
those that were killed, and remove them. Where folders cannot be locked (Windows), they stay.
"""

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from modelserver.loading.attempt import LoadFailed

PREFIX: Final = "modelserver-download-"

FRESH: Final = 10.0
"""Seconds for which a folder without a lock is kept: its process may be about to lock it."""


class Download(tempfile.TemporaryDirectory[str]):
    """The folder of one download. Raises `LoadFailed` if there is no place for it."""

    def __init__(self) -> None:
        try:
            super().__init__(prefix=PREFIX)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise LoadFailed(
                "there is no folder for temporary files; set TMPDIR to one that exists and may be "
                "written to"
            ) from error
        self._lock = _lock(Path(self.name))

    def cleanup(self) -> None:
        """Removes the folder. Further calls do nothing."""
        super().cleanup()
        _unlock(self._lock)
        self._lock = None


def remove_left_downloads() -> None:
    """Removes the folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if (lock := _lock(folder)) is not None:
            if time.time() - os.fstat(lock).st_mtime > FRESH:
                shutil.rmtree(folder, ignore_errors=True)
            _unlock(lock)


def _lock(folder: Path) -> int | None:
    """The descriptor that holds the lock of a folder; None if another process has it, or if there
    are no such locks."""
    with suppress(ImportError, OSError):
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor
    return None


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
