"""Whether manifest.json, which publishing from git needs, is of the files as they are now.

In: the project's folder. Out: a line for each file that is not. Connect takes the files that the
manifest lists, with these checksums, so an old one publishes old lists.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from modelserver.deployment.bundle import read_bundle

MAKE: Final = "python main.py manifest"


def stale(root: Path, extra: Sequence[str] = ()) -> Iterator[str]:
    """What is wrong with the manifest of the project in `root`, and what mends it."""
    file = root / "manifest.json"
    if not file.exists():
        yield f"there is no manifest.json; {MAKE}"
        return
    problems = list(_differences(root, file, extra))
    if problems:
        yield f"manifest.json is out of date; {MAKE}"
    yield from problems


def _differences(root: Path, file: Path, extra: Sequence[str]) -> Iterator[str]:
    manifest = json.loads(file.read_text(encoding="utf-8"))
    listed = {path: entry["checksum"] for path, entry in manifest["files"].items()}
    present = read_bundle(root, extra).sizes
    for path in sorted(listed.keys() | present):
        if path not in listed:
            yield f"not in it: {path}"
        elif path not in present:
            yield f"no longer there: {path}"
        elif listed[path] != hashlib.md5((root / path).read_bytes()).hexdigest():
            yield f"changed: {path}"
