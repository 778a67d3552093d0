"""What a model was saved with: its packages and its Python, read from the small files beside it.

In: a model's URI. Out: `SavedWith`. Only the small files that say it are downloaded, never the
model's weights. Every failure raises `LoadFailed` with advice.
"""

import contextlib
import io
import logging
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from modelserver.deployment.command_line import set_variable
from modelserver.deployment.packages.cautions import Caution
from modelserver.deployment.packages.conda import conda_python, read_conda
from modelserver.deployment.packages.floors import raised
from modelserver.deployment.packages.lines import Line, read_line, read_lines
from modelserver.deployment.texts import NoText, read_text
from modelserver.hosting.settings import Settings, read_settings
from modelserver.loading.attempt import LoadFailed, local_path, public_uri
from modelserver.loading.importing import import_mlflow
from modelserver.loading.loader import explained
from modelserver.loading.registry import find, written
from modelserver.loading.stores import store_of
from modelserver.loading.tracking import set_mlflow_up
from modelserver.scoring.mlflow_internals import artifact_repository, gone
from modelserver.scoring.model import Registration
from modelserver.types.names import listed

FILES: Final = (
    "MLmodel",
    "requirements.txt",
    "constraints.txt",
    "conda.yaml",
    "python_env.yaml",
    "wheels",  # packages that were logged with the model; its requirements.txt names them
)

SHOWN: Final = 10
"""The most names in a message."""

HASH: Final = re.compile(r"\s+--hash[ =]\S+|^--require-hashes$")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """A context in which nothing is printed, neither by `print` nor by `logging` or `warnings`."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@dataclass(frozen=True, slots=True)
class SavedWith:
    """A model's environment. `python` is None and `packages` is empty if the model names none."""

    folder: Path
    packages: tuple[Line, ...]
    """Lines of a requirements file, including the model's constraints. The line for MLflow has a
    version that can serve the model, which may be newer than the model's."""
    python: str | None
    flavors: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    """Packages that the model gets from conda and that PyPI may not have."""


def open_store(settings: Settings) -> str:
    """Asks the tracking server for one experiment, to find out whether it answers. Returns the
    server's URI as it may be shown. Raises `LoadFailed` with advice."""
    set_up(settings)
    import mlflow

    with explained(settings):
        mlflow.MlflowClient().search_experiments(max_results=1)
    return public_uri(mlflow.get_tracking_uri())


def registered(word: str, environment: Mapping[str, str]) -> str | None:
    """The URI of the registered model that a word names without its scheme; None if there is none,
    or if the registry cannot be asked."""
    with quiet(), contextlib.suppress(Exception):  # another fault is told, and this is a hint
        set_up(read_settings(environment))
        return written(word)
    return None


def inspect_model(settings: Settings, folder: Path) -> tuple[Registration, SavedWith]:
    """Looks the model up and reads what it was saved with. Its `FILES` are downloaded to `folder`,
    unless the model is a folder on this machine. Raises `LoadFailed`."""
    assert settings.model_uri is not None
    set_up(settings)
    with explained(settings) as attempt:
        registration = find(attempt)
        if local := local_path(registration.uri):
            return registration, read_environment(local)
        _fetch_files(registration.uri, folder)
        return registration, _with_store(read_environment(folder), registration.location)


def advice_on_connect(environment: Mapping[str, str]) -> str:
    """Further advice if a model is not found: the tracking server is often on Connect too. Empty if
    that does not apply."""
    server = environment.get("CONNECT_SERVER", "").rstrip("/")
    if not server or environment.get("MLFLOW_TRACKING_URI"):
        return ""
    command = set_variable("MLFLOW_TRACKING_URI", f"{public_uri(server)}/mlflow")
    return f". If it is on your Connect: {command}"


def of_conda(saved: SavedWith) -> Caution | None:
    """The caution if a model has only a conda.yaml, and pip cannot install all of it; otherwise
    None."""
    if not saved.left_out:
        return None
    return Caution(
        f"its conda.yaml also asks conda for {listed(saved.left_out, SHOWN)}",
        "add lines to requirements.txt for those that the model imports",
    )


def _with_store(saved: SavedWith, location: str) -> SavedWith:
    """Adds lines for the packages that the server needs to read files from the artifact store at
    `location`."""
    store, named = store_of(location), {line.name for line in saved.packages}
    lines = [read_line(name) for name in (store.packages if store else ()) if name not in named]
    return replace(saved, packages=(*saved.packages, *lines))


def set_up(settings: Settings) -> None:
    """Sets MLflow up for a command. Since a person waits for the command, a server that does not
    answer is reported after seconds and not after minutes."""
    import_mlflow()
    from mlflow import environment_variables as variables

    patience = {
        variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES: 1,
        variables.MLFLOW_HTTP_REQUEST_TIMEOUT: 20,
    }
    for variable, value in patience.items():
        if variable.get_raw() is None:
            variable.set(value)
    set_mlflow_up(settings)


def _fetch_files(uri: str, folder: Path) -> None:
    repository = artifact_repository(uri)
    names = {PurePosixPath(file.path).name for file in repository.list_artifacts("")}
    if "MLmodel" not in names:
        raise gone(uri)
    for name in FILES:
        if name in names:
            # A copy, since a local store returns its own file.
            shutil.copyfile(repository.download_artifacts(name), folder / name)


def read_environment(folder: Path) -> SavedWith:
    """What the files in `folder` say. Raises `LoadFailed` if one cannot be read."""
    conda = _yaml(folder / "conda.yaml")
    # This loader reads all values as texts; as a number, 3.10 would become 3.1.
    python = _mapping(_yaml(folder / "python_env.yaml", yaml.BaseLoader)).get("python")
    text = _text(folder / "requirements.txt")
    left_out: tuple[str, ...] = ()
    if text is not None:
        lines = tuple(_constrained(text, folder))
    else:
        asked = read_conda(conda)
        lines, left_out = asked.lines, asked.left_out
    return SavedWith(
        folder=folder,
        packages=tuple(raised(_without_hashes(line)) for line in lines),
        python=python if python and isinstance(python, str) else conda_python(conda),
        flavors=_mapping(_mapping(_yaml(folder / "MLmodel")).get("flavors")),
        left_out=left_out,
    )


def _without_hashes(line: Line) -> Line:
    """The line without its hashes. If one line of a file has hashes, pip requires them for all
    lines, and ours have none."""
    return read_line(HASH.sub("", line.content)) if HASH.search(line.content) else line


def _constrained(text: str, folder: Path) -> Iterator[Line]:
    """The lines of a requirements file. A line that names a constraints file is replaced by the
    lines of that file, as requirements, since the lines will be merged into another file."""
    for line in read_lines(text):
        named = re.match(r"(?:-c|--constraint)[ =]+(\S+)", line.content)
        constraints = _text(folder / Path(named[1]).name) if named else None
        yield from read_lines(constraints) if constraints is not None else [line]


def _yaml(file: Path, loader: type[yaml.SafeLoader | yaml.BaseLoader] = yaml.SafeLoader) -> Any:
    text = _text(file)
    try:
        return yaml.load(text, loader) if text else None
    except yaml.YAMLError as error:
        raise LoadFailed(
            f"the model's {file.name} cannot be read as YAML; log the model again"
        ) from error


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(file: Path) -> str | None:
    try:
        return read_text(file) if file.is_file() else None
    except NoText as error:
        raise LoadFailed(
            f"the model's {error}; save it as UTF-8, or log the model again"
        ) from error
