"""What the registry knows of a model URI: which version it means now, its tags and description, and
where its files are.

`resolve` pins aliases, stages and `latest` to a version, so that what is described is what is
loaded. Other URIs (runs, logged models, paths) pass through. Errors are MLflow's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class Registration:
    """`uri` is what to fetch; the rest is empty for models that are not in the registry."""

    uri: str
    name: str | None = None
    version: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    location: str = ""
    """Where the files are: an artifact store, the tracking server, a folder."""


def resolve(uri: str) -> Registration:
    """The registration of `models:/name/…`, or of anything else just its URI and location."""
    if uri.startswith("runs:/"):
        from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository

        return Registration(uri, location=RunsArtifactRepository.get_underlying_uri(uri))
    if not uri.startswith("models:/"):
        return Registration(uri, location=uri)
    from mlflow import MlflowClient
    from mlflow.store.artifact.utils.models import get_model_name_and_version

    client = MlflowClient()
    named = get_model_name_and_version(client, uri)
    if len(named) != 2:  # models:/m-<id>, a logged model outside the registry
        location = client.get_logged_model(named[0]).artifact_location
        return Registration(uri, location=location)
    return _registered(client, *named)


def _registered(client: "MlflowClient", name: str, version: str) -> Registration:
    found = client.get_model_version(name, version)
    registered = client.get_registered_model(name)
    return Registration(
        uri=f"models:/{name}/{version}",
        name=name,
        version=str(version),
        description=found.description or registered.description or None,
        tags={**registered.tags, **found.tags},
        location=client.get_model_version_download_uri(name, version),
    )
