"""Which texts may not stand in the log: keys, and the logins and queries of addresses.

In: environment variables, then any text. Out: what to strike out, and the text without that and
without the logins and queries of all addresses in it. Nothing is raised.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote_plus

SHORTEST: Final = 8
"""Characters; shorter texts are no secrets, and would be found in every line."""

KEY: Final = re.compile(
    r"(?:KEY(?:_ID)?|TOKEN|PASS(?:WORD|WD)?|SECRET|CONNECTION_STRING)$", re.IGNORECASE
)
"""How the names of variables end that hold keys."""

LOGIN: Final = re.compile(r"^https?://(?:[^/?#:@]*:)?(.*)@|^[\w+.-]+://[^/?#:@]*:(.*)@")
"""A password, or a token in its place, which may have any character."""

VALUE: Final = re.compile(r"[?&][^=&#]*=([^&#]+)")
"""A value of a query."""

MARKED: Final = re.compile(r"(?<=://)[^/?#:@]*:.*@|(?<=[?&])[^=&#]+=[^&#]+")
"""Login and query with their marks, by which they are found though they may be short."""

PAIR: Final = re.compile(r"((?:Key|Signature)=)([^;\s'\"]+)")
"""A key in a connection string of Azure."""

IN_ADDRESS: Final = re.compile(
    r"""
    (?<=://) [^\s/?\#:@'"<>]{0,200} : (?!\d+/) [^\s'"<>]{0,500} (?=@)
    | (?<=://) (?<!wasbs://) (?<!abfss://) [^\s/?\#:@'"<>]{1,500} (?=@)
    """,
    re.VERBOSE,
)
"""A login, of which the password may have any character; but no container of Azure. The lengths
bound the time that hostile texts take."""

IN_QUERY: Final = re.compile(r"(?<=[?&#])([\w.%~-]{1,100}=)[^\s&#'\"<>()]+")
"""A value, also where a library names the path only."""


def redaction(environment: Mapping[str, str]) -> list[str]:
    """The texts, the longest first, since one may be a part of another."""
    texts, marked = set[str](), set[str]()
    for name, value in environment.items():
        if KEY.search(name):
            texts |= {value, *(key for _, key in PAIR.findall(value))}
        if ":/" in value:
            found = [text for groups in LOGIN.findall(value) for text in groups]
            found += VALUE.findall(value)
            texts |= {form for text in found for form in (text, unquote_plus(text))}
            marked |= set(MARKED.findall(value))
    marked |= {text for text in texts if len(text) >= SHORTEST}
    return sorted(marked, key=len, reverse=True)


def struck(text: str, secrets: Sequence[str]) -> str:
    """The text without `secrets`, and without logins and queries of addresses."""
    for secret in secrets:
        text = text.replace(secret, "…")
    # A line of a request, which has nothing of it, is spared the searches: 7 us.
    if "@" in text:
        text = IN_ADDRESS.sub("…", text)
    if "?" in text or "&" in text or "#" in text:
        text = IN_QUERY.sub(r"\1…", text)
    if "Key=" in text or "Signature=" in text:
        text = PAIR.sub(r"\1…", text)
    return text
