"""Text files that people and their shells write: UTF-8, with or without a byte order mark.

In: a file or its bytes. Out: text. Raises `NoText`.
"""

from pathlib import Path
from typing import Final

UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16, which `>` writes in PowerShell 5."""


class NoText(ValueError):
    """A file is not such a text. The message begins with the file's name and says what it is."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} is {what}")
        self.name = name


def read_text(file: Path) -> str:
    """The text of a file, with line feeds as line ends. Raises `NoText`."""
    return decode(file.read_bytes(), file.name).replace("\r\n", "\n")


def decode(content: bytes, name: str) -> str:
    """The text of a file's bytes, with its own line ends. `name`: the file's name for the message.
    Raises `NoText`."""
    if content.startswith(UTF_16):
        raise NoText(name, "UTF-16 text, as PowerShell 5 writes it with >")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoText(name, f"no UTF-8 text (byte {error.start + 1})") from error
    before, zero, _ = text.partition("\0")
    if zero:
        number = before.count("\n") + 1
        raise NoText(name, f"UTF-16 text from line {number} on, as PowerShell 5 writes it with >>")
    return text
