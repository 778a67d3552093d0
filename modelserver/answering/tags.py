"""Bodies that are made once and served often, under entity tags (RFC 9110 8.8.3)."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tagged:
    """A body and its tag, by which a client says that it has the same bytes already."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> "Tagged":
        """The body under a strong tag of its bytes."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
