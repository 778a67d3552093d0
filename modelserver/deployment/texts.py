"""Text files that people and their shells write: UTF-8, with or without a mark at the beginning.

In: a file or its bytes. Out: text. Raises `NoText`.
"""

from pathlib import Path
from typing import Final

UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""How it begins: what `>` of PowerShell 5 writes."""


class NoText(ValueError):
    """A file is something else; the text says what, and begins with its name."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} is {what}")
        self.name = name


def read_text(file: Path) -> str:
    """The text of a file, with line feeds as its line ends. Raises `NoText`."""
    return decode(file.read_bytes(), file.name).replace("\r\n", "\n")


def decode(content: bytes, name: str) -> str:
    """The text of a file's bytes, with its line ends. `name` is the file's, for the message. Raises
    `NoText`."""
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
