"""Which texts may not appear in the log: keys, and the logins and queries of URLs.

In: environment variables, then any text. Out: the texts to remove, in all ways in which they are
spelt; and the text without them, without the logins and queries of all URLs in it, and without
logins in headers. Very long texts are cut. Nothing is raised.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote, unquote_plus

SHORTEST: Final = 8
"""The fewest characters of a secret. Shorter texts are no secrets, and may occur in any line."""

KEY: Final = re.compile(
    r"(?:KEYS?|KEY_?ID|TOKENS?|PASS(?:WORDS?|WD|PHRASES?)?|[^D]PWD|SECRETS?|COOKIE|_PAT|_SAS|"
    r"(?<!APPLICATION_)CREDENTIALS?|CONNECTION_?STRING)$",
    re.IGNORECASE,
)
"""The endings of the names of variables that hold keys. PWD and OLDPWD are folders, and Google's
APPLICATION_CREDENTIALS is a file."""

MEMBER: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*("(?:[^"\\]|\\.)+")')
"""A name and its text in a variable that holds JSON."""

LOGIN: Final = re.compile(
    r"""
    ^https?:/* (?:[^/?\#:@]*:)? (.*) @
    | ^[\w+.-]+:/+ [^/?\#:@]* : (.*) @
    | ^[^/?\#:@\s]+ : ([^/].*) @
    """,
    re.VERBOSE,
)
"""The password of a URL, or the token in its place. It may contain any character. The URL may lack
slashes, or its scheme."""

VALUE: Final = re.compile(r"[?&][^=&#]*=([^&#]+)")
"""A value in the query of a URL."""

MARKED: Final = re.compile(r"(?<=://)[^/?#:@]*:.*@|(?<=[?&])[^=&#]+=[^&#]+")
"""The login and the query of a URL with their punctuation, by which even short ones are found."""

PAIR: Final = re.compile(r"((?:Key|Signature)=)([^;\s'\"]+)")
"""A key in one of Azure's connection strings."""

IN_ADDRESS: Final = re.compile(
    r"""
    (?<=://) [^\s/?\#:@'"<>]{0,200} : (?!\d+/) (?: (?!://) [^\s'"<>] ){0,500} (?=@)
    | (?<=://) (?<!wasb://|abfs://) (?<!wasbs://|abfss://) [^\s/?\#:@'"<>]{1,500} (?=@)
    """,
    re.VERBOSE,
)
"""A login in a URL, whose password may contain any character but `://`. Azure's
`wasbs://container@…` is no login. The maximum lengths, and that nothing is searched beyond the next
`://`, limit the time that a hostile text can take."""

IN_HEADER: Final = re.compile(
    r"(authorization\W{0,5}[:=]\W{0,5}(?:(?:basic|bearer|key)\s{1,20})?)[^\s'\",;&<>\\]+",
    re.IGNORECASE,
)
"""What logs in in an Authorization header, if an answer or an exception quotes one."""

IN_QUERY: Final = re.compile(r"(?<=[?&#])([\w.%~-]{1,100}=)[^\s&#'\"<>()]+")
"""A value in a query, also if a library writes only the path of a URL."""


def redaction(environment: Mapping[str, str]) -> list[str]:
    """The texts to remove, the longest first, since one may be a part of another."""
    texts, marked = set[str](), set[str]()
    for name, value in environment.items():
        if KEY.search(name):
            texts |= {value, *(key for _, key in PAIR.findall(value))}
        if value.lstrip()[:1] in ("{", "["):
            texts |= {_text(key) for member, key in MEMBER.findall(value) if KEY.search(member)}
        if ":" in value:
            found = [text for groups in LOGIN.findall(value) for text in groups]
            found += VALUE.findall(value)
            texts |= {form for text in found for form in (text, unquote_plus(text))}
            marked |= set(MARKED.findall(value))
    for text in texts:
        if len(text) >= SHORTEST:
            marked |= {*_spellings(text), *_in_base64(text)}
    return sorted(marked, key=len, reverse=True)


def _text(literal: str) -> str:
    try:
        return str(json.loads(literal))
    except ValueError:  # a bad escape; JSON readers refuse the variable, too
        return literal[1:-1]


def _spellings(text: str) -> set[str]:
    """The text itself, and as URLs, JSON, Python's literals and HTML spell it."""
    in_url = quote(text, safe="", errors="replace")
    in_path = quote(text, errors="replace")
    literals = {json.dumps(text)[1:-1], repr(text)[1:-1], text.replace("'", r"\'")}
    return {text, in_url, in_path, in_url.replace("%20", "+"), html.escape(text), *literals}


def _in_base64(text: str) -> Iterator[str]:
    """The text in base64, as the login of the scheme Basic has it. How it is spelt depends on how
    many bytes stand before it in a group of three."""
    data = text.encode(errors="replace")
    for before in range(3):
        first, last = -(-before * 4 // 3), (before + len(data)) * 4 // 3
        for alphabet in (b"+/", b"-_"):
            yield b64encode(bytes(before) + data, alphabet).decode()[first:last]


LONGEST: Final = 100_000
"""The most characters that are searched, since the event loop waits for the search. The text of a
model's exception may have millions."""

CUT_THROUGH: Final = 10_000
"""How many characters before the end of a text that was cut may be a part of a secret."""


def struck(text: str, secrets: Sequence[str]) -> str:
    """The text without `secrets`, without the logins and queries of URLs, and without logins in
    headers; each is replaced by "…". A text of more than `LONGEST` characters is cut."""
    if len(text) > LONGEST:
        return struck(text[:LONGEST], secrets)[:-CUT_THROUGH] + "…"
    for secret in secrets:
        if secret in text:  # which is quicker than to replace nothing
            text = text.replace(secret, "…")
    # The log line of a request has none of these, so it skips the searches (7 us).
    if "@" in text:
        text = IN_ADDRESS.sub("…", text)
    if "?" in text or "&" in text or "#" in text:
        text = IN_QUERY.sub(r"\1…", text)
    if "uthorization" in text:
        text = IN_HEADER.sub(r"\1…", text)
    if "Key=" in text or "Signature=" in text:
        text = PAIR.sub(r"\1…", text)
    return text
