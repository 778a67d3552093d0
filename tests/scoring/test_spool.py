"""Files without a name: what they take, and when they are gone."""

import io
import os

import pytest

from modelserver.errors import PayloadTooLarge
from modelserver.scoring.chunking.spool import Spool


def test_bytes_come_back() -> None:
    spool = Spool(10, "the answer")
    assert (spool.readable(), spool.writable(), spool.seekable()) == (True, True, True)
    assert spool.write(b"abcdef") == 6
    assert (spool.tell(), spool.size, spool.piece(2, 3)) == (6, 6, b"cde")
    assert spool.seek(-2, io.SEEK_END) == 4
    assert spool.read() == b"ef"
    with pytest.raises(PayloadTooLarge, match="the answer is larger than 10 bytes"):
        spool.write(b"ghijk")
    spool.free()
    assert spool.size == 0
    with pytest.raises(PayloadTooLarge):
        spool.write(b"a")
    spool.close()
    spool.close()
    assert spool.closed


def test_it_has_no_name() -> None:
    before = os.listdir("/proc/self/fd")
    spool = Spool(10, "the answer")
    assert len(os.listdir("/proc/self/fd")) == len(before) + 1
    del spool
    assert len(os.listdir("/proc/self/fd")) == len(before)
