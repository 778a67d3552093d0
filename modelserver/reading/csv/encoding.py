"""The encoding of a CSV file: UTF-8, or an error that names what was found and how to save it.

In: a body. Out: the body without a byte order mark. Raises `BadRequest` for UTF-16, which Excel
("Unicode Text") and PowerShell 5 write, for Windows-1252 and Latin-1, which Excel ("CSV") and R
write on Windows, and for all else that is not UTF-8. No other encoding is read: which one it is can
only be guessed.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final

from modelserver.errors import BadRequest, not_utf8

HOW: Final = ' (Excel: "CSV UTF-8"; R: fileEncoding = "UTF-8"; PowerShell 5: -Encoding utf8)'

UTF16: Final = re.compile(rb"(?:[^\0]\0){2}|(?:\0[^\0]){2}", re.S)
"""The beginning of UTF-16 without a byte order mark: every other byte of Latin letters is 0."""


def utf8_of(body: bytes) -> bytes:
    """The text in UTF-8, without a byte order mark. Raises `BadRequest`."""
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or UTF16.match(body):
        raise BadRequest(f"the body is UTF-16 text; save it as UTF-8{HOW}")
    body = body.removeprefix(BOM_UTF8)
    try:
        _ = body.isascii() or body.decode()
    except UnicodeDecodeError as error:
        likely = ", but probably Windows-1252 (Latin-1)" if _may_be_latin(error) else ""
        raise not_utf8(error, likely, HOW) from None
    return body


def _may_be_latin(error: UnicodeDecodeError) -> bool:
    """Whether the body is text in Windows-1252. It is not if it has letters in UTF-8 before the
    fault: then it is UTF-8 that was damaged."""
    body, start = error.object, error.start
    if b"\0" in body or not body[:start].isascii():
        return False
    try:
        body.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True
