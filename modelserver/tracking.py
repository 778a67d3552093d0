"""MLflow set up for this process: which tracking server, how patiently.

In: settings. MLflow keeps all of it for the whole process, partly in environment variables, so it
is set once more whenever a model is loaded.
"""

from modelserver.settings import Settings


def set_mlflow_up(settings: Settings) -> None:
    """Makes MLflow's next calls go where `settings` say."""
    import mlflow
    from mlflow import environment_variables as variables

    # MLflow retries for minutes in silence; here the whole load is retried, and says so.
    if variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.get_raw() is None:
        variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(2)
    # Models typed by hints take ISO dates and base64 only when MLflow thinks that it serves.
    variables._MLFLOW_IS_IN_SERVING_ENVIRONMENT.set("true")
    if settings.tracking_uri:
        mlflow.set_tracking_uri(settings.tracking_uri)
