"""Why a model could not be loaded, though its files are here: what its code or its pickle lacks.

In: the exception and the attempt that it ended. Out: a sentence, or None if no rule explains it.
"""

import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Final
from zipfile import BadZipFile

from modelserver.hosting.redaction import struck
from modelserver.loading.attempt import Attempt
from modelserver.loading.explaining.model_packages import guess, missing_module
from modelserver.scoring.mlflow_internals import LOADING_ALLOWED, says
from modelserver.types.names import listed

POINTER: Final = b"version https://git-lfs"
"""The beginning of a pointer of Git LFS: the file that it stands for was not fetched."""

UNTRUSTED: Final = "UntrustedTypesFoundException"
"""The exception of skops for types in a model's file that neither skops nor the model trusts."""

TYPE: Final = re.compile(r"'([A-Za-z_][\w.]*)'")
"""Finds these types in the first line of its text, which lists them."""

OF_NOTEBOOK: Final = re.compile(
    r"attribute '(\w+)' on <module '(?:[\w.]+\.)?__main__'|'__main__' has no attribute '(\w+)'"
)
"""Python's words for a class or function that was pickled by name in a notebook or script."""


def while_loading(error: BaseException, attempt: Attempt) -> str | None:
    """The advice for an error while the model was loaded: what its code or its files lack."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return missing_module(error.name, attempt.requirements)
    if isinstance(error, SystemExit):
        return f"the code of the model {attempt.uri} called sys.exit; log it without that call"
    if isinstance(error, AttributeError) and (found := OF_NOTEBOOK.search(str(error))):
        return (
            f"the model needs {found[1] or found[2]} of the notebook or script that logged it; put "
            "it into a module of its own, and log the model with code_paths="
        )
    if type(error).__name__ == UNTRUSTED:
        return _untrusted(error, attempt)
    if says(error, LOADING_ALLOWED):
        return (
            f"{LOADING_ALLOWED} forbids to load models, since their files can run any code; set it "
            f"to true if you trust the model {attempt.uri}"
        )
    if isinstance(error, FileNotFoundError):
        return _absent(error, attempt)
    if isinstance(error, EOFError | UnpicklingError | BadZipFile):
        return _damaged(attempt)
    return None


def _untrusted(error: BaseException, attempt: Attempt) -> str | None:
    """The advice for types that skops does not trust. Which ones it trusts by itself depends on its
    version."""
    types = listed(TYPE.findall(str(error).partition("\n")[0]))
    return types and (
        f"skops does not trust {types} in the model {attempt.uri}; if you do, log it again with "
        f"skops_trusted_types=[{types}]{guess(attempt.requirements)}"
    )


def _absent(error: FileNotFoundError, attempt: Attempt) -> str | None:
    """The advice for a missing file: one of the model's own files, or one that its code opens."""
    if error.filename is None or attempt.folder is None:
        return None
    file = Path(struck(str(error.filename), attempt.secrets))
    if file.is_relative_to(attempt.folder):
        name = file.relative_to(attempt.folder).as_posix()
        return f"the model {attempt.uri} has lost its file {name}; fetch it again, or log it again"
    return (
        f"the code of the model needs the file …/{file.name}, which is not here; log the model "
        "with artifacts= or code_paths= that bring it, and open it from there"
    )


def _damaged(attempt: Attempt) -> str:
    """The advice if a file seems to be cut off, or to be no pickle."""
    files = attempt.folder.rglob("*") if attempt.folder else ()
    for file in filter(Path.is_file, files):
        with file.open("rb") as opened:
            start = opened.read(len(POINTER))
        if start == POINTER:
            return f"the file {file.name} of the model is a pointer of Git LFS; run `git lfs pull`"
    return (
        f"a file of the model {attempt.uri} seems to be cut off, empty or no pickle; fetch the "
        f"files again, or log the model again{guess(attempt.requirements)}"
    )
