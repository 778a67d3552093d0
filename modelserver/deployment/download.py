"""A model's files brought to this machine, with the login that the server would use.

In: a model's URI, a folder, settings. Out: the folder, which then holds the model and nothing
else. MLflow's own command knows no login at Posit Connect; ours does. What goes wrong with the
model is a `LoadFailed` with advice; a folder that cannot be written is an `OSError`.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from modelserver.attempt import LoadFailed
from modelserver.deployment.environment import set_up
from modelserver.deployment.quiet import quiet
from modelserver.model import explained
from modelserver.registry import resolve
from modelserver.settings import Settings


def download(uri: str, folder: Path, settings: Settings) -> Path:
    """`folder`, new or empty before, with the files of the model at `uri`. Prints nothing."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise LoadFailed(f"{folder.name} is there and not empty; name another folder, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, which gets all of the files or none.
    with quiet(), TemporaryDirectory(dir=folder.parent, prefix=".model-") as temporary:
        files = _fetched(uri, Path(temporary), settings)
        if folder.is_dir():
            folder.rmdir()
        shutil.move(files, folder)
    return folder


def _fetched(uri: str, temporary: Path, settings: Settings) -> Path:
    set_up(settings)
    with explained(replace(settings, model_uri=uri)) as attempt:
        import mlflow

        registration = resolve(uri)
        attempt.step, attempt.location = "fetching", registration.location
        found = Path(mlflow.artifacts.download_artifacts(registration.uri, dst_path=str(temporary)))
        if not (found / "MLmodel").is_file():
            raise FileNotFoundError(f"No such artifact: {uri}")
        return found
