"""Why a model could not be loaded, in words that say what to do.

In: the exception, the model URI and the tracking URI. Out: one or two sentences for a person who
publishes models, without paths, keys or tracebacks.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from modelserver.login import NOBODY


class LoadFailed(Exception):
    """The model could not be loaded; the text is advice, the cause has the details."""


UNREADABLE: Final = ":…"
"""What is shown of a URI that cannot be read."""


def public_uri(uri: str) -> str:
    """A URI without what is nobody's business: credentials, queries, folders of this machine."""
    scheme = uri.partition(":")[0]
    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:  # a port that is no number, a bracket without its partner
        return scheme + UNREADABLE
    if parts.scheme in ("", "file", "sqlite"):
        return f"{parts.scheme or 'file'}:…/{parts.path.rstrip('/').rpartition('/')[2]}"
    if "@" in parts.path and parts.netloc:  # the rest of a password with a slash in it
        return scheme + UNREADABLE
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def advice(
    error: BaseException,
    model_uri: str,
    tracking_uri: str | None,
    requirements: Sequence[str],
    login: str = NOBODY,
) -> str:
    """What to do about `error`.

    `requirements` are the lines of the model's requirements.txt; `login` is what to check when the
    tracking server refuses (`Login.check`).
    """
    uri = public_uri(model_uri)
    server = (
        f"the tracking server {public_uri(tracking_uri)}" if tracking_uri else "the local store"
    )
    if uri.endswith(UNREADABLE):
        return f"MODEL_URI {uri} cannot be read as a model URI; see the README for its forms"
    if server.endswith(UNREADABLE):
        return "MLFLOW_TRACKING_URI cannot be read as a URI; characters of a password need %-codes"
    for cause in _causes(error):
        if isinstance(cause, ModuleNotFoundError) and cause.name:
            return missing_package(cause.name, requirements)
        code = str(getattr(cause, "error_code", ""))
        text = str(cause)
        if fault := _fault_of_server(cause, code, text):
            return f"{server} " + fault.format(login=login)
        if any(words in text for words in NOT_A_MODEL):
            return f"what is at {uri} is not a complete MLflow model; log it again"
        unknown = code == "RESOURCE_DOES_NOT_EXIST" or any(words in text for words in NOT_FOUND)
        if unknown or code == "INVALID_PARAMETER_VALUE" or "Not a proper" in text:
            return _wrong_uri(uri, server, unknown)
    return (
        f"the model {uri} could not be loaded ({type(error).__name__}); the server's log has the "
        "traceback. Often a package has another version than the model was saved with"
    )


def _fault_of_server(error: BaseException, code: str, text: str) -> str | None:
    """What the tracking server did, when the error is about that."""
    if NO_JSON in text or (type(error).__module__, type(error).__name__) == NO_JSON_ERROR:
        return "refused the login (it answered with a web page): {login}"
    if code in REFUSED or _status(error, text) in (401, 403):
        return "refused the login: {login}"
    if "error code 404 !=" in text:
        return (
            "does not know what it was asked: it is no MLflow server, or an older one; check "
            "MLFLOW_TRACKING_URI"
        )
    if type(error).__name__ in UNREACHABLE:
        return "cannot be reached; check MLFLOW_TRACKING_URI and that it is running"
    return None


def _wrong_uri(uri: str, server: str, unknown: bool) -> str:
    """Advice for a URI under which there is nothing, or which cannot be read as one."""
    name = uri.rpartition("/")[2]
    if re.fullmatch(r"models:/(?!m-)[^/@]+", uri):
        return f"MODEL_URI {uri} names no version; write {uri}/1 or {uri}@alias"
    if not unknown:
        return f"MODEL_URI {uri} cannot be read as a model URI; see the README for its forms"
    if uri.startswith("file:"):
        return f"there is no folder {name}; a registered model is written models:/{name}/1"
    return f"there is no model {uri} in {server}; check MODEL_URI and MLFLOW_TRACKING_URI"


def missing_package(module: str, requirements: Sequence[str]) -> str:
    """Advice for a module that cannot be imported, with the line that the model asks for."""
    top = module.partition(".")[0]
    package = PACKAGES.get(top, top)
    wanted = _normal(package)
    lines = [line.strip() for line in requirements if _normal(_name(line)) == wanted]
    return (
        f"the model needs the package {package}, which is not installed; add the line "
        f"`{lines[0] if lines else package}` to requirements.txt and deploy again"
    )


def _name(requirement: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return found[1] if found else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException, text: str) -> int | None:
    response = getattr(error, "response", None)
    if response is not None:
        return int(response.status_code)
    found = re.search(r"(?:error code|status code|code) (\d{3})", text)
    return int(found[1]) if found else None


NO_JSON: Final = "not in a valid JSON format"
"""MLflow's words for a body that is no JSON."""

NO_JSON_ERROR: Final = ("requests.exceptions", "JSONDecodeError")

REFUSED: Final = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"})

UNREACHABLE: Final = frozenset(
    {"ConnectionError", "ConnectTimeout", "ReadTimeout", "MaxRetryError", "NewConnectionError"}
)

NOT_FOUND: Final = ("No such artifact", "not found", "does not exist", "No such file", "no run")

NOT_A_MODEL: Final = ('Could not find an "MLmodel"', "MLmodel", "python_function", "while parsing")

# Modules whose package has another name; others are looked up under their own.
PACKAGES: Final = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
