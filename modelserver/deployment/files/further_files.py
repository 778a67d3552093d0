"""Files that a person sends beside the project's own: names, patterns and folders in its folder.

In: words of a command line, the project's folder. Out: paths in that folder, and for each word that
names nothing there a sentence with what was probably meant. Hidden files and caches are named by no
pattern, as in a shell.
"""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from modelserver.deployment.targets import HAS_SCHEME
from modelserver.errors import hint

OF_A_MODEL: Final = re.compile(r"[\w .-]+[/:@][\w-]+")
"""How a registered model is written by who forgot the scheme."""


def further_files(root: Path, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The paths, with slashes, and the sentences."""
    paths: list[str] = []
    faults: list[str] = []
    for word in words:
        pattern = _inside(root, word)
        if pattern is None:
            faults.append(f"{word} is not in the project's folder; copy it there")
        elif found := matches(root, pattern):
            paths += found
        else:
            faults.append(_not_there(root, word))
    return paths, faults


def matches(root: Path, pattern: str) -> list[str]:
    """The files in the folder `root` that a pattern names, and those below a folder that it
    names."""
    named = [pattern] if (root / pattern).exists() else glob.glob(pattern, root_dir=root)
    folders = [path for path in named if (root / path).is_dir()]
    for folder in folders:
        named += glob.glob(f"{glob.escape(folder)}/**", root_dir=root, recursive=True)
    files = [path.replace("\\", "/") for path in named if (root / path).is_file()]
    return [path for path in files if "__pycache__" not in path]


def _inside(root: Path, word: str) -> str | None:
    """The path from the folder, in its shortest form; None for one that leads out of it."""
    path, folder = Path(os.path.normpath(root / word)), Path(os.path.normpath(root))
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else None


def _not_there(root: Path, word: str) -> str:
    if HAS_SCHEME.match(word):
        return f"{word} is one model too many; name one"
    said = f"there is no {word} in the project's folder"
    if meant := hint(word, [path.name for path in root.iterdir()]):
        return f"{said}; {meant}"
    if OF_A_MODEL.fullmatch(word):
        return f"{said}; a registered model is written models:/my-model/1 or models:/my-model@alias"
    return f"{said}; name files by their paths there"
