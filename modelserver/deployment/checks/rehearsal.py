"""A rehearsal: the real app, loaded and asked once, from the files that would go to Connect.

In: environment variables and a bundle. Out: a frozen `Rehearsal`. A module or another file that
lies in the project's folder but not in the bundle is missing here as it is there. The app runs in a
process of its own, because a pickle of another Python may end one. Nothing is raised that is the
model's fault, but for that end, which is a `Died`.
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
from modelserver.hosting.settings import unquoted

PERFORMANCE: Final = Path(__file__).with_name("performance.py")

START: Final = (
    "import runpy, sys; sys.path[0] = sys.argv[1]; runpy.run_path(sys.argv[2], run_name='__main__')"
)
"""Runs a file with another folder than its own as the first to import from."""

OF_PATHS: Final = ("_BUNDLE", "_CREDENTIALS", "_DIR", "_FILE", "_PATH", "_URI")
"""How variables end that may name a file or folder."""

PATH: Final = re.compile(r"(sqlite(?:\+\w+)?:///|file:(?://)?|)([^?]+)(.*)", re.S)
"""What stands before a path, the path, and a query."""


class Died(Exception):
    """The process ended before it had answers; the text says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    body: str

    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the app answered. `prediction` is None where there is no example to predict."""

    health: Answer
    prediction: Answer | None = None
    document: Answer | None = None
    rows: int | None = None
    """Rows of the example; None where that cannot be said."""


def rehearse(environment: Mapping[str, str], root: Path, bundle: Bundle) -> Rehearsal:
    """Starts the app of the project in `root` in a process of its own, asks it once its model is
    loaded, and returns the answers. Raises `Died` if the process ends before that."""
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
    """The variables that the rehearsal's process inherits from this one. Left out are those that
    hold only here: PYTHONPATH, and the login that this process registered with MLflow, unless a
    person set it. MLflow's default store is passed on, since it depends on the current folder."""
    import mlflow

    own = {"PYTHONPATH", "MLFLOW_TRACKING_AUTH"} - (environment.keys() - {"PYTHONPATH"})
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return {"MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(), **inherited}


def _from_anywhere(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with absolute paths where they name what is below the current folder."""
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
    """How a process ended; negative codes are signals."""
    try:
        return f"died of {signal.Signals(-code).name}"
    except ValueError:
        return f"ended with exit code {code}"
