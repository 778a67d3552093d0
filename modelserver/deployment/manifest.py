"""Whether manifest.json, which publishing from git needs, fits the files as they are now.

In: the project's folder. Out: a line for each file that differs. Connect takes the files that the
manifest lists with their checksums, so an old manifest publishes an old list of files.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from modelserver.deployment.bundle import Bundle, read_bundle
from modelserver.deployment.command_line import ours


def stale(root: Path, extra: Sequence[str] = ()) -> list[str]:
    """Compares manifest.json with the files in `root`. Returns no line if it is up to date;
    otherwise the advice, and then a line for each difference. Other files than the project's own
    and `extra` stay part of the manifest if it lists them."""
    bundle = read_bundle(root, extra)
    if problem := bundle.problem():
        return ["; ".join(problem)]
    listed = _listed(root / "manifest.json")
    if listed is None:
        return [f"there is no manifest.json that can be read; {ours('manifest', '', *extra)}"]
    problems = list(_differences(root, listed, bundle))
    if not problems:
        return []
    kept = [path for path in sorted(listed.keys() - bundle.sizes) if (root / path).is_file()]
    again = ours("manifest", "", *sorted(bundle.further), *kept)
    return [f"manifest.json is not of the files that are here; {again}, and commit both", *problems]


def _listed(file: Path) -> Mapping[str, str] | None:
    """The checksum of each path in the manifest; None if the manifest cannot be read."""
    try:
        files = json.loads(file.read_text(encoding="utf-8"))["files"]
        return {path: entry["checksum"] for path, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _differences(root: Path, listed: Mapping[str, str], bundle: Bundle) -> Iterator[str]:
    for path in sorted(listed.keys() | bundle.sizes):
        if path not in listed:
            yield f"not in it: {path}"
        elif not (root / path).is_file():
            yield f"not here: {path}"
        elif listed[path] != hashlib.md5((root / path).read_bytes()).hexdigest():
            yield f"changed: {path}"
