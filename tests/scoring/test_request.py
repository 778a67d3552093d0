"""Requests: which may be cheap, by what is known before they are read."""

import pytest

from modelserver.scoring.request import Request


@pytest.mark.parametrize(
    ("body", "encoding", "small"),
    [
        (b"", None, True),
        (b"x" * 16_384, None, True),
        (b"x" * 16_385, None, False),
        (b"x", "gzip", False),
        (b"PAR1", None, False),
    ],
    ids=["empty", "at the bound", "beyond it", "compressed", "Parquet"],
)
def test_small_requests(body: bytes, encoding: str | None, small: bool) -> None:
    assert Request(body, None, encoding, 10**6).is_small is small
