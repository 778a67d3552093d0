"""What an MlflowException says, as it may be shown: MLflow often knows best what an author can do.

In: the exception that ended a load, and what is secret. Out: one line of at most `LONGEST`
characters; empty for other exceptions. Left out are secrets, folders of this machine, logins and
queries of addresses, and the text of a model's own exception, which may hold anything.
"""

import re
from collections.abc import Sequence
from typing import Final

from modelserver.errors import shortened
from modelserver.hosting.redaction import struck
from modelserver.loading.attempt import Attempt, public_uri
from modelserver.loading.explaining.causes import causes
from modelserver.scoring.mlflow_internals import HEADING, RESPONSE, is_mlflow_exception

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
    """What MLflow says in `error`, which ended `attempt`; empty if it is not MLflow's."""
    if not is_mlflow_exception(error):
        return ""
    text = struck(_own_words(error).partition(RESPONSE)[0], attempt.secrets)
    line = _sentence([line.strip() for line in text.splitlines()])
    line = " ".join(PLACE.sub(_shown, line).split()).replace('"', "'").rstrip(".")
    return shortened(line, LONGEST)


def _sentence(lines: Sequence[str]) -> str:
    """The first line that says something. A line that ends in a colon only introduces a list: then
    what it says before that, or the next line."""
    said = [line for line in lines if line and not line.startswith(HEADING)]
    first = said[0] if said else ""
    if not first.endswith(":"):
        return first
    return first.rpartition(". ")[0] or " ".join(said[1:2]) or first


def _own_words(error: BaseException) -> str:
    """MLflow's own text in `error`, or that of the innermost MlflowException that it repeats. Where
    it repeats an exception of the model, the exception's type stands in its place."""
    text = _text(error)
    for cause in causes(error):
        repeated = _text(cause)
        if is_mlflow_exception(cause) and repeated in text:
            text = repeated or text
        elif not isinstance(cause, ABOUT_CODE):
            text = _replaced(text, cause)
    return text


def _replaced(text: str, cause: BaseException) -> str:
    """`text` with the type of `cause` in place of its text. A text of one word is only replaced
    after a colon, since elsewhere the same word may mean something else."""
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
