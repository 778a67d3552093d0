"""The bundle: the files that go to Posit Connect, and no others.

In: the project's folder, and further files that a person names: names, patterns or folders in it.
Out: the files that `rsconnect` packs when it is called with `ARGUMENTS`, those of them that should
not leave this machine, and a message for each word that names no file. Nothing is written or sent.
`FILES` lists what goes in, and not what stays out, so a new secret, notebook or table in the folder
is never sent by accident. rsconnect by itself would send all of them, even `.env`.
"""

import fnmatch
import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from modelserver.deployment.command_line import HAS_SCHEME, join
from modelserver.hosting.variables import unquoted
from modelserver.types.names import hint

OF_A_MODEL: Final = re.compile(r"[\w .-]+[/:@][\w-]+")
"""A registered model without the scheme `models:/`."""

WRITTEN: Final = "models:/my-model/1 or models:/my-model@alias"
"""How a registered model is written."""

OR_A_MODEL: Final = f"or a model as {WRITTEN}, or by its folder, which has a file MLmodel"
"""What else a word can be that names no file."""

FILES: Final = (
    "main.py",
    "openapi_base.yaml",
    "modelserver/*.*",
    "modelserver/*[gs]/*.*",
    "modelserver/*[gs]/*[a-z]/*.*",
)
"""The files that run, as patterns for a shell. A room is sent if its name ends in g or s, as that
of `deployment` does not; a folder in a room if its name ends in a letter, as that of `__pycache__`
does not. rsconnect adds requirements.txt and manifest.json itself."""

OPTIONS: Final = ("--entrypoint", "main:app", "--exclude", "**")
"""Options of `rsconnect deploy fastapi` and `write-manifest fastapi`. Files that are named are sent
although everything is excluded."""

ARGUMENTS: Final = f'--entrypoint main:app --exclude="**" . {" ".join(FILES)}'
"""The same options and the files, for a shell. The quotes make every shell pass the pattern to
rsconnect unchanged."""

MODEL: Final = "MODEL_URI"

SERVERS: Final = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")

REMOTE: Final = re.compile(r"databricks|(?!file:|sqlite:)[\w+.-]+://", re.IGNORECASE)
"""Matches the URI of a server that another machine can reach too."""

ALWAYS: Final = "requirements.txt"

LARGE: Final = 5 * 1024 * 1024
"""A file with more bytes is not code."""

CACHE: Final = "a cache"

SECRET: Final = "a secret"

