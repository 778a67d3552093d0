"""Posit Connect: whether this process runs as its content, and which URLs belong to the server.

Content is recognised by a variable that Connect sets for it, as in Posit's SDK. `CONNECT_SERVER`
alone does not show it, since people set that variable on their own machines for rsconnect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

MARKERS: Final = ("POSIT_PRODUCT", "RSTUDIO_PRODUCT")
"""Variables that Connect sets for its content. Older versions of Connect set the second one."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Connect:
    """A Connect server and an API key for it, as Connect sets them for its content, or people
    do."""

    server: str | None
    """The server's URL, maybe with a path, without the slash that Connect adds at the end."""
    api_key: str | None = field(repr=False)

    @property
    def tracking_uri(self) -> str | None:
        """The expected URL of a tracking server on the same Connect: the vanity URL /mlflow."""
        return f"{self.server}/mlflow" if self.server else None

    def covers(self, url: str) -> bool:
        """Whether `url` is on this server: it has the same scheme, host and port, and its path is
        below the server's path."""
        try:
            ours, other = urlsplit(self.server or ""), urlsplit(url)
            same_origin = _origin(ours) == _origin(other)
        except ValueError:  # it is no URL, or its port is no number
            return False
        below = f"{other.path}/".startswith(f"{ours.path}/")
        climbs = ".." in unquote(other.path).split("/")
        return bool(ours.hostname) and same_origin and below and not climbs


def is_connect(environment: Mapping[str, str]) -> bool:
    """Whether Connect started this process as its content."""
    return any(environment.get(name) == "CONNECT" for name in MARKERS)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or DEFAULT_PORTS.get(url.scheme)
