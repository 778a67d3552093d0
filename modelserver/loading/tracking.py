"""MLflow set up for this process: which tracking server, with which login, how patiently.

In: settings. MLflow keeps all of it for the whole process, partly in environment variables, so it
is set once more whenever a model is loaded. The registry follows the tracking server, unless
`MLFLOW_REGISTRY_URI` says otherwise.
"""

from dataclasses import dataclass
from functools import cache

from modelserver.hosting.login import KeyAuth
from modelserver.hosting.settings import Settings
from modelserver.scoring.mlflow_internals import auth_providers, take_texts_for_values


@dataclass(frozen=True, slots=True)
class AuthProvider:
    """What MLflow's registry of request auth holds: a name, and the auth that it stands for."""

    name: str
    auth: KeyAuth

    def get_name(self) -> str:
        """The value of `MLFLOW_TRACKING_AUTH` that chooses this provider."""
        return self.name

    def get_auth(self) -> KeyAuth:
        """Called by MLflow for each request."""
        return self.auth


def set_mlflow_up(settings: Settings) -> None:
    """Makes MLflow ask the server in `settings` with the login in `settings`, for a process that
    serves."""
    from mlflow import environment_variables as variables

    # MLflow retries for minutes in silence; here the whole load is retried, and says so.
    if variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.get_raw() is None:
        variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(2)
    take_texts_for_values()
    log_in(settings)


def log_in(settings: Settings) -> None:
    """Only the server and the login: for programs that do other things with MLflow than to serve a
    model."""
    import mlflow
    from mlflow import environment_variables as variables

    if settings.tracking_uri:
        mlflow.set_tracking_uri(settings.tracking_uri)
    if settings.login.auth:
        variables.MLFLOW_TRACKING_AUTH.set(_registered(settings.login.auth))


@cache
def _registered(auth: KeyAuth) -> str:
    """The name under which MLflow finds `auth`, which is registered once."""
    providers = auth_providers()
    name = f"posit-connect-{len(list(providers))}"
    providers.register(lambda: AuthProvider(name, auth))
    return name
