"""The files that pages load: read once, served under names that change with their content.

In: the folder `assets`, with scripts, styles and images, compressed (`.xz`) or plain. Out: names
such as `page.3f9a0c41d2e7.css`, and responses that a client may cache for ever, compressed if the
client accepts that. The folder also has the pages' templates (`.html`), which are not served.

The vendored files are stored with xz, since they are most of what a deployment uploads and gzip
makes them a fifth larger; browsers know gzip only.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from modelserver.pages.conditional import conditional
from modelserver.pages.markup import ASSETS, template
from modelserver.scoring.answering.accept import accepts_gzip
from modelserver.scoring.answering.tags import Tagged

MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

PACKED: Final = ".xz"

HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True)
class Asset:
    """One file: its bytes as they are stored, and the tag of its plain bytes."""

    media_type: str
    stored: bytes
    is_packed: bool
    tag: str

    @property
    def plain(self) -> Tagged:
        """The file's own bytes."""
        return Tagged(_unpacked(self.stored) if self.is_packed else self.stored, f'"{self.tag}"')

    @cached_property
    def packed(self) -> Tagged:
        """The bytes compressed with gzip, which takes 50 ms for the largest file."""
        return Tagged(gzip.compress(self.plain.body, mtime=0), f'"{self.tag}-gzip"')

    def response(self, request: Request) -> Response:
        """The file, compressed if the client accepts that."""
        if accepts_gzip(request.headers.get("accept-encoding")):
            headers = {**HEADERS, "Content-Encoding": "gzip"}
            return conditional(request, self.packed, self.media_type, headers)
        return conditional(request, self.plain, self.media_type, HEADERS)


@dataclass(frozen=True, slots=True)
class Assets:
    """The files by the names under which they are served, and these names by the files' own."""

    by_name: Mapping[str, Asset]
    names: Mapping[str, str]


@cache
def load_assets() -> Assets:
    """All scripts, styles and images of the folder. The templates are read now, too: the server
    needs no file of its own later, even if the folder is changed or removed."""
    names: dict[str, str] = {}
    by_name: dict[str, Asset] = {}
    for file in sorted(ASSETS.iterdir()):
        own_name = file.name.removesuffix(PACKED)
        stem, dot, suffix = own_name.rpartition(".")
        if dot + suffix in MEDIA_TYPES:
            stored = file.read_bytes()
            tag = hashlib.sha256(stored).hexdigest()[:12]
            names[own_name] = f"{stem}.{tag}.{suffix}"
            is_packed = file.suffix == PACKED
            by_name[names[own_name]] = Asset(MEDIA_TYPES[dot + suffix], stored, is_packed, tag)
        else:
            template(file.name)
    return Assets(by_name, names)


def _unpacked(stored: bytes) -> bytes:
    # Some Pythons are built without lzma; only the pages that need such a file need it.
    import lzma

    return lzma.decompress(stored)
