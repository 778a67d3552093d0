"""Whether manifest.json, which publishing from git needs, is of the files as they are now.

    python -m tests.manifest [further files]

Exit code 1 with a line for each file that is not. Connect takes the files that the manifest lists,
with these checksums, so an old one publishes old lists.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelserver.deployment.bundle import read_bundle


def stale(root: Path, extra: Sequence[str] = ()) -> Iterator[str]:
    """What is wrong with the manifest of the project in `root`, file by file."""
    manifest = json.loads((root / "manifest.json").read_text())
    listed = {path: entry["checksum"] for path, entry in manifest["files"].items()}
    present = read_bundle(root, extra).sizes
    for path in sorted(listed.keys() | present):
        if path not in listed:
            yield f"not in it: {path}"
        elif path not in present:
            yield f"no longer there: {path}"
        elif listed[path] != hashlib.md5((root / path).read_bytes()).hexdigest():
            yield f"changed: {path}"


def main() -> None:
    if not Path("manifest.json").exists():
        raise SystemExit("there is no manifest.json; make manifest")
    problems = list(stale(Path.cwd(), sys.argv[1:]))
    if problems:
        raise SystemExit("\n".join(["manifest.json is out of date; make manifest", *problems]))


if __name__ == "__main__":
    main()
