"""Files of the pages: what is vendored, its size, and how it is served."""

import asyncio
import hashlib
import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from modelserver.pages import markup
from modelserver.pages.markup import ASSETS, template
from modelserver.pages.static import load_assets
from tests.support.processes import ROOT

LICENCES = ASSETS.parent / "licences"

Open = Callable[..., TestClient]

TABLE = [
    line.split()
    for line in (ROOT / "tests/support/assets/vendored.txt").read_text().splitlines()
    if not line.startswith("#")
]


def plain(file: Path) -> bytes:
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data


@pytest.mark.parametrize(("package", "version", "source", "name", "sha256"), TABLE)
def test_vendored_files_are_those_of_the_table(
    package: str, version: str, source: str, name: str, sha256: str
) -> None:
    packed = Path(name).suffix in (".js", ".css")
    file = ASSETS / (f"{name}.xz" if packed else name)
    assert hashlib.sha256(plain(file)).hexdigest() == sha256
    assert version.encode() in plain(file) or not packed or source.endswith(".css")


def test_no_vendored_file_is_missing_from_the_table() -> None:
    vendored = [file.name.removesuffix(".xz") for file in ASSETS.glob("*.xz")]
    licences = [f"../licences/{file.name}" for file in LICENCES.iterdir()]
    assert sorted(vendored + licences) == sorted(row[3] for row in TABLE)


def test_every_file_is_served_a_template_or_a_licence() -> None:
    served = load_assets().names
    for file in filter(Path.is_file, ASSETS.iterdir()):
        assert file.name.removesuffix(".xz") in served or file.suffix == ".html"


def test_no_file_is_read_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder of the app may be changed or removed while it runs."""
    load_assets.cache_clear()
    template.cache_clear()
    load_assets()
    pages = [file.name for file in ASSETS.glob("*.html")]
    monkeypatch.setattr(markup, "ASSETS", tmp_path)
    assert all(template(page) for page in pages)


def test_the_folder_stays_small() -> None:
    files = [*ASSETS.iterdir(), *LICENCES.iterdir()]
    assert sum(file.stat().st_size for file in files) <= 750_000


@pytest.mark.parametrize("own_name", sorted(load_assets().names))
def test_each_file_is_served_compressed_plain_and_not_again(own_name: str, client: Open) -> None:
    name = load_assets().names[own_name]
    assert re.fullmatch(r"[\w.-]+\.[0-9a-f]{12}\.\w+", name)
    path = f"/assets/{name}"
    wine = client("wine")
    packed = wine.get(path, headers={"Accept-Encoding": "gzip"})  # which the client undoes
    unpacked = wine.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in unpacked.headers
    assert packed.content == unpacked.content
    assert packed.headers["etag"] != unpacked.headers["etag"]
    for answer in (packed, unpacked):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        known = {
            "If-None-Match": answer.headers["etag"],
            "Accept-Encoding": answer.request.headers["accept-encoding"],
        }
        assert wine.get(path, headers=known).status_code == 304


def test_head_of_a_file(client: Open) -> None:
    path = f"/assets/{load_assets().names['docs.css']}"
    answer = client("wine").head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 100
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


SERVED = load_assets().names["page.css"]

PATHS = [
    "docs.css", "docs.html", "page.css.xz", "docs.000000000000.css", ".", "..", "", "*",
    "../pages/static.py", "..%2fstatic.py", "..%252fstatic.py", "%2e%2e/static.py",
    "..\\static.py", "..%5cstatic.py", "....//static.py", f"../assets/{SERVED}", f"./{SERVED}",
    "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "C:\\Windows\\win.ini", "~/.netrc",
    f"{SERVED}/", f"{SERVED}/.", f"{SERVED}\0.html", f"{SERVED}%00", f"{SERVED} ", f" {SERVED}",
    f"{SERVED};x", f"{SERVED.upper()}", f"{SERVED}.gz", "a" * 60_000, "\u2025/static.py",
    "\uff0e\uff0e\uff0fstatic.py",
]  # fmt: skip
"""What stands after `assets/` in a path, once or not at all decoded, and names no file."""


@pytest.mark.parametrize("name", PATHS, ids=lambda name: ascii(name[:40]))
@pytest.mark.parametrize("prefix", ["", "/content/1"])
def test_other_names_are_not_found(prefix: str, name: str, client: Open) -> None:
    status, body = asyncio.run(asked(client("wine").app, prefix, f"{prefix}/assets/{name}"))
    assert status == 404
    assert json.loads(body)["error_code"] == "ENDPOINT_NOT_FOUND"


async def asked(app: ASGIApp, prefix: str, path: str) -> tuple[int, bytes]:
    """The status and the body for a path as it is: clients of HTTP would mend it."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "root_path": prefix,
        "query_string": b"", "headers": [(b"host", b"a")],
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_the_same_way_finds_a_file(client: Open) -> None:
    status, body = asyncio.run(
        asked(client("wine").app, "/content/1", f"/content/1/assets/{SERVED}")
    )
    assert (status, body) == (200, (ASSETS / "page.css").read_bytes())
