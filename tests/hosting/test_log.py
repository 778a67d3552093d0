"""Log lines: their form, and what is struck out of them."""

import io
import logging
import os
import re
import sys
import time
import timeit
import warnings
from collections.abc import Sequence
from errno import ENOSPC
from os import strerror
from pathlib import Path

import httpx
import pytest

from modelserver.hosting.log import (
    CountingHandler,
    LineFormatter,
    SafeStream,
    configure_logging,
    name_process,
)
from modelserver.hosting.redaction import CUT_THROUGH, LONGEST, struck
from tests.support.processes import free_port, running, status, wait_for


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


def test_a_line_of_one_of_several_processes(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LineFormatter, "process", "")
    name_process()
    log(new_handler(written), logging.INFO, "a\nb")
    assert re.search(rf",\d{{3}} INFO \[{os.getpid()}\] a\n    b\n$", written.getvalue())


def test_tracebacks_follow_their_line(written: io.StringIO) -> None:
    logger = logging.getLogger("tests.log")
    logger.propagate = False
    logger.addHandler(new_handler(written))
    try:
        raise KeyError("x")
    except KeyError:
        logger.exception("failed")
    assert written.getvalue().splitlines()[-1] == "    KeyError: 'x'"


def test_warnings_of_libraries_are_lines_of_the_log(log: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("info", ["the-secret"])
        warnings.warn("two\nlines with the-secret", UserWarning, stacklevel=1)
    head = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING "
    place = re.escape(f"{__file__}:") + r"\d+: "
    assert re.fullmatch(f"{head}{place}UserWarning: two\n    lines with …\n", log.getvalue())


def test_a_huge_text_is_cut_and_no_secret_is_cut_through() -> None:
    secret = "4711-of-the-tracking-server"
    text = ("x" * (LONGEST - 10) + secret) * 2
    assert struck(text, [secret]) == "x" * (LONGEST - CUT_THROUGH) + "…"
    assert struck("x" * LONGEST, [secret]) == "x" * LONGEST


def test_secrets_are_struck_out(written: io.StringIO) -> None:
    handler = new_handler(written, ["connect-key"])
    log(handler, logging.ERROR, "the server answered: Key connect-key")
    assert written.getvalue().endswith("ERROR the server answered: Key …\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n2026-01-31 12:00:00,123 INFO forged", "a\n    2026-01-31 12:00:00,123 INFO forged"),
        ("a\r\nb\rc\tä", "a\\r\n    b\\rc\tä"),
        ("\x1b[2J\x9b2J\x00\x08\x7f", "\\x1b[2J\\x9b2J\\x00\\x08\\x7f"),
        ("a\u202eb\u2066c\u200bd\u2028e", "a\\u202eb\\u2066c\\u200bd\\u2028e"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_text_cannot_do(text: str, line: str, written: io.StringIO) -> None:
    """It begins no line of its own, and commands no terminal."""
    log(new_handler(written), logging.INFO, text)
    assert written.getvalue().endswith(f" INFO {line}\n")
    assert written.getvalue().encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('to "http://u:pw@127.0.0.1:9/b?x=1&sig=Q"', 'to "http://…@127.0.0.1:9/b?x=…&sig=…"'),
        ("Max retries exceeded with url: /x?token=abc (", "… with url: /x?token=… ("),
        ("http://u:a/b@c@host/x, https://token@host", "http://…@host/x, https://…@host"),
        ("git+https://token@host/own#key=abc", "git+https://…@host/own#key=…"),
        ("http://h:80/a@b and wasbs://box@me.net/m", "http://h:80/a@b and wasbs://box@me.net/m"),
        ("wasbs://me:key@me.net/m", "wasbs://…@me.net/m"),
        ("{'Authorization': 'Basic bWU6cHc=', 'x': 1}", "{'Authorization': 'Basic …', 'x': 1}"),
        ("the authorization failed", "the authorization failed"),
        ("Proxy-Authorization: token\nb", "Proxy-Authorization: …\nb"),
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


class Broken(io.StringIO):
    """A stream that cannot be written, as on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(ENOSPC, strerror(ENOSPC))


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.fixture
def _nothing_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SafeStream, "lost", 0)


@pytest.mark.usefixtures("_nothing_lost")
@pytest.mark.parametrize("stream", [Broken(), closed(), None], ids=["full", "closed", "never open"])
def test_what_cannot_be_written_is_counted(stream: io.StringIO | None) -> None:
    safe = SafeStream(stream)
    assert safe.write("abc") == 3
    assert SafeStream.lost == 1
    print("more", file=safe)
    log(new_handler(safe), logging.INFO, "hello")  # type: ignore[arg-type]
    safe.flush()
    assert SafeStream.lost > 2
    assert stream or not safe.isatty()
    safe.stream.close()


@pytest.mark.usefixtures("_nothing_lost")
def test_a_line_that_cannot_be_written_is_counted() -> None:
    log(CountingHandler(SafeStream(Broken())), logging.INFO, "hello")
    assert SafeStream.lost == 1


@pytest.mark.usefixtures("_nothing_lost")
def test_a_line_that_cannot_be_formatted_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    handler = CountingHandler(io.StringIO())
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "%d", ("a",), None))
    assert "TypeError: %d format" in capsys.readouterr().err
    assert SafeStream.lost == 0


@pytest.mark.usefixtures("_nothing_lost")
def test_what_can_be_written_is_written(written: io.StringIO) -> None:
    safe = SafeStream(written)
    print("abc", file=safe, flush=True)
    assert (written.getvalue(), SafeStream.lost) == ("abc\n", 0)
    safe.close()
    assert safe.getvalue() == "abc\n"


@pytest.mark.usefixtures("_nothing_lost")
def test_lines_that_are_written_together_have_no_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SafeStream, "secrets", ["hunter2hunter2"])
    written = io.StringIO()
    SafeStream(written).writelines(["a hunter2hunter2\n", "b\n"])
    assert written.getvalue() == "a …\nb\n"
    SafeStream(Broken()).writelines(["a", "b"])
    assert SafeStream.lost == 2


@pytest.mark.processes
@pytest.mark.parametrize(
    "redirection",
    [pytest.param(">&- 2>&- <&-", marks=pytest.mark.measured), ">/dev/full 2>/dev/full"],
)
def test_a_server_without_a_log_serves(
    redirection: str, light_folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    command = ["sh", "-c", f"exec {sys.executable} main.py {redirection}"]
    settings = {"MODEL_URI": str(light_folder), "PORT": str(port)}
    with running(command, settings, tmp_path / "log", port) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        assert httpx.post(f"{server.url}/invocations", json={"inputs": [1]}).status_code == 200
        assert httpx.get(f"{server.url}/nowhere").json()["error_code"] == "ENDPOINT_NOT_FOUND"
        assert httpx.get(f"{server.url}/health").json()["lost_log_writes"] > 0
        server.process.terminate()
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("told", [True, False])
def test_uvicorn_writes_as_we_do_unless_it_was_told_where_to(
    told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, ours = logging.getLogger("uvicorn"), logging.getLogger("modelserver")
    there: list[logging.Handler] = [logging.NullHandler()] if told else []
    monkeypatch.setattr(own, "handlers", there)
    configure_logging("info")
    configure_logging("info")
    assert own.handlers == (there if told else ours.handlers[:1])
