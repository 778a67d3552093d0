"""Log lines to stderr, where Connect and terminals show them: time, level, message.

A log line per request must not take a tenth of the time of a small prediction. So this module
formats it without the look-ups of `logging`'s own formatter.
"""

import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final

from modelserver.hosting.redaction import struck

UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Characters that command a terminal, turn the direction of a text or cannot be written."""

BELOW: Final = "\n    "
"""The beginning of the second and later lines of a record."""


class LineFormatter(logging.Formatter):
    """`2026-01-31 12:00:00,123 INFO message`, and indented below it the traceback, if there is one.

    A message or traceback may quote a server's answer. So `secrets`, and the logins and queries of
    URLs, are removed from both. It may quote a caller, too. So a line that is not indented was
    begun by the server, and characters that command a terminal are written as escapes.
    """

    process: ClassVar[str] = ""
    """What stands before each message: the process, if there are several."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The text of a log record."""
        head = f"{_stamp(int(record.created))},{int(record.msecs):03d} {record.levelname} "
        text = f"{head}{self.process}{record.getMessage()}"
        if record.exc_info:
            text += f"\n{self.formatException(record.exc_info)}"
        text = struck(text, self._secrets)
        return text if text.isprintable() else _harmless(text)


def _harmless(text: str) -> str:
    return UNSEEN.sub(lambda found: repr(found[0])[1:-1], text).replace("\n", BELOW)


@lru_cache(maxsize=1)
def _stamp(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


NOT_LOOKED_UP: Final = vars(logging.LogRecord("", logging.INFO, "", 0, "", None, None)) | {
    "thread": None,
    "threadName": None,
    "process": None,
    "processName": None,
}
"""The attributes of a record, without the thread and the process: `logging` looks these up for each
record, and our formatter does not show them."""


class Line(logging.LogRecord):
    """A record of level INFO, with `NOT_LOOKED_UP`."""

    def __init__(self, name: str, text: str) -> None:
        now = time.time()
        vars(self).update(NOT_LOOKED_UP, name=name, msg=text, created=now, msecs=now % 1 * 1000)


def log_line(logger: logging.Logger, text: str) -> None:
    """Does what `logger.info(text)` does with a `Line`."""
    logger.handle(Line(logger.name, text))


def name_process() -> None:
    """Lets each line of the log name this process, `[1234]`, since others write to the same log."""
    LineFormatter.process = f"[{os.getpid()}] "


def configure_logging(level: str, secrets: Sequence[str] = ()) -> None:
    """Sends our log lines from `level` on to stderr, without `secrets`, and so the warnings of all
    libraries, and what uvicorn says, unless it was told where to; what else is written there is
    without secrets, too. A second call changes both, but adds no second handler."""
    logger = logging.getLogger("modelserver")
    logger.setLevel(level.upper())
    if not logger.handlers:
        logger.addHandler(CountingHandler(sys.stderr))
    if not (of_uvicorn := logging.getLogger("uvicorn")).handlers:
        of_uvicorn.addHandler(logger.handlers[0])
    logger.handlers[0].setFormatter(LineFormatter(secrets))
    SafeStream.secrets = secrets
    warnings.showwarning = _log_warning


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Takes the place of `warnings.showwarning`, which writes lines without a time."""
    logger = logging.getLogger("modelserver")
    logger.warning("%s:%d: %s: %s", filename, lineno, category.__name__, message)


UNWRITABLE: Final = (OSError, ValueError)
"""What a stream raises that cannot be written; ValueError if it was closed."""


class CountingHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes log lines, and counts those that it cannot write as `SafeStream` does. It writes to
    the stream below one of these: for a line per request, the detour would take 2 us."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream.stream if isinstance(stream, SafeStream) else stream)

    def handleError(self, record: logging.LogRecord) -> None:
        """Called in the `except` clause of a line that cannot be formatted or written."""
        if isinstance(sys.exc_info()[1], UNWRITABLE):
            SafeStream.lost += 1
        else:
            super().handleError(record)


class SafeStream:
    """Standard output or error, of which writes never fail: the service goes on although its log
    cannot be written, as on a full disk or a closed pipe. Whatever is lost is counted. Libraries
    and the model write here, so secrets are removed as from our own lines."""

    lost = 0
    """How many writes to any of the two failed."""

    secrets: Sequence[str] = ()

    def __init__(self, stream: Any) -> None:
        """`stream`: None if it was closed before Python started."""
        self._was_closed = stream is None
        self.stream = stream or open(os.devnull, "w")  # noqa: SIM115 - open to the end

    def write(self, text: str) -> int:
        """The number of characters, as if all were written."""
        self._try("write", struck(text, SafeStream.secrets))
        SafeStream.lost += self._was_closed
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes each of the texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Writes what is kept."""
        self._try("flush")

    def close(self) -> None:
        """Only writes what is kept. The number of a closed stream would be that of the next
        connection, and what C code prints would go there."""
        self.flush()

    def _try(self, name: str, *arguments: str) -> None:
        try:
            getattr(self.stream, name)(*arguments)
        except UNWRITABLE:
            SafeStream.lost += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def keep_streams_safe() -> None:
    """Lets no module fail because the standard streams cannot be written. MLflow, warnings, and
    models write there, too. To be called before any file is opened: a file or a socket would get
    the number of a closed stream, and what C code prints would go there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    sys.stdout, sys.stderr = SafeStream(sys.stdout), SafeStream(sys.stderr)
