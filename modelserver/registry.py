"""What the registry knows of a model URI: which version it means now, its tags and description.

`resolve` pins aliases, stages and `latest` to a version, so that what is described is what is
loaded. Other URIs (runs, logged models, paths) pass through. Errors are MLflow's.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """`uri` is what to fetch; the rest is empty for models that are not in the registry."""

    uri: str
    name: str | None = None
    version: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def resolve(uri: str) -> Registration:
    """The registration of `models:/name/…`, or of anything else just its URI."""
    if not uri.startswith("models:/"):
        return Registration(uri)
    from mlflow import MlflowClient
    from mlflow.store.artifact.utils.models import get_model_name_and_version

    client = MlflowClient()
    named = get_model_name_and_version(client, uri)
    if len(named) != 2:
        return Registration(uri)  # models:/m-<id>, a logged model outside the registry
    name, version = named
    found = client.get_model_version(name, version)
    registered = client.get_registered_model(name)
    return Registration(
        uri=f"models:/{name}/{version}",
        name=name,
        version=str(version),
        description=found.description or registered.description or None,
        tags={**registered.tags, **found.tags},
    )
