"""What clients accept."""

import pytest

from modelserver.scoring.answering.accept import accepts_gzip, best, qualities

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


HTML, JSON, CSV = "text/html", "application/json", "text/csv"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        (BROWSER, HTML),
        ("application/json", JSON),
        ("Application/JSON;charset=utf-8", JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/json, text/html", JSON),
        ("text/html, application/json", HTML),
        ("text/html;q=0.5, application/json", JSON),
        ("text/html, application/json;q=0.9", HTML),
        ("application/*, text/html;q=0.1", JSON),
        ("application/json;q=0", None),
        ("application/json;q=0, text/plain", None),
        ("application/json;q=0, */*", HTML),
        ("application/json;q=0.5, */*", HTML),
        ("text/csv, */*;q=0.1", CSV),
        ("text/*", HTML),
        ("text/*, text/html;q=0.5", CSV),
        ("text/*;q=0.5, text/html;q=0, */*;q=0.1", CSV),
        ("image/png", None),
    ],
)
def test_best(header: str | None, wanted: str | None) -> None:
    assert best(header, (HTML, JSON, CSV)) == wanted


def test_qualities() -> None:
    assert qualities("text/html;q=0.5, A/B, a/b;q=0.1, x;q=2") == {"text/html": 0.5, "a/b": 1.0}
