"""What an exception means by its type, code and status, whichever library raised it.

In: an exception. Out: facts. The libraries need not be installed: their exceptions are recognised
by name.
"""

import errno
from collections.abc import Iterator
from typing import Any, Final

from modelserver.scoring.mlflow_internals import (
    CUT_OFF,
    FOREIGN_HOST,
    NO_CONNECTION,
    NO_JSON,
    NO_SPACE,
    REDIRECTS,
    says,
    status_in,
)

UNREACHABLE: Final = frozenset(
    {
        "ConnectTimeout", "ConnectTimeoutError", "ConnectionError", "EndpointConnectionError",
        "MaxRetryError", "NewConnectionError", "ReadTimeout", "ReadTimeoutError",
        "ServiceRequestError", "TransportError", "gaierror",
    }
)  # fmt: skip
"""Exceptions of requests, urllib3, botocore, Azure and Google: a server cannot be reached."""

LOGIN_ERRORS: Final = frozenset(
    {
        "AzureSigningError", "ClientAuthenticationError", "DefaultCredentialsError",
        "InvalidOperation", "NoCredentialsError",
        "PartialCredentialsError", "ProfileNotFound", "RefreshError", "TokenRetrievalError",
    }
)  # fmt: skip
"""Exceptions of botocore, Azure and Google: there are no credentials, or they were refused."""

WRONG_LOGIN: Final = (
    "AuthenticationFailed", "InvalidAccessKeyId", "InvalidAuthenticationInfo",
    "InvalidToken", "SignatureDoesNotMatch",
)  # fmt: skip
"""Codes of S3 and Azure for a wrong login; their status may be 403."""

EXPIRED: Final = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
"""Codes of S3 for a login that has expired."""

OTHER_REGION: Final = (
    "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
    "PermanentRedirect", "TemporaryRedirect",
)  # fmt: skip
"""Codes of S3 for a bucket in another region."""

NO_JSON_ERROR: Final = ("requests.exceptions", "JSONDecodeError")

STATUS_OF_CODES: Final = {
    "CUSTOMER_UNAUTHORIZED": 401,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
}
"""The HTTP statuses that MLflow's error codes stand for."""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its cause, the cause of that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def code_of(error: BaseException) -> str:
    """MLflow's error code; empty for other exceptions."""
    return str(getattr(error, "error_code", ""))


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an exception has, or that its code or text stands for; None if
    unknown."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        response = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    numbers = (getattr(response, "status_code", response), getattr(error, "status_code", None))
    for number in (*numbers, getattr(error, "code", None)):
        if isinstance(number, int):
            return int(number)
    return STATUS_OF_CODES.get(code_of(error)) or status_in(error)


def is_unreachable(error: BaseException) -> bool:
    """Whether the server could not be reached."""
    of_python = isinstance(error, ConnectionError | TimeoutError)
    return of_python or type(error).__name__ in UNREACHABLE or says(error, NO_CONNECTION)


def is_cut_off(error: BaseException) -> bool:
    """Whether an answer ended before its end."""
    return type(error).__name__ == "ChunkedEncodingError" or says(error, CUT_OFF)


def is_sent_on(error: BaseException) -> bool:
    """Whether the server redirected without end."""
    return type(error).__name__ == "TooManyRedirects" or bool(REDIRECTS.search(str(error)))


def is_page(error: BaseException) -> bool:
    """Whether the answer was a web page and no JSON, for example a login page."""
    named = (type(error).__module__, type(error).__name__)
    return named == NO_JSON_ERROR or says(error, NO_JSON)


def is_foreign_host(error: BaseException) -> bool:
    """Whether a tracking server refused the host name by which it was called."""
    answer = getattr(getattr(error, "response", None), "text", "")
    return says(error, FOREIGN_HOST) or FOREIGN_HOST in answer


def lacks_login(error: BaseException) -> bool:
    """Whether there were no credentials, or they were refused."""
    return type(error).__name__ in LOGIN_ERRORS or _store_code(error) in WRONG_LOGIN


def is_expired(error: BaseException) -> bool:
    """Whether the credentials for a store have expired."""
    return _store_code(error) in EXPIRED


def is_elsewhere(error: BaseException) -> bool:
    """Whether S3 has the bucket in another region. Some servers then redirect without end, and a
    RecursionError is raised."""
    return isinstance(error, RecursionError) or _store_code(error) in OTHER_REGION


def _store_code(error: BaseException) -> Any:
    """The error code of a store: botocore has it in the answer, Azure in `error_code`."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response.get("Error", {}).get("Code")
    return getattr(error, "error_code", None)


def is_of_database(error: BaseException) -> bool:
    """Whether the exception comes from a database, or from a file that should be one."""
    return any(
        kind.__module__.partition(".")[0] in ("sqlalchemy", "sqlite3")
        for kind in type(error).__mro__
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk is full, or a quota is used up."""
    number = error.errno if isinstance(error, OSError) else None
    return number in (errno.ENOSPC, errno.EDQUOT) or says(error, NO_SPACE)
