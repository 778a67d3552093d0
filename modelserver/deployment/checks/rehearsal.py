"""A rehearsal: starts the real app from the files that would go to Connect, and tries it once.

In: environment variables and a bundle. Out: a frozen `Rehearsal`. A file that is in the project's
folder but not in the bundle is missing here, as it would be on Connect. The app runs in its own
process, since a pickle of another Python version may crash it; that raises `Died`. Other faults of
the model are in the answers.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from modelserver.deployment.bundle import Bundle
from modelserver.hosting.variables import unquoted

PERFORMANCE: Final = Path(__file__).with_name("performance.py")

START: Final = (
    "import runpy, sys; sys.path[0] = sys.argv[1]; runpy.run_path(sys.argv[2], run_name='__main__')"
)
"""Python code that runs a file, but imports first from another folder than the file's."""

OF_PATHS: Final = ("_BUNDLE", "_CREDENTIALS", "_DIR", "_FILE", "_PATH", "_URI")
"""The endings of the names of variables that may hold a path."""

PATH: Final = re.compile(r"(sqlite(?:\+\w+)?:///|file:(?://)?|)([^?]+)(.*)", re.S)
"""The scheme before a path, the path, and the query after it."""


class Died(Exception):
    """The app's process ended before it had answered; the text says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the app."""

    status: int
    body: str

    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the app answered. `prediction` is None if there is no example to predict."""

    health: Answer
    prediction: Answer | None = None
    document: Answer | None = None
    rows: int | None = None
    """The number of rows of the example; None if unknown."""


def rehearse(environment: Mapping[str, str], root: Path, bundle: Bundle) -> Rehearsal:
    """Starts the app of the project in `root` in its own process, sends it requests when its model
    is loaded, and returns the answers. Raises `Died` if the process ends before that."""
    with TemporaryDirectory(prefix="bundle-") as folder:
        for path in bundle.sizes:
            copy = Path(folder) / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, copy)
        answers = Path(folder) / "answers.json"
        code = subprocess.run(
            [sys.executable, "-c", START, folder, str(PERFORMANCE), str(answers)],
            input=json.dumps(_from_anywhere(environment)).encode(),
            env=_from_anywhere(_inherited(environment)),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
        if code:
            raise Died(_end(code))
        read = json.loads(answers.read_text(encoding="utf-8"))
    rows = read.pop("rows", None)
    return Rehearsal(**{name: Answer(**answer) for name, answer in read.items()}, rows=rows)


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the rehearsal's process inherits from this one. Those that are valid only
    here are left out: PYTHONPATH, and MLFLOW_TRACKING_AUTH if this process set it. The URI of
    MLflow's default store is added, since it depends on the current folder."""
    import mlflow

    own = {"PYTHONPATH", "MLFLOW_TRACKING_AUTH"} - (environment.keys() - {"PYTHONPATH"})
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return {"MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(), **inherited}


def _from_anywhere(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables, in which relative paths of existing files are made absolute."""
    return {
        name: _absolute(value) if name.endswith(OF_PATHS) else value
        for name, value in environment.items()
    }


def _absolute(value: str) -> str:
    found = PATH.fullmatch(unquoted(value))
    if found is None or not os.path.exists(found[2]):
        return value
    return f"{found[1]}{os.path.abspath(found[2])}{found[3]}"


def _end(code: int) -> str:
    """How a process ended, in words. A negative exit code is a signal."""
    try:
        return f"died of {signal.Signals(-code).name}"
    except ValueError:
        return f"ended with exit code {code}"
