"""What rsconnect sends if it gets only the folder, and no files: `rsconnect deploy fastapi … .`

In: the project's folder. Out: a `Bundle` of nearly every file in it, and the names of those that
should not leave this machine. The rules are those of rsconnect, which need not be installed here.
Nothing is written or sent.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modelserver.deployment.bundle import ALWAYS, CACHE, SECRET, Bundle

SKIPPED: Final = frozenset(
    {
        ".git",
        ".Rproj.user",
        ".svn",
        "__pycache__",
        "manifest.json",
        "node_modules",
        "packrat",
        "renv",
        "rsconnect",
        "rsconnect-python",
    }
)
"""Names that rsconnect leaves out at the top of the folder, but sends from folders below it."""

ITS_OWN: Final = ".rsconnect-python"
"""The folder in which rsconnect keeps keys. It is left out everywhere."""

INTERPRETERS: Final = ("bin/python", "Scripts/Python.exe")
"""Files by which rsconnect recognises a virtual environment. At the top of the folder, such a
folder is left out."""

OF_ENVIRONMENT: Final = frozenset({"bin", "lib", "Lib", "Scripts", "Include"})
"""Folders that are left out if the project's folder itself is a virtual environment."""

STORES: Final = frozenset({"mlartifacts", "mlruns", "model_artifacts"})
"""Folders at the top that hold models, runs and their data."""

PACKAGES: Final = frozenset({"node_modules", "site-packages"})
"""Folders of installed packages. The names of their files do not show that they are secret."""


def read_folder(root: Path) -> Bundle:
    """The files that rsconnect would send from `root` if it gets only `.`."""
    kept = sorted({ALWAYS, *_files(root)})
    sizes = {path: (root / path).stat().st_size for path in kept if (root / path).is_file()}
    return Bundle(sizes)


def private(folder: Bundle) -> list[str]:
    """The names of files that look private: first secrets, then data, each from the top of the
    folder down. For a folder that stores models, only the folder is named."""
    unwanted = folder.unwanted()
    data = [path for path, why in unwanted if why not in (SECRET, CACHE) and not _is_known(path)]
    stores = {f"{_top(path)}/" for path in folder.sizes if _top(path) in STORES}
    return [*secrets(folder), *sorted([*stores, *data], key=_place)]


def secrets(folder: Bundle) -> list[str]:
    """The names of files that look like secrets, from the top of the folder down."""
    unwanted = folder.unwanted()
    return sorted(
        (path for path, why in unwanted if why == SECRET and not _is_known(path)), key=_place
    )


def _files(root: Path) -> Iterator[str]:
    """The paths of the files that rsconnect would send, relative to `root`. A link to a folder is
    not followed."""
    skipped = SKIPPED | (OF_ENVIRONMENT if _is_environment(root) else set())
    for folder, inside, names in os.walk(root):
        at_top = Path(folder) == root
        for name in names:
            if not (at_top and name in skipped):
                yield Path(folder, name).relative_to(root).as_posix()
        inside[:] = [
            name
            for name in inside
            if name != ITS_OWN
            and not (at_top and (name in skipped or _is_environment(root / name)))
        ]


def _is_environment(folder: Path) -> bool:
    return any((folder / interpreter).exists() for interpreter in INTERPRETERS)


def _is_known(path: str) -> bool:
    """Whether the folder of a file shows what the file is: of a cache, a store of models or a
    package."""
    folders = path.split("/")[:-1]
    cached = any(folder.endswith("_cache") for folder in folders)
    return cached or _top(path) in STORES or not PACKAGES.isdisjoint(folders)


def _top(path: str) -> str:
    return path.partition("/")[0]


def _place(path: str) -> tuple[int, str]:
    return path.rstrip("/").count("/"), path
