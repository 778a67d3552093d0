"""With which login the tracking server is asked, and what to check if it refuses.

In: the environment, Connect and the tracking URI. Out: one `Login`. A login that the user set for
MLflow is used first. Connect's API key is sent to URLs of Connect only, as rsconnect sends it.
`KeyAuth` adds it: an auth callable for `requests`, which sees the URL of each request and of each
redirect.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from modelserver.hosting.connect import Connect

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

HEADER: Final = "Authorization"

ANYBODY: Final = "whoever asks"


@dataclass(frozen=True, slots=True)
class KeyAuth:
    """Adds Connect's API key to requests to Connect, and to no others."""

    connect: Connect

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        """The request, with the key if it goes to Connect and has no credentials yet."""
        if self.connect.covers(request.url or "") and HEADER not in request.headers:
            request.headers[HEADER] = f"Key {self.connect.api_key}"
            request.register_hook("response", self._guard_redirect)
        return request

    def _guard_redirect(self, response: "Response", **options: Any) -> None:
        """Removes the key before `requests` follows a redirect away from Connect.

        `requests` itself keeps the header for other paths of the host, and from port 80 to 443.
        """
        target = urljoin(response.url, response.headers.get("location", ""))
        if response.is_redirect and not self.connect.covers(target):
            response.request.headers.pop(HEADER, None)


@dataclass(frozen=True, slots=True)
class Login:
    """How the tracking server is asked. `auth` is None if MLflow itself finds the credentials."""

    check: str
    """What to check if the server refuses, as a clause for a message."""
    auth: KeyAuth | None = None
    user: str = ANYBODY
    """Whose permissions count after the server has accepted the login, for a message."""


CONNECT_KEY: Final = (
    "it was asked with CONNECT_API_KEY, for content the key of its owner; check the key, add that "
    "person to the viewers of the tracking server's content, or set MLFLOW_TRACKING_TOKEN"
)

NO_KEY: Final = (
    "it was asked without a login, since there is no CONNECT_API_KEY (Connect gives one to its "
    "content unless automatic API keys are off); set it, or MLFLOW_TRACKING_TOKEN"
)

ELSEWHERE: Final = (
    "it was asked without a login, since it is not on CONNECT_SERVER, whose key goes to no other "
    "server; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
)

NOBODY: Final = (
    "it was asked without a login; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD"
)

IN_URI: Final = (
    "it was asked with the user and password in MLFLOW_TRACKING_URI; check both and that this user "
    "may read the model"
)

# The variables that a user can set for MLflow, in MLflow's own order of precedence.
CHECKS: Final = {
    "MLFLOW_TRACKING_AWS_SIGV4": (
        "it was asked with the AWS login that MLFLOW_TRACKING_AWS_SIGV4 stands for; check that it "
        "may read the model"
    ),
    "MLFLOW_TRACKING_AUTH": (
        "it was asked with the plugin that MLFLOW_TRACKING_AUTH names; check the plugin's settings"
    ),
    "MLFLOW_TRACKING_USERNAME": (
        "it was asked as the user in MLFLOW_TRACKING_USERNAME; check MLFLOW_TRACKING_PASSWORD and "
        "that this user may read the model"
    ),
    "MLFLOW_TRACKING_TOKEN": (
        "it was asked with MLFLOW_TRACKING_TOKEN; check the token and that its owner may read the "
        "model. An API key of Posit Connect belongs in CONNECT_API_KEY, beside CONNECT_SERVER"
    ),
}

USER_IN_URI: Final = "the user in MLFLOW_TRACKING_URI"

USERS: Final = {
    "MLFLOW_TRACKING_USERNAME": "the user in MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_TOKEN": "the owner of MLFLOW_TRACKING_TOKEN",
}

KEY_AS_TOKEN: Final = (
    "it was asked with MLFLOW_TRACKING_TOKEN, which is sent as `Bearer`, but Connect wants its API "
    "keys as `Key`; unset it, CONNECT_SERVER and CONNECT_API_KEY are enough"
)


def choose_login(
    environment: Mapping[str, str], connect: Connect, tracking_uri: str | None
) -> Login:
    """The login for the tracking server at `tracking_uri`."""
    for name, check in CHECKS.items():
        if environment.get(name):
            token = name == "MLFLOW_TRACKING_TOKEN" and connect.covers(tracking_uri or "")
            return Login(KEY_AS_TOKEN if token else check, user=USERS.get(name, ANYBODY))
    if re.match(r"\w+://[^/]*@", tracking_uri or ""):
        return Login(IN_URI, user=USER_IN_URI)
    if connect.covers(tracking_uri or ""):
        return Login(CONNECT_KEY, KeyAuth(connect)) if connect.api_key else Login(NO_KEY)
    return Login(ELSEWHERE if connect.server else NOBODY)
