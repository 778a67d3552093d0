"""An attempt to load a model: its step, what is known of the model by then, and how it fails.

`LoadFailed` is the only exception that loading raises. `explaining` makes its advice from the
`Attempt`. This module also decides which parts of a URI may be shown.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from modelserver.hosting.login import Login
from modelserver.loading.stores import CONTAINERS

Step: TypeAlias = Literal["configuring", "looking up", "fetching", "loading", "predicting"]
"""`configuring` imports MLflow and sets it up; `loading` imports what the model needs."""

STEPS: Final[Mapping[Step, str]] = {
    "configuring": "importing MLflow",
    "looking up": "looking the model up",
    "fetching": "fetching the model",
    "loading": "loading the model",
    "predicting": "trying the model",
}

Report: TypeAlias = Callable[[str], None]
"""A function that is called with the name of each step, to show it to people who wait."""


Again: TypeAlias = Literal["soon", "later", "never"]
"""When it may help to load again: `soon` after a fault that may pass; `later`, once somebody has
brought the model that is missing; `never` if no model can be at the URI."""


class LoadFailed(Exception):
    """The model could not be loaded. The text is advice; the exception's cause has the details."""

    def __init__(self, text: str, again: Again = "soon") -> None:
        super().__init__(text)
        self.again = again


@dataclass(slots=True)
class Attempt:
    """An attempt to load a model: how far it has come, and what is known of the model by then."""

    model_uri: str
    tracking_uri: str | None
    login: Login
    step: Step = "looking up"
    location: str = ""
    """Where the model's files are."""
    requirements: Sequence[str] = ()
    """The lines of the model's requirements."""
    folder: Path | None = None
    """Where the model's files are on this machine."""
    report: Report = lambda step: None
    secrets: Sequence[str] = ()
    """Texts that must not be shown, even if MLflow's messages contain them."""
    again: Again = "soon"
    """When to try again after a failure: what explains it sets this, if it knows."""

    def begin(self, step: Step) -> None:
        """Records and reports that this step begins. An exception that follows is explained as a
        failure of this step."""
        self.step = step
        self.report(STEPS[step])

    @property
    def uri(self) -> str:
        """The model's URI, as it may be shown."""
        return public_uri(self.model_uri)

    @property
    def host_of_files(self) -> str:
        """The host in the location of the files, while they are fetched from a server; otherwise
        empty."""
        if self.step != "fetching" or not SERVED.match(self.location):
            return ""
        return urlsplit(public_uri(self.location)).netloc

    @property
    def server(self) -> str:
        """The tracking server or store that is asked, as it may be shown; while files are fetched
        from another server, that server."""
        if self.host_of_files:
            return f"the server {self.host_of_files} of the model's files"
        if not self.tracking_uri:
            return "the local store"
        if self.tracking_uri == DATABRICKS:
            return f"the tracking server {self.tracking_uri}"
        return f"the tracking server {public_uri(self.tracking_uri)}"


SERVED: Final = re.compile("(?:mlflow-artifacts|https?)://")
"""The beginnings of locations of files that are fetched from a server."""

DATABRICKS: Final = "databricks"
"""A tracking URI without a scheme that does not name a folder."""


LOGGED: Final = "the server's log, which `python main.py` prints, has the traceback"
"""Where to find the traceback. It is right for people who serve, check or download a model."""

UNREADABLE: Final = ":…"
"""What is shown in place of the rest of a URI that cannot be read."""


WITH_ALIAS: Final = ("models", "runs")
"""Schemes of URIs in which an @ stands before an alias, or is part of a name."""

WINDOWS: Final = re.compile(r"[A-Za-z]:(?:[/\\]|$)|\\\\")
"""The beginning of a Windows path."""


def is_malformed(uri: str) -> bool:
    """Whether a text cannot be a URI, for example since its port is no number, or since a bracket
    is not closed."""
    try:
        _ = urlsplit(uri).port
    except ValueError:
        return not WINDOWS.match(uri)
    return False


def public_uri(uri: str) -> str:
    """A URI as it may be shown: without credentials, queries and folders of this machine."""
    scheme = uri.partition(":")[0]
    if WINDOWS.match(uri):
        return f"file:…/{_last(uri)}"
    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:  # for example a port that is no number, or a bracket that is not closed
        return scheme + UNREADABLE
    if parts.scheme in ("", "file", "sqlite"):
        return f"{parts.scheme or 'file'}:…/{_last(parts.path)}"
    # A login can be in the path: a password has a slash, or the URI lacks one.
    if "@" in parts.path and not get_close_matches(parts.scheme, WITH_ALIAS):
        return scheme + UNREADABLE
    if parts.scheme in CONTAINERS and parts.username and parts.password is None:
        host = f"{parts.username}@{host}"
    return urlunsplit((parts.scheme, host, parts.path.partition(";")[0], "", ""))


def local_path(uri: str) -> Path | None:
    """The folder on this machine that a model's URI names; None if there is none."""
    path = Path(uri.removeprefix("file://"))
    return path if path.exists() else None


def _last(path: str) -> str:
    """The last part of a path; with the one before it if it is a number, perhaps a version."""
    parts = [part for part in re.split(r"[/\\]", path) if part] or [""]
    return "/".join(parts[-2:] if parts[-1].isdecimal() else parts[-1:])
