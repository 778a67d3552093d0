"""What clients accept."""

import pytest

from modelserver.pages.negotiation import accepts_gzip, names_html, prefers_json

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("GZIP;Q=0.5", True),
        ("x-gzip", True),
        ("br;q=1, *;q=0.1", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("identity", False),
        ("deflate, br", False),
        ("*;q=0", False),
        ("gzip;q=2", False),
        ("gzip;q", False),
        (",,", False),
    ],
)
def test_accepts_gzip(header: str | None, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    ("header", "preferred"),
    [
        (None, False),
        ("*/*", False),
        (BROWSER, False),
        ("application/json", True),
        ("Application/JSON;charset=utf-8", True),
        ("application/json, text/plain, */*", True),
        ("application/json, text/html", True),
        ("text/html, application/json", False),
        ("text/html;q=0.5, application/json", True),
        ("text/html, application/json;q=0.9", False),
        ("application/*, text/html;q=0.1", True),
        ("application/json;q=0", False),
        ("application/json;q=0, text/plain", False),
        ("application/json;q=0.5, */*", False),
        ("image/png", False),
    ],
)
def test_prefers_json(header: str | None, preferred: bool) -> None:
    assert prefers_json(header) is preferred


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (None, False),
        ("*/*", False),
        (BROWSER, True),
        ("application/json, text/html;q=0.5", True),
        ("text/html;q=0", False),
    ],
)
def test_names_html(header: str | None, named: bool) -> None:
    assert names_html(header) is named
