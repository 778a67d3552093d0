"""Log lines to stderr, where Connect and terminals show them: time, level, message.

One line per request must not cost a tenth of a small prediction, so it is made without the look-ups
of `logging`'s own formatter.
"""

import logging
import sys
import time
from collections.abc import Sequence
from functools import lru_cache

from modelserver.hosting.redaction import struck


class LineFormatter(logging.Formatter):
    """`2026-01-31 12:00:00,123 INFO message`, and the traceback below it, if there is one.

    `secrets` are struck out of it, which may quote what a server answered, and logins and queries
    of addresses.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        head = f"{_stamp(int(record.created))},{int(record.msecs):03d} {record.levelname} "
        text = head + record.getMessage()
        if record.exc_info:
            text += f"\n{self.formatException(record.exc_info)}"
        return struck(text, self._secrets)


@lru_cache(maxsize=1)
def _stamp(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


def log_line(logger: logging.Logger, text: str) -> None:
    """`logger.info(text)` without the look-up of where it was called."""
    logger.handle(logging.LogRecord(logger.name, logging.INFO, "", 0, text, (), None))


def configure_logging(level: str, secrets: Sequence[str] = ()) -> None:
    """Our lines go to stderr from `level` on, without `secrets`. Once per process."""
    logger = logging.getLogger("modelserver")
    logger.setLevel(level.upper())
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stderr))
    logger.handlers[0].setFormatter(LineFormatter(secrets))
