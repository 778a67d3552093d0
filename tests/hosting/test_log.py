"""Log lines: their form, their order, and when they are written."""

import asyncio
import io
import logging
import re
import timeit

import pytest

from modelserver.hosting.log import MOMENT, LineFormatter, LineHandler
from modelserver.hosting.redaction import struck


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


def log(handler: LineHandler, level: int, text: str) -> None:
    handler.handle(logging.LogRecord("x", level, "", 0, text, (), None))


def new_handler(stream: io.StringIO) -> LineHandler:
    handler = LineHandler(stream)
    handler.setFormatter(LineFormatter())
    return handler


def test_without_a_loop_lines_are_written_at_once(written: io.StringIO) -> None:
    log(new_handler(written), logging.INFO, "hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO hello\n", written.getvalue())


def test_a_loop_writes_lines_together(written: io.StringIO) -> None:
    async def two_lines() -> tuple[str, str]:
        handler = new_handler(written)
        log(handler, logging.INFO, "one")
        log(handler, logging.INFO, "two")
        before = written.getvalue()
        await asyncio.sleep(3 * MOMENT)
        return before, written.getvalue()

    before, after = asyncio.run(two_lines())
    assert before == ""
    assert [line.split()[-1] for line in after.splitlines()] == ["one", "two"]


def test_errors_are_written_at_once_and_in_order(written: io.StringIO) -> None:
    async def error_after_info() -> str:
        handler = new_handler(written)
        log(handler, logging.INFO, "one")
        log(handler, logging.ERROR, "two")
        return written.getvalue()

    lines = asyncio.run(error_after_info()).splitlines()
    assert [line.split()[-1] for line in lines] == ["one", "two"]


def test_a_new_loop_writes_what_a_closed_one_left(written: io.StringIO) -> None:
    handler = new_handler(written)

    async def one_line(wait: float) -> None:
        log(handler, logging.INFO, "line")
        await asyncio.sleep(wait)

    asyncio.run(one_line(0))
    asyncio.run(one_line(3 * MOMENT))
    assert written.getvalue().count("line") == 2


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
    handler = LineHandler(written)
    handler.setFormatter(LineFormatter(["connect-key"]))
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
        return min(timeit.repeat(lambda: struck(text, []), number=1, repeat=3))

    # A quadratic search takes 100 times as long.
    assert seconds(100_000) < 40 * seconds(10_000)