UNWANTED: Final = {
    CACHE: ("*.pyc", "*.log", ".DS_Store", "*~"),
    SECRET: (
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


Registered: TypeAlias = Callable[[str], str | None]
"""A function that gives the URI of the registered model which a word names without its scheme."""


def further_files(
    root: Path, words: Sequence[str], registered: Registered = lambda word: None
) -> tuple[list[str], list[str]]:
    """The paths that `words` name in the folder `root`, and a message for each word that names
    none. As in a shell, patterns do not match hidden files; caches are never matched."""
    paths: list[str] = []
    faults: list[str] = []
    for word in words:
        pattern = _inside(root, word)
        if pattern is None:
            faults.append(_outside(root, word))
        elif found := matches(root, pattern):
            paths += found
        else:
            faults.append(_not_there(root, word, registered))
    return paths, faults


def matches(root: Path, pattern: str) -> list[str]:
    """The files in the folder `root` that a pattern matches. If it matches a folder, all files
    below it."""
    named = [pattern] if (root / pattern).exists() else glob.glob(pattern, root_dir=root)
    folders = [path for path in named if (root / path).is_dir()]
    for folder in folders:
        named += glob.glob(f"{glob.escape(folder)}/**", root_dir=root, recursive=True)
    files = [path.replace("\\", "/") for path in named if (root / path).is_file()]
    return [path for path in files if "__pycache__" not in path]


def _inside(root: Path, word: str) -> str | None:
    """The path that `word` names, relative to `root` and in its shortest form; None if it is not in
    `root`."""
    path, folder = Path(os.path.normpath(root / word)), Path(os.path.normpath(root))
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else None


def _outside(root: Path, word: str) -> str:
    said = f"{word} was taken for a further file, and is not in the project's folder"
    place = "copy it there" if (root / word).exists() else "name files by their paths there"
    return f"{said}; {place}, {OR_A_MODEL}"


def _not_there(root: Path, word: str, registered: Registered) -> str:
    if HAS_SCHEME.match(word):
        return f"{word} is one model too many; name one"
    said = f"{word} was taken for a further file, and is not in the project's folder"
    if meant := hint(word, [path.name for path in root.iterdir()]):
        return f"{said}; {meant}"
    if uri := registered(word):
        return f"{said}; the registry has the model {uri}"
    if OF_A_MODEL.fullmatch(word):
        return f"{said}; a registered model is written {WRITTEN}"
    return f"{said}; name files by their paths there, {OR_A_MODEL}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files to send. `sizes` has their paths in the project's folder, in order, and their sizes
    in bytes."""

    sizes: dict[str, int]
    missing: tuple[str, ...] = ()
    """Entries of `FILES` that match no file."""
    further: frozenset[str] = frozenset()
    """The files that a person named in addition to the project's own."""
    faults: tuple[str, ...] = ()
    """Messages for named files that cannot be sent: why, and what to do."""

    @property
    def size(self) -> int:
        """The bytes of all files before compression."""
        return sum(self.sizes.values())

    def problem(self) -> tuple[str, str] | None:
        """The first reason why the bundle must not be sent, and what to do about it; None if there
        is none."""
        if self.missing:
            return f"missing: {' '.join(self.missing)}", join(
                ["git", "checkout", "--", *self.missing]
            )
        if self.faults:
            said, _, advice = self.faults[0].partition("; ")
            return said, advice
        if unwanted := list(self.unwanted()):
            named = ", ".join(f"{path} ({why})" for path, why in unwanted)
            return f"should not go: {named}", join(["mv", unwanted[0][0], ".."])
        return None

    def unwanted(self) -> Iterator[tuple[str, str]]:
        """Each file that should not be sent, and why. A file that a person named is refused only if
        it looks like a secret."""
        for path, size in self.sizes.items():
            why = _why_unwanted(path.rpartition("/")[2].lower(), size)
            if why == SECRET or (why and path not in self.further):
                yield path, why


def read_bundle(
    root: Path, extra: Sequence[str] = (), registered: Registered = lambda word: None
) -> Bundle:
    """What would go to Connect from the folder `root`, with `extra` files, patterns or folders."""
    own = {pattern: matches(root, pattern) for pattern in (ALWAYS, *FILES)}
    paths = {path for found in own.values() for path in found}
    further, faults = further_files(root, extra, registered)
    return Bundle(
        sizes={path: (root / path).stat().st_size for path in sorted(paths.union(further))},
        missing=tuple(pattern for pattern, found in own.items() if not found),
        further=frozenset(further) - paths,
        faults=tuple(faults),
    )


def _why_unwanted(name: str, size: int) -> str | None:
    for why, patterns in UNWANTED.items():
        if any(fnmatch.fnmatchcase(name, pattern.lower()) for pattern in patterns):
            # A module may have such a name because of what it does.
            return why if why != SECRET or not name.endswith(".py") else None
    return f"{size / 1024 / 1024:.0f} MB" if size > LARGE else None


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell the content which model to serve and where it is registered. Without
    a MODEL_URI there are none, and the content keeps its variables. A tracking server at /mlflow of
    the same Connect is left out, since the content looks there by default."""
    known = {name: unquoted(environment.get(name, "")).rstrip("/") for name in (MODEL, *SERVERS)}
    of_connect = f"{environment.get('CONNECT_SERVER', '').rstrip('/')}/mlflow"
    servers = {
        name: known[name]
        for name in SERVERS
        if REMOTE.match(known[name]) and known[name] != of_connect
    }
    return {MODEL: known[MODEL], **servers} if known[MODEL] else {}
