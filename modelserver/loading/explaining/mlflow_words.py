"""What MLflow says in words only: where its exceptions have neither a type nor a code that tells.

In: the text of an exception. Out: what it means, or None. The texts are those of MLflow 2.20 to
3.18; the tests make the installed version raise each of them.
"""

import re
from typing import Final

NO_JSON: Final = "not in a valid JSON format"
"""The server answered a call of the REST API with something else, as a login page is."""

BAD_URI: Final = ("Not a proper ", "Could not find a registered artifact repository")
"""A URI that cannot be read, or whose scheme nothing stands for."""

NO_ENDPOINT: Final = "error code 404 !="
"""The server has no such call: it answered 404, and not in JSON."""

GONE: Final = ("No such artifact", "No such file or directory", "Failed to download artifacts from")
"""Files that could not be downloaded since they are not there. Of use while fetching only."""

NO_VERSIONS: Final = "No versions of model with name"
"""No version is in the stage, or there is no version at all."""

NO_LOGIN: Final = ("Reading Databricks credential", "Failed to get credentials for DBFS")
"""Databricks was asked without a login."""

FOREIGN_HOST: Final = "Invalid Host header"
"""MLflow 3.5 or newer was asked by a name of its machine that it was not told of."""

OLD_STORE: Final = "filesystem tracking backend"
"""A folder of files as the tracking store, which MLflow 3.13 and newer do not read."""

UNKNOWN_STORE: Final = "got unsupported URI"
"""Of the tracking server or the registry: nothing stands for the scheme."""

SETTING: Final = re.compile(r"\b(?:MLFLOW|DATABRICKS)_[A-Z_]+")
"""In a ValueError of MLflow: a variable whose value it cannot read."""

BAD_ENDPOINT: Final = "Invalid endpoint"
"""Of botocore: the address of S3 cannot be read."""

NO_HADOOP: Final = ("libjvm", "libhdfs", "HADOOP_HOME", "'hadoop'")
"""Of pyarrow, which finds neither Java nor Hadoop on this machine."""

NO_SPACE: Final = "No space left on device"
"""Of the system, in MLflow's list of downloads that failed."""

NO_AUTHORITIES: Final = "Could not find a suitable TLS CA certificate bundle"
"""Of requests: a setting names a file that is not there."""

RESPONSE: Final = "Response body"
"""What a server answered follows, which may be a page of any content."""

STATUS: Final = re.compile(
    r"error code (\d{3})\b|too many (\d{3}) error responses|"
    r"An error occurred \((\d{3})\)|\b(\d{3}) (?:Client|Server) Error:"
)
"""A status of HTTP: of the REST API, after retries, of S3, of proxied artifacts."""


def says(error: BaseException, *words: str) -> bool:
    """Whether one of `words` is in the exception's text."""
    text = str(error)
    return any(word in text for word in words)


def status_in(error: BaseException) -> int | None:
    """The status of HTTP that the exception's text tells."""
    found = STATUS.search(str(error))
    return int(next(filter(None, found.groups()))) if found else None


def setting_in(error: BaseException) -> str | None:
    """The variable whose value MLflow could not read."""
    found = SETTING.search(str(error)) if type(error) is ValueError else None
    return found[0] if found else None
