"""Entity tags and 304 answers."""

import pytest
from starlette.requests import Request

from modelserver.pages.conditional import conditional
from modelserver.scoring.answering.tags import Tagged

BODY = Tagged.of(b"body")
TAG = BODY.tag


def request(*known: str) -> Request:
    headers = [(b"if-none-match", tags.encode()) for tags in known]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def test_tags_are_strong_and_follow_the_bytes() -> None:
    assert TAG == Tagged.of(b"body").tag != Tagged.of(b"another body").tag
    assert TAG.startswith('"')
    assert TAG.endswith('"')


@pytest.mark.parametrize(
    "known",
    [(TAG,), (f"W/{TAG}",), (f'"other", {TAG}',), ('"other"', TAG), ("*",), (f'"a,b",{TAG}',)],
)
def test_a_client_that_has_the_body_gets_304(known: tuple[str, ...]) -> None:
    response = conditional(request(*known), BODY, "text/plain", {"Vary": "Accept"})
    assert (response.status_code, response.body) == (304, b"")
    assert response.headers["etag"] == TAG
    assert response.headers["vary"] == "Accept"
    assert "content-type" not in response.headers


@pytest.mark.parametrize("known", [(), ("",), ('"other"',), (TAG.strip('"'),), ('W/"*"',)])
def test_everyone_else_gets_the_body(known: tuple[str, ...]) -> None:
    response = conditional(request(*known), BODY, "text/plain")
    assert (response.status_code, response.body) == (200, b"body")
    assert response.headers["etag"] == TAG
    assert response.headers["content-length"] == "4"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
