"""What rsconnect sends when it is given the folder alone: `rsconnect deploy fastapi … .`

In: the project's folder. Out: a `Bundle` of nearly every file in it, and the names of those that
should not leave this machine. The rules are rsconnect's own, which need not be installed here.
Nothing is written or sent.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modelserver.deployment.bundle import ALWAYS, Bundle

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
"""What rsconnect leaves out at the top of the folder; further down it sends those, too."""

ITS_OWN: Final = ".rsconnect-python"
"""Where rsconnect keeps keys; left out everywhere."""

INTERPRETERS: Final = ("bin/python", "Scripts/Python.exe")
"""What makes a folder at the top a virtual environment, which is left out."""

OF_ENVIRONMENT: Final = frozenset({"bin", "lib", "Lib", "Scripts", "Include"})
"""What is left out where the project's folder is a virtual environment itself."""

STORES: Final = frozenset({"mlartifacts", "mlruns", "model_artifacts"})
"""Folders at the top that hold models, runs and their data."""

PACKAGES: Final = frozenset({"node_modules", "site-packages"})
"""Folders of packages, whose names say nothing of secrets."""


def read_folder(root: Path) -> Bundle:
    """What a bare `.` would send from `root`."""
    kept = sorted({ALWAYS, *_files(root)})
    sizes = {path: (root / path).stat().st_size for path in kept if (root / path).is_file()}
    return Bundle(sizes)


def private(folder: Bundle) -> list[str]:
    """The names of files that look private: secrets first, then data, each from the top of the
    folder down. A folder that stores models is named in place of its files."""
    unwanted = {path: why for path, why in folder.unwanted() if not _is_known(path)}
    secrets = [path for path, why in unwanted.items() if why == "a secret"]
    data = [path for path, why in unwanted.items() if why not in ("a secret", "a cache")]
    stores = {f"{_top(path)}/" for path in folder.sizes if _top(path) in STORES}
    return [*sorted(secrets, key=_place), *sorted([*stores, *data], key=_place)]


def _files(root: Path) -> Iterator[str]:
    """Paths relative to `root`. A link to a folder is not followed."""
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
    """Whether the folder of a file tells what it is: a cache, a store of models, a package."""
    folders = path.split("/")[:-1]
    cached = any(folder.endswith("_cache") for folder in folders)
    return cached or _top(path) in STORES or not PACKAGES.isdisjoint(folders)


def _top(path: str) -> str:
    return path.partition("/")[0]


def _place(path: str) -> tuple[int, str]:
    return path.rstrip("/").count("/"), path
