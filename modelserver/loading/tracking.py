"""MLflow's settings for this process: which tracking server, with which login, how many retries.

In: settings. MLflow keeps them for the whole process, partly in environment variables, so they are
set again whenever a model is loaded. The registry is on the tracking server, unless
`MLFLOW_REGISTRY_URI` names another one.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from modelserver.hosting.login import KeyAuth
from modelserver.hosting.settings import Settings
from modelserver.loading.attempt import LoadFailed, public_uri
from modelserver.scoring.mlflow_internals import auth_providers, take_texts_for_values


@dataclass(frozen=True, slots=True)
class AuthProvider:
    """An entry of MLflow's registry of auth providers: a name, and the auth that it stands for."""

    name: str
    auth: KeyAuth

    def get_name(self) -> str:
        """The value of `MLFLOW_TRACKING_AUTH` that chooses this provider."""
        return self.name

    def get_auth(self) -> KeyAuth:
        """The auth callable. MLflow asks for it with each request."""
        return self.auth


def set_mlflow_up(settings: Settings) -> None:
    """Sets MLflow up for a process that serves a model: the tracking server and login in
    `settings`, and few retries."""
    from mlflow import environment_variables as variables

    # MLflow retries silently for minutes; `lifecycle` retries the whole load, and logs it.
    if variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.get_raw() is None:
        variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(2)
    take_texts_for_values()
    log_in(settings)


def check_store(uri: str) -> None:
    """Raises `LoadFailed` if the tracking store at `uri` is a file of SQLite that is not there.
    MLflow would make a store without models, and two processes that do so at once spoil it."""
    file = Path(uri.removeprefix(SQLITE).partition("?")[0])
    if uri.startswith(SQLITE) and not file.exists():
        raise LoadFailed(
            f"there is no MLflow store {public_uri(uri)}; set MLFLOW_TRACKING_URI to the tracking "
            "server or the store that has the model",
            "later",
        )


SQLITE: Final = "sqlite:///"


def log_in(settings: Settings) -> None:
    """Sets only the tracking server and the login, for commands that do not serve a model."""
    import mlflow
    from mlflow import environment_variables as variables

    if settings.tracking_uri:
        mlflow.set_tracking_uri(settings.tracking_uri)
    if settings.login.auth:
        variables.MLFLOW_TRACKING_AUTH.set(_registered(settings.login.auth))


@cache
def _registered(auth: KeyAuth) -> str:
    """The name under which MLflow finds `auth`. The first call registers it."""
    providers = auth_providers()
    name = f"posit-connect-{len(list(providers))}"
    providers.register(lambda: AuthProvider(name, auth))
    return name
