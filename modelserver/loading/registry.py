"""What the registry knows of a model URI: version, tags, description, and where its files are.

`resolve` replaces an alias, a stage or `latest` by the version that it means now, so that the model
that is loaded is the one that is described. Other URIs (runs, logged models, paths) are not
changed. Raises MLflow's errors, or `NotRegistered`.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from modelserver.loading.attempt import Attempt
from modelserver.loading.explaining.causes import code_of
from modelserver.loading.tracking import check_store
from modelserver.scoring.mlflow_internals import (
    NO_VERSIONS,
    location_of_run,
    name_and_version,
    says,
)
from modelserver.scoring.model import Registration
from modelserver.types.names import hint, listed, quoted

if TYPE_CHECKING:
    from mlflow import MlflowClient


MOST: Final = 1000
"""The most models or versions that are searched."""

SHOWN: Final = 5
"""The most names, versions or aliases in a message."""


class NotRegistered(LookupError):
    """There is no such model in the registry; the text says what the registry has."""


def find(attempt: Attempt) -> Registration:
    """Looks the attempt's model up, and begins the step of fetching. Raises what `resolve`
    raises."""
    attempt.begin("looking up")
    registration = resolve(attempt.model_uri)
    attempt.location = registration.location
    attempt.begin("fetching")
    return registration


def resolve(uri: str) -> Registration:
    """The registration of `models:/name/…`; for every other URI only the URI and its location.
    Raises `NotRegistered`, or an exception of MLflow."""
    if uri.startswith("runs:/"):
        return Registration(uri, location=location_of_run(uri))
    if not uri.startswith("models:/"):
        return Registration(uri, location=uri)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient()
    try:
        named = name_and_version(client, uri)
        if len(named) == 2:
            return _registered(client, *named)
    except MlflowException as error:
        there = None
        with suppress(MlflowException):  # a user with access to one model may not list others
            there = _what_is_there(client, uri) if _is_unknown(error) else None
        if there is None:
            raise
        raise NotRegistered(there) from error
    # models:/m-<id>, a logged model outside the registry
    return Registration(uri, location=client.get_logged_model(named[0]).artifact_location)


def _is_unknown(error: BaseException) -> bool:
    unknown = code_of(error) in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
    return unknown or says(error, NO_VERSIONS)


def _what_is_there(client: "MlflowClient", uri: str) -> str | None:
    """What the registry has that is similar to the URI, in words; None if the URI names no
    model."""
    found = re.fullmatch(r"models:/+([^/@]+)(?:/([^/]+)|@([^/]+))", uri)
    if found is None:
        return None
    name, suffix, alias = found.groups()
    return _other_names(client, name) or _of_model(client, name, suffix, alias)


def _other_names(client: "MlflowClient", name: str) -> str | None:
    """The names of similar models in the registry, in words; None if it has a model of this
    name."""
    names = [model.name for model in client.search_registered_models(max_results=MOST)]
    if name in names:
        return None
    near = get_close_matches(name, names, SHOWN, 0.4) or names[:SHOWN]
    if near and (meant := hint(name, names)) and meant.remark:
        return f"it has no {quoted(name)}; {meant}"
    return f"it has {listed(near)}" if near else "it has no registered models at all"


def _of_model(client: "MlflowClient", name: str, suffix: str | None, alias: str | None) -> str:
    """The aliases, versions or stages that a model has, in words: those of the sort that the URI
    named."""
    if alias is not None:
        return f"{name} has {_texts('alias', client.get_registered_model(name).aliases)}"
    versions = client.search_model_versions(f"name = '{name}'", max_results=MOST)
    if suffix is not None and suffix.isdigit():
        return f"{name} has {_texts('version', [found.version for found in versions][::-1])}"
    stages = dict.fromkeys(found.current_stage for found in versions)
    return f"the versions of {name} are in {_texts('stage', stages)}"


def _texts(what: str, values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    several = {"alias": "aliases"}.get(what, f"{what}s")
    if not texts:
        return f"no {several}"
    if len(texts) == 1:
        return f"only the {what} {texts[0]}"
    return f"the {several} {', '.join(texts[-SHOWN:])}"


NAMED: Final = re.compile(r"(?!.*\.[a-z]+$)([\w .-]+)(?:[/:@]([\w-]+))?")
"""The name of a model, maybe with a version or an alias; no name of a file."""


def written(word: str) -> str | None:
    """The URI of the registered model that a word names without `models:/`: by the version or alias
    that the word has too, else by an alias, else by the newest version. None if there is none, or
    if the registry cannot be asked."""
    named = NAMED.fullmatch(word)
    if named is None:
        return None
    from mlflow import MlflowClient, get_registry_uri

    with suppress(Exception):  # it is asked for a hint only, after another failure
        check_store(get_registry_uri())
        client, (name, wanted) = MlflowClient(), named.groups()
        aliases = client.get_registered_model(name).aliases
        versions = client.search_model_versions(f"name = '{name}'", max_results=MOST)
        numbers = [int(found.version) for found in versions]
        if wanted in map(str, numbers):
            return f"models:/{name}/{wanted}"
        if aliases:
            return f"models:/{name}@{wanted if wanted in aliases else min(aliases)}"
        return f"models:/{name}/{max(numbers)}"
    return None


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
