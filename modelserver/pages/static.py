"""The files that pages load: read once, served under names that change with their content.

In: the folder `assets`, with scripts, styles and images, compressed (`.gz`) or plain. Out: names
such as `page.3f9a0c41d2e7.css`, and responses that a client may cache for ever, compressed if the
client accepts that. The folder also has the pages' templates (`.html`), which are not served.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from modelserver.answering.accept import accepts_gzip
from modelserver.answering.tags import Tagged
from modelserver.pages.conditional import conditional
from modelserver.pages.markup import ASSETS, template

MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. `packed` are its compressed bytes with their tag; the plain bytes have their
    own."""

    media_type: str
    packed: Tagged
    plain_tag: str

    def response(self, request: Request) -> Response:
        """The file, compressed if the client accepts that."""
        if accepts_gzip(request.headers.get("accept-encoding")):
            headers = {**HEADERS, "Content-Encoding": "gzip"}
            return conditional(request, self.packed, self.media_type, headers)
        plain = Tagged(gzip.decompress(self.packed.body), self.plain_tag)
        return conditional(request, plain, self.media_type, HEADERS)


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
        own_name = file.name.removesuffix(".gz")
        stem, dot, suffix = own_name.rpartition(".")
        if dot + suffix in MEDIA_TYPES:
            plain, asset = _read(file, MEDIA_TYPES[dot + suffix])
            names[own_name] = f"{stem}.{hashlib.sha256(plain).hexdigest()[:12]}.{suffix}"
            by_name[names[own_name]] = asset
        else:
            template(file.name)
    return Assets(by_name, names)


def _read(file: Path, media_type: str) -> tuple[bytes, Asset]:
    """The plain bytes of a file, and its asset."""
    data = file.read_bytes()
    is_packed = file.suffix == ".gz"
    plain = gzip.decompress(data) if is_packed else data
    packed = data if is_packed else gzip.compress(data, mtime=0)
    return plain, Asset(media_type, Tagged.of(packed), Tagged.of(plain).tag)
