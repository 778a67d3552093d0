"""What an MlflowException says, as it may be shown: MLflow often knows best what an author can do.

In: the exception that ended a load, and what is secret. Out: one line, not too long, without
secrets, folders of this machine, logins and queries of addresses, or what it repeats of a model's
own exception, which may hold anything; empty for other exceptions.
"""

import re
from collections.abc import Sequence
from typing import Final

from modelserver.hosting.redaction import struck
from modelserver.loading.attempt import Attempt, public_uri
from modelserver.loading.explaining.causes import causes
from modelserver.mlflow_internals import HEADING, RESPONSE, is_mlflow_exception

LONGEST: Final = 300
"""Characters."""

ABOUT_CODE: Final = (AttributeError, ImportError, NameError, SyntaxError, TypeError)
"""Exceptions whose texts tell of a model's code, most often in Python's own words."""

PLACE: Final = re.compile(
    r"""
    (?P<uri> [A-Za-z][\w+.-]+ ://[^\s'"`<>]+ | (?:models|runs|mlflow-artifacts|dbfs):/[^\s'"`]+)
    | (?<=['"`]) ~? (?:[A-Za-z]:)? [/\\] [^'"`]* (?=['"`])
    | (?<![\w/\\.…]) ~? (?:[A-Za-z]:)? [/\\] (?:[^\s'"`,;:<>()] | [ ](?=[^\s'"`,;:]+[/\\]))+
    """,
    re.VERBOSE,
)
"""An address, or a path of this machine; blanks are a part of it in quotes and before slashes."""


def quotation(error: BaseException, attempt: Attempt) -> str:
    """What `error`, which ended `attempt`, says."""
    if not is_mlflow_exception(error):
        return ""
    text = struck(_own_words(error).partition(RESPONSE)[0], attempt.secrets)
    line = _sentence([line.strip() for line in text.splitlines()])
    line = " ".join(PLACE.sub(_shown, line).split()).replace('"', "'").rstrip(".")
    return line[: LONGEST - 1] + "…" if len(line) > LONGEST else line


def _sentence(lines: Sequence[str]) -> str:
    """The first line; what ends in a colon ends before that sentence, or is the next line."""
    said = [line for line in lines if line and not line.startswith(HEADING)]
    first = said[0] if said else ""
    if not first.endswith(":"):
        return first
    return first.rpartition(". ")[0] or " ".join(said[1:2]) or first


def _own_words(error: BaseException) -> str:
    """The text of the innermost MlflowException that it repeats, or its own, in which a model's
    exception is replaced by its type."""
    text = _text(error)
    for cause in causes(error):
        repeated = _text(cause)
        if is_mlflow_exception(cause) and repeated in text:
            text = repeated or text
        elif not isinstance(cause, ABOUT_CODE):
            text = _replaced(text, cause)
    return text


def _replaced(text: str, cause: BaseException) -> str:
    """The text without that of the cause. One word elsewhere than after a colon may be another."""
    name, repeated = type(cause).__name__, _text(cause)
    if " " in repeated:
        return text.replace(repeated, name)
    return text.replace(f": {repeated}", f": {name}") if repeated else text


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a model's own exceptions may fail at that, too
        return ""


def _shown(place: re.Match[str]) -> str:
    found = place[0].rstrip(".")
    name = re.split(r"[/\\]", found.rstrip("/\\"))[-1]
    shown = public_uri(found) if place["uri"] else f"…/{name}"
    return shown + place[0][len(found) :]
