"""Response bodies that are made once and served often, with their entity tags (RFC 9110 8.8.3)."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tagged:
    """A body and its entity tag, with which a client can say that it already has the same bytes."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> "Tagged":
        """The body with a strong tag made of its bytes."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
