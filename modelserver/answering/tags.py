"""Entity tags (RFC 9110 8.8.3): which bytes a client has."""

import hashlib


def entity_tag(body: bytes) -> str:
    """A strong tag of the bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
