"""An attempt to load a model: its step, what is known of the model by then, and how it fails.

`LoadFailed` is the one exception of a load; `Attempt` is what advice is made from. What is shown of
a URI is decided here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
"""Told what is being done, for those who wait."""


class LoadFailed(Exception):
    """The model could not be loaded; the text is advice, the cause has the details."""


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
    """What may not be shown, whoever says it."""

    def begin(self, step: Step) -> None:
        """Notes and reports that this step begins. What is raised from now on is explained as a
        failure of it."""
        self.step = step
        self.report(STEPS[step])

    @property
    def uri(self) -> str:
        """The model's URI, as it may be shown."""
        return public_uri(self.model_uri)

    @property
    def host_of_files(self) -> str:
        """The host that the location of the files names, once these are fetched from a server."""
        if self.step != "fetching" or not SERVED.match(self.location):
            return ""
        return urlsplit(public_uri(self.location)).netloc

    @property
    def server(self) -> str:
        """The tracking server or store, as it may be shown. While files are fetched from another
        server, that one."""
        if self.host_of_files:
            return f"the server {self.host_of_files} of the model's files"
        if not self.tracking_uri:
            return "the local store"
        if self.tracking_uri == DATABRICKS:
            return f"the tracking server {self.tracking_uri}"
        return f"the tracking server {public_uri(self.tracking_uri)}"


SERVED: Final = re.compile("(?:mlflow-artifacts|https?)://")
"""Locations of files that a server hands out."""

DATABRICKS: Final = "databricks"
"""A tracking URI that is no folder, though it has no scheme."""


LOGGED: Final = "the server's log, which `python main.py` prints, has the traceback"
"""Where to look, for those who serve a model and for those who check or fetch it."""

UNREADABLE: Final = ":…"
"""What is shown of a URI that cannot be read."""


WINDOWS: Final = re.compile(r"[A-Za-z]:(?:[/\\]|$)|\\\\")
"""How a path of Windows begins."""


def public_uri(uri: str) -> str:
    """A URI as it may be shown: without credentials, queries and folders of this machine."""
    scheme = uri.partition(":")[0]
    if WINDOWS.match(uri):
        return f"file:…/{_last(uri)}"
    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:  # a port that is no number, a bracket without its partner
        return scheme + UNREADABLE
    if parts.scheme in ("", "file", "sqlite"):
        return f"{parts.scheme or 'file'}:…/{_last(parts.path)}"
    if "@" in parts.path and parts.netloc:  # the rest of a password with a slash in it
        return scheme + UNREADABLE
    if parts.scheme in CONTAINERS and parts.username and parts.password is None:
        host = f"{parts.username}@{host}"
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def local_path(uri: str) -> Path | None:
    """The folder of this machine that a model's URI names; None where there is none."""
    path = Path(uri.removeprefix("file://"))
    return path if path.exists() else None


def _last(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
