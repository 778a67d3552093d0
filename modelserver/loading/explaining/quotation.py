"""Quotes an MlflowException as it may be shown: MLflow often says best what an author can do.

In: the exception that ended a load, and the secrets. Out: one line of at most `LONGEST` characters;
empty for other exceptions. It leaves out secrets, folders of this machine, logins and queries of
URLs, and the text of a model's own exception, which may contain anything.
"""

import re
from collections.abc import Sequence
from typing import Final

from modelserver.hosting.redaction import struck
from modelserver.loading.attempt import Attempt, public_uri
from modelserver.loading.explaining.causes import causes
from modelserver.scoring.mlflow_internals import HEADING, RESPONSE, is_mlflow_exception
from modelserver.types.names import shortened

LONGEST: Final = 300
"""The most characters of a quotation."""

ABOUT_CODE: Final = (AttributeError, ImportError, NameError, SyntaxError, TypeError)
"""Exceptions about a model's code; their texts may be shown, since Python itself writes most."""

PLACE: Final = re.compile(
    r"""
    (?P<uri> [A-Za-z][\w+.-]+ ://[^\s'"`<>]+ | (?:models|runs|mlflow-artifacts|dbfs):/[^\s'"`]+)
    | (?<=['"`]) ~? (?:[A-Za-z]:)? [/\\] [^'"`]* (?=['"`])
    | (?<![\w/\\.…]) ~? (?:[A-Za-z]:)? [/\\] (?:[^\s'"`,;:<>()] | [ ](?=[^\s'"`,;:]+[/\\]))+
    """,
    re.VERBOSE,
)
"""A URL, or a path of this machine. A path may contain blanks if it is quoted, or if a slash
follows."""


def quotation(error: BaseException, attempt: Attempt) -> str:
    """What MLflow says in the `error` that ended `attempt`; empty if it is no MlflowException."""
    if not is_mlflow_exception(error):
        return ""
    text = struck(RESPONSE.split(_own_words(error))[0], attempt.secrets)
    line = _sentence([line.strip() for line in text.splitlines()])
    line = " ".join(PLACE.sub(_shown, line).split()).replace('"', "'").rstrip(".")
    return shortened(line, LONGEST)


def _sentence(lines: Sequence[str]) -> str:
    """The first line with a message. If it ends with a colon, its last sentence only introduces a
    list: then the sentences before that, or the next line."""
    said = [line for line in lines if line and not line.startswith(HEADING)]
    first = said[0] if said else ""
    if not first.endswith(":"):
        return first
    return first.rpartition(". ")[0] or " ".join(said[1:2]) or first


def _own_words(error: BaseException) -> str:
    """MLflow's own text in `error`, or in the innermost MlflowException whose text it repeats.
    Where it repeats the text of another exception, that text is replaced by the exception's type,
    unless `ABOUT_CODE` has the type."""
    text = _text(error)
    for cause in causes(error):
        repeated = _text(cause)
        if is_mlflow_exception(cause) and repeated in text:
            text = repeated or text
        elif not isinstance(cause, ABOUT_CODE):
            text = _replaced(text, cause)
    return text


def _replaced(text: str, cause: BaseException) -> str:
    """`text`, in which the text of `cause` is replaced by its type. A text of one word is replaced
    only after a colon, since the same word may mean something else in other places."""
    name, repeated = type(cause).__name__, _text(cause)
    if " " in repeated:
        return text.replace(repeated, name)
    return text.replace(f": {repeated}", f": {name}") if repeated else text


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the `__str__` of a model's own exception may fail
        return ""


def _shown(place: re.Match[str]) -> str:
    found = place[0].rstrip(".")
    name = re.split(r"[/\\]", found.rstrip("/\\"))[-1]
    shown = public_uri(found) if place["uri"] else f"…/{name}"
    return shown + place[0][len(found) :]
