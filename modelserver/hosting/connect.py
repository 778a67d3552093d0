"""Posit Connect: whether this process is content of it, and which URLs are that server's.

The marker of content is the product's own variable, as in Posit's SDK; `CONNECT_SERVER` alone says
nothing of it, since people set it on their own machines for rsconnect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

MARKERS: Final = ("POSIT_PRODUCT", "RSTUDIO_PRODUCT")
"""The second is the name that older versions of Connect set."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Connect:
    """A Connect server and a key for it: set by Connect for its content, or by people."""

    server: str | None
    """Its URL, maybe with a sub-path. It has no slash at the end, though Connect sets it so."""
    api_key: str | None = field(repr=False)

    @property
    def tracking_uri(self) -> str | None:
        """Where a tracking server on the same Connect is expected: the vanity URL /mlflow."""
        return f"{self.server}/mlflow" if self.server else None

    def covers(self, url: str) -> bool:
        """Whether `url` is on this server: the same scheme, host and port, and below its path."""
        try:
            ours, other = urlsplit(self.server or ""), urlsplit(url)
            same_origin = _origin(ours) == _origin(other)
        except ValueError:  # no URL, or a port that is no number
            return False
        below = f"{other.path}/".startswith(f"{ours.path}/")
        climbs = ".." in unquote(other.path).split("/")
        return bool(ours.hostname) and same_origin and below and not climbs


def is_connect(environment: Mapping[str, str]) -> bool:
    """Whether Connect started this process."""
    return any(environment.get(name) == "CONNECT" for name in MARKERS)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or DEFAULT_PORTS.get(url.scheme)
