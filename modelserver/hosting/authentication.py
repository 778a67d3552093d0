"""The API key that callers must send, if API_KEY is set. It is for servers outside of Connect,
which checks keys of its own.

In: the ASGI scope of a request. Out: an error, or None if the request may be answered. The key is
sent as `Authorization: Key …` or `Bearer …`. Browsers ask for a login instead: the key is its
password, and any name will do.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any, Final

from modelserver.errors import Unauthenticated

OPEN: Final = ("/ping", "/v2/health/live", "/v2/health/ready")
"""The probes of load balancers and orchestrators, which need no key."""

ASSETS: Final = "/assets/"
"""The beginning of the paths of files that pages load, which need no key either."""

PAGES: Final = ("", "/", "/docs", "/redoc", "/docs/", "/redoc/")
"""What people open in a browser, which asks for a login if the answer names the scheme Basic."""


class KeyCheck:
    """Compares keys with `key`; without one, every request may be answered."""

    def __init__(self, key: str | None) -> None:
        self._key = key.encode() if key else None

    def refusal(self, scope: Mapping[str, Any]) -> Unauthenticated | None:
        """The error for a request without the key."""
        if self._key is None:
            return None
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path.removesuffix("/") in OPEN or path.startswith(ASSETS):
            return None
        sent = [_key_in(value) for name, value in scope["headers"] if name == b"authorization"]
        if any(hmac.compare_digest(key, self._key) for key in sent):  # in constant time
            return None
        found = "is not the server's" if any(sent) else "cannot be read" if sent else ""
        return Unauthenticated(path in PAGES, found or "is missing")


def _key_in(value: bytes) -> bytes:
    """The key in an Authorization header (RFC 9110, 11.6.2); empty if it has none."""
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() in (b"key", b"bearer"):
        return rest.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            pass
    return b""
