"""URIs with a form that MLflow cannot read, and what was probably meant.

In: an attempt that failed while a server or a store was asked. Out: a sentence, or None if the URI
may be right. Only what `public_uri` allows is shown of a URI.
"""

import re
from difflib import get_close_matches
from typing import Final
from urllib.parse import unquote

from modelserver.loading.attempt import UNREADABLE, Attempt, public_uri
from modelserver.loading.stores import STORES

SERVERS: Final = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "file", "databricks")
"""The schemes of tracking URIs."""

SCHEMES: Final = ("models", "runs", "mlflow-artifacts", "file", "https", *STORES)
"""The schemes of model URIs."""

FORMS: Final = (
    (r"models:/*([^/@]+)/(\w+)@([^/@]+)", r"models:/\1/\2 or models:/\1@\3"),
    (r"models:/*([^/@]+)/v(?:ersion)?[ ._-]?(\d+)", r"models:/\1/\2"),
    (r"models:/*([^/@]+)([/@])([^/@]+)/*", r"models:/\1\2\3"),
    (r"runs:/*(\w+)/*", r"runs:/\1/model"),
)
"""Wrong forms of model URIs that occur often, and the right form of each."""

PAGE: Final = re.compile(r"(https?://[^#]*?)/*#.*", re.DOTALL)
"""The URL of a page of MLflow: the server's URL ends before the #."""

HOST: Final = re.compile(r"(?:[^/@]*@)?[\w.-]+:\d+(?:/.*)?")
"""A host and a port without a scheme."""

PORT: Final = re.compile(r"[^/:]:[^/:]+(?:/|$)")
"""A colon and a port, which may be no number, after a host without a login."""


def fault_of_tracking_uri(attempt: Attempt) -> str | None:
    """What is wrong with the form of MLFLOW_TRACKING_URI; None if it may be right."""
    uri = attempt.tracking_uri or ""
    if page := PAGE.fullmatch(uri):
        return _said("is the address of a page, not of the server", page[1])
    if HOST.fullmatch(uri):
        return _said("has no scheme", f"http://{uri}")
    if not attempt.server.endswith(UNREADABLE):
        return None
    if PORT.search(uri.rpartition("@")[2]):
        return "MLFLOW_TRACKING_URI has a port that is no number up to 65535"
    return "MLFLOW_TRACKING_URI cannot be read as a URI; characters of a password need %-codes"


def unknown_scheme(attempt: Attempt) -> str:
    """The advice if MLflow does not know the scheme of the tracking URI or the registry's URI."""
    scheme, _, rest = (attempt.tracking_uri or "").partition(":")
    if not attempt.tracking_uri or scheme.partition("+")[0] in SERVERS:
        return "MLFLOW_REGISTRY_URI has a scheme that MLflow does not know; correct or unset it"
    meant = get_close_matches(scheme, SERVERS, 1)
    return _said("has a scheme that MLflow does not know", f"{meant[0]}:{rest}" if meant else "")


def meant(uri: str) -> str:
    """The question whether another model URI was meant; empty if none is similar."""
    text = unquote(uri)
    scheme, colon, rest = text.partition(":")
    if colon and scheme not in SCHEMES and (near := get_close_matches(scheme, SCHEMES, 1)):
        text = f"{near[0]}:{rest}"
    for form, right in FORMS:
        if found := re.fullmatch(form, text, re.IGNORECASE):
            text = found.expand(right)
            break
    return f"was {text} meant?" if text != uri else ""


def _said(fault: str, meant: str) -> str:
    shown = public_uri(meant)
    hint = f"was {shown} meant?" if meant and UNREADABLE not in shown else "correct it"
    return f"MLFLOW_TRACKING_URI {fault}; {hint}"
