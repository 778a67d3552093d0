"""Log lines: their form, and what is struck out of them."""

import io
import logging
import re
import time
import timeit
from collections.abc import Sequence

import pytest

from modelserver.hosting.log import LineFormatter
from modelserver.hosting.redaction import struck


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


def log(handler: logging.Handler, level: int, text: str) -> None:
    handler.handle(logging.LogRecord("x", level, "", 0, text, (), None))


def new_handler(stream: io.StringIO, secrets: Sequence[str] = ()) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(secrets))
    return handler


def test_a_line(written: io.StringIO) -> None:
    log(new_handler(written), logging.INFO, "hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO hello\n", written.getvalue())


def test_tracebacks_follow_their_line(written: io.StringIO) -> None:
    logger = logging.getLogger("tests.log")
    logger.propagate = False
    logger.addHandler(new_handler(written))
    try:
        raise KeyError("x")
    except KeyError:
        logger.exception("failed")
    assert written.getvalue().splitlines()[-1] == "KeyError: 'x'"


def test_secrets_are_struck_out(written: io.StringIO) -> None:
    handler = new_handler(written, ["connect-key"])
    log(handler, logging.ERROR, "the server answered: Key connect-key")
    assert written.getvalue().endswith("ERROR the server answered: Key …\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('to "http://u:pw@127.0.0.1:9/b?x=1&sig=Q"', 'to "http://…@127.0.0.1:9/b?x=…&sig=…"'),
        ("Max retries exceeded with url: /x?token=abc (", "… with url: /x?token=… ("),
        ("http://u:a/b@c@host/x, https://token@host", "http://…@host/x, https://…@host"),
        ("git+https://token@host/own#key=abc", "git+https://…@host/own#key=…"),
        ("http://h:80/a@b and wasbs://box@me.net/m", "http://h:80/a@b and wasbs://box@me.net/m"),
        ("wasbs://me:key@me.net/m", "wasbs://…@me.net/m"),
        ("AccountKey=c2Vj==;EndpointSuffix=x", "AccountKey=…;EndpointSuffix=x"),
        ("where a == b, call(x=y) of me@example.com", "where a == b, call(x=y) of me@example.com"),
    ],
)
def test_logins_and_queries_are_struck_out_of_any_address(text: str, line: str) -> None:
    assert struck(text, ["Max retries exceeded"]) == line


@pytest.mark.parametrize("hostile", ["://a", "://a:", "?a=", "@", "://a:b@", "AccountKey="])
def test_hostile_texts_take_time_in_proportion(hostile: str) -> None:
    def seconds(length: int) -> float:
        text = hostile * (length // len(hostile)) + "@"
        timer = timeit.Timer(lambda: struck(text, []), timer=time.thread_time)
        return min(timer.repeat(number=1, repeat=3))

    # A quadratic search takes 100 times as long.
    assert seconds(400_000) < 40 * seconds(40_000)
