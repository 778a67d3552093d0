"""The bundle: the files that go to Posit Connect, and no others.

In: the project's folder. Out: what `rsconnect` packs when it is called with `ARGUMENTS`, and what
of it should not leave this machine. Nothing is written or sent.

The list says what goes in, not what stays out: a new secret, notebook or table in the folder then
stays where it is. rsconnect alone would take them all, `.env` too.
"""

import fnmatch
import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILES: Final = (
    "main.py",
    "openapi_base.yaml",
    "modelserver/*.*",
    "modelserver/openapi/*.*",
    "modelserver/pages/*.*",
    "modelserver/assets/*.*",
    "modelserver/assets/licences/*.*",
)
"""What runs, as a shell expands it. rsconnect adds requirements.txt and manifest.json itself."""

OPTIONS: Final = ("--entrypoint", "main:app", "--exclude", "**")
"""For `rsconnect deploy fastapi` or `write-manifest fastapi`: named files beat excludes."""

ARGUMENTS: Final = f'--entrypoint main:app --exclude="**" . {" ".join(FILES)}'
"""The same, and the files, for a shell. Written so that the pattern reaches rsconnect as it is from
every shell."""

ALWAYS: Final = "requirements.txt"

LARGE: Final = 5 * 1024 * 1024
"""Bytes of a file that is no code."""

UNWANTED: Final = {
    "a cache": ("*.pyc", "*.log", ".DS_Store", "*~"),
    "a secret": (
        *(".env*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "id_rsa*", "id_ed25519*"),
        *(".netrc", "_netrc", ".pgpass", ".pypirc", ".htpasswd", ".Renviron", "service?account*"),
        *("*token*", "*secret*", "*credential*", "*password*"),
    ),
    "a notebook": ("*.ipynb",),
    "data": (
        *("*.csv*", "*.tsv*", "*.xls*", "*.jsonl*", "*.parquet", "*.feather", "*.arrow", "*.avro"),
        *("*.db", "*.duckdb", "*.sqlite*", "*.pkl", "*.pickle", "*.joblib", "*.npy", "*.npz"),
        *("*.h5", "*.hdf5", "*.rds", "*.rda", "*.RData", "*.sav", "*.dta", "*.sas7bdat"),
    ),
}
"""Kinds of files that a bundle should not have, by their names."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files relative to the project's folder, in order, with their sizes in bytes."""

    sizes: dict[str, int]
    missing: tuple[str, ...]
    """Entries of `FILES` that name nothing: rsconnect refuses them."""

    @property
    def size(self) -> int:
        """Bytes of all files before they are compressed."""
        return sum(self.sizes.values())

    def unwanted(self) -> Iterator[tuple[str, str]]:
        """Each file that should not go, and why."""
        for path, size in self.sizes.items():
            if why := _why_unwanted(path.rpartition("/")[2].lower(), size):
                yield path, why


def read_bundle(root: Path, extra: Sequence[str] = ()) -> Bundle:
    """What would go to Connect from the folder `root`, with `extra` files or patterns of them."""
    found = {pattern: _matches(root, pattern) for pattern in (ALWAYS, *FILES, *extra)}
    files = sorted({path for paths in found.values() for path in paths})
    return Bundle(
        sizes={path: (root / path).stat().st_size for path in files},
        missing=tuple(pattern for pattern, paths in found.items() if not paths),
    )


def _matches(root: Path, pattern: str) -> list[str]:
    """The files that a pattern names, and those below a folder that it names; no hidden ones, as
    with a shell, and no caches."""
    named = glob.glob(pattern, root_dir=root)
    folders = [path for path in named if (root / path).is_dir()]
    for folder in folders:
        named += glob.glob(f"{folder}/**", root_dir=root, recursive=True)
    files = [path.replace("\\", "/") for path in named if (root / path).is_file()]
    return [path for path in files if "__pycache__" not in path]


def _why_unwanted(name: str, size: int) -> str | None:
    for why, patterns in UNWANTED.items():
        if any(fnmatch.fnmatchcase(name, pattern.lower()) for pattern in patterns):
            return why
    return f"{size / 1024 / 1024:.0f} MB" if size > LARGE else None


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the content needs to find its model: none where the model is not named, so that those it
    has stay. On Connect the tracking server is by default its own /mlflow."""
    tracking = environment.get("MLFLOW_TRACKING_URI", "").rstrip("/")
    of_connect = f"{environment.get('CONNECT_SERVER', '').rstrip('/')}/mlflow"
    found = {"MODEL_URI": environment.get("MODEL_URI", "")}
    if tracking.startswith("http") and tracking != of_connect:
        found["MLFLOW_TRACKING_URI"] = tracking
    return found if found["MODEL_URI"] else {}
