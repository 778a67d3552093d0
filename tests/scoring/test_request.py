"""Requests: which may be cheap, by what is known before they are read."""

import pytest

from modelserver.scoring.request import Request, Times, server_timing


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


@pytest.mark.parametrize(
    ("worked", "wait"), [(0.5, b"300.00"), (0.1, b"0.00")], ids=["waited", "clocks that differ"]
)
def test_times_are_in_milliseconds(worked: float, wait: bytes) -> None:
    found = server_timing(0.01, worked, Times(0.05, 0.125, 0.025))
    expected = b"read;dur=60.00, wait;dur=%s, predict;dur=125.00, write;dur=25.00"
    assert found == expected % wait
