"""Which texts may not appear in the log: keys, and the logins and queries of URLs.

In: environment variables, then any text. Out: the texts to remove, and the text without them and
without the logins and queries of all URLs in it. Very long texts are cut. Nothing is raised.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote_plus

SHORTEST: Final = 8
"""The fewest characters of a secret. Shorter texts are no secrets, and may occur in any line."""

KEY: Final = re.compile(
    r"(?:KEY(?:_ID)?|TOKEN|PASS(?:WORD|WD)?|SECRET|CONNECTION_STRING)$", re.IGNORECASE
)
"""The endings of the names of variables that hold keys."""

LOGIN: Final = re.compile(r"^https?://(?:[^/?#:@]*:)?(.*)@|^[\w+.-]+://[^/?#:@]*:(.*)@")
"""The password of a URL, or the token in its place. It may contain any character."""

VALUE: Final = re.compile(r"[?&][^=&#]*=([^&#]+)")
"""A value in the query of a URL."""

MARKED: Final = re.compile(r"(?<=://)[^/?#:@]*:.*@|(?<=[?&])[^=&#]+=[^&#]+")
"""The login and the query of a URL with their punctuation, by which even short ones are found."""

PAIR: Final = re.compile(r"((?:Key|Signature)=)([^;\s'\"]+)")
"""A key in one of Azure's connection strings."""

IN_ADDRESS: Final = re.compile(
    r"""
    (?<=://) [^\s/?\#:@'"<>]{0,200} : (?!\d+/) [^\s'"<>]{0,500} (?=@)
    | (?<=://) (?<!wasbs://) (?<!abfss://) [^\s/?\#:@'"<>]{1,500} (?=@)
    """,
    re.VERBOSE,
)
"""A login in a URL, whose password may contain any character. Azure's `wasbs://container@…` is no
login. The maximum lengths limit the time that a hostile text can take."""

IN_QUERY: Final = re.compile(r"(?<=[?&#])([\w.%~-]{1,100}=)[^\s&#'\"<>()]+")
"""A value in a query, also if a library writes only the path of a URL."""


def redaction(environment: Mapping[str, str]) -> list[str]:
    """The texts to remove, the longest first, since one may be a part of another."""
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


LONGEST: Final = 100_000
"""The most characters that are searched, since the event loop waits for the search. The text of a
model's exception may have millions."""

CUT_THROUGH: Final = 10_000
"""How many characters before the end of a text that was cut may be a part of a secret."""


def struck(text: str, secrets: Sequence[str]) -> str:
    """The text without `secrets`, and without the logins and queries of URLs; each is replaced by
    "…". A text of more than `LONGEST` characters is cut."""
    if len(text) > LONGEST:
        return struck(text[:LONGEST], secrets)[:-CUT_THROUGH] + "…"
    for secret in secrets:
        text = text.replace(secret, "…")
    # The log line of a request has none of these characters, so it skips the searches (7 us).
    if "@" in text:
        text = IN_ADDRESS.sub("…", text)
    if "?" in text or "&" in text or "#" in text:
        text = IN_QUERY.sub(r"\1…", text)
    if "Key=" in text or "Signature=" in text:
        text = PAIR.sub(r"\1…", text)
    return text
