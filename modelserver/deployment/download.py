"""`python main.py download`: a model's files, with the login that the server would use.

In: a command line, environment variables. Out: an exit code, and a folder with the model's files
and nothing else. Unlike MLflow's own command, this one can log in at Posit Connect.
"""

import argparse
import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from modelserver.deployment.command_line import NO_MODEL, complain, model_and_files, with_model
from modelserver.deployment.environment import advice_on_connect, quiet, set_up
from modelserver.hosting.settings import Settings, read_settings
from modelserver.hosting.variables import SettingsError
from modelserver.loading.attempt import LoadFailed
from modelserver.loading.loader import explained
from modelserver.loading.registry import find
from modelserver.scoring.mlflow_internals import gone

PROGRAM: Final = "main.py download"

DEFAULT_FOLDER: Final = "model_artifacts"

NOT_EMPTY: Final = "it is there and not empty; name another folder, or remove it"

DESCRIPTION: Final = (
    "Downloads a model's files, as `mlflow artifacts download` does, but with the server's login: "
    "at Posit Connect with CONNECT_API_KEY."
)

TARGETS: Final = (
    f"the model, by default that of MODEL_URI; a new folder, by default {DEFAULT_FOLDER}"
)


def download(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Downloads the model to a folder, and returns the exit code."""
    options = _parser().parse_args(arguments)
    model, folders = model_and_files(options.target)
    folder = Path(*folders[:1] or [DEFAULT_FOLDER])
    if len(folders) > 1:
        return complain(PROGRAM, f"{folders[1]} is one folder too many; see --help")
    try:
        settings = read_settings(with_model(environment, model))
        if settings.model_uri is None:
            taken = f"{folders[0]} was taken for the folder; " if folders else ""
            return complain(PROGRAM, f"{taken}{NO_MODEL}")
        fetch_model(settings.model_uri, folder, settings)
    except SettingsError as error:
        return complain(PROGRAM, str(error))
    except LoadFailed as error:
        return complain(PROGRAM, f"{error}{advice_on_connect(environment)}")
    except OSError as error:
        return complain(PROGRAM, f"{folder}: {error.strerror}")
    print(f"{folder} has the model's files")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s [model-uri] [folder]",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("target", nargs="*", metavar="model-uri, folder", help=TARGETS)
    return parser


def fetch_model(uri: str, folder: Path, settings: Settings) -> Path:
    """Downloads the files of the model at `uri` to `folder`, which must be new or empty, and
    returns the folder. Prints nothing.

    Raises `LoadFailed` with advice, or `OSError` if the folder is not empty or not writable.
    """
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(errno.EEXIST, NOT_EMPTY)
    target = folder.resolve()  # `.` has no parent
    target.parent.mkdir(parents=True, exist_ok=True)
    # First to a folder beside it, so that the target gets either all of the files or none.
    with quiet(), TemporaryDirectory(dir=target.parent, prefix=".model-") as temporary:
        files = _fetched(uri, Path(temporary), settings)
        target.mkdir(exist_ok=True)
        for file in files.iterdir():
            shutil.move(file, target)
    return folder


def _fetched(uri: str, temporary: Path, settings: Settings) -> Path:
    set_up(settings)
    with explained(replace(settings, model_uri=uri)) as attempt:
        import mlflow

        registration = find(attempt)
        found = Path(mlflow.artifacts.download_artifacts(registration.uri, dst_path=str(temporary)))
        if not (found / "MLmodel").is_file():
            raise gone(uri)
        return found
