"""Checks of the project: its Python, its packages and its bundle, against what the model needs.

In: what the model was saved with, settings, the project's folder. Out: an `Outcome` each.
"""

import platform
from pathlib import Path
from typing import Final

from modelserver.deployment.checks.outcome import Outcome
from modelserver.deployment.checks.python_version import OLDEST, chosen_python, minor
from modelserver.deployment.environment import SavedWith
from modelserver.deployment.files.bundle import Bundle
from modelserver.deployment.files.whole_folder import private, read_folder
from modelserver.deployment.packages.comparison import Comparison, in_file, installed
from modelserver.deployment.packages.floors import missing
from modelserver.deployment.shell import join, new_environment, ours, write_file
from modelserver.deployment.texts import read_text
from modelserver.describing.description import BASE, Description, base_description
from modelserver.describing.document import BaseError
from modelserver.errors import listed, quoted
from modelserver.hosting.settings import Settings

SHOWN: Final = 5
"""Names of files in a line of the report."""


def _compared(comparison: Comparison, saved: SavedWith, advice: str) -> Outcome[None]:
    found = "; ".join(comparison.faults + comparison.doubts)
    if comparison.faults:
        return Outcome("failed", found, comparison.edit or advice)
    if comparison.doubts:
        return Outcome("warning", found, comparison.edit or advice)
    return Outcome("ok", f"the model's {len(saved.packages)} packages")


def check_python(saved: SavedWith, root: Path) -> Outcome[None]:
    """The model's Python is the one that Connect will take, and the one that runs here."""
    here, choice = platform.python_version(), chosen_python(root)
    unsaid = saved.python in (None, "3")
    model = here if unsaid else str(saved.python)
    number = minor(model)
    if number is None or number < OLDEST:
        found = f"the model was saved with {quoted(model)}, the server needs Python 3.{OLDEST} on"
        return Outcome("failed", found, f"log the model again with Python 3.{OLDEST} or newer")
    advice = write_file(".python-version", f"3.{number}")
    if unsaid:
        return Outcome("warning", f"the model does not say which; here is {here}", advice)
    if choice is None or number not in choice.minors:
        says = f"{choice.source} says {choice.text}" if choice else "there is no .python-version"
        return Outcome("failed", f"the model was saved with {model}, {says}", advice)
    if len(choice.minors) > 1:
        found = f"the model was saved with {model}, Connect may take any {choice.text}"
        return Outcome("warning", found, advice)
    if minor(here) != number:
        found = (
            f"the model was saved with {model}, here is {here}; install requirements.txt in an "
            f"environment of Python 3.{number}, and check there"
        )
        return Outcome("warning", found, new_environment(number))
    return Outcome("ok", f"the model {model}, {choice.source} {choice.text}, here {here}")


def check_requirements(saved: SavedWith, settings: Settings, root: Path) -> Outcome[None]:
    """requirements.txt has a line for each package of the model, in its version, and of ours."""
    file = root / "requirements.txt"
    if not file.is_file():
        advice = join(["git", "checkout", "--", file.name])
        return Outcome("failed", f"there is no {file.name}", advice)
    text = read_text(file)
    advice = ours("update", str(settings.model_uri))
    return _compared(in_file(text, saved.packages, missing(text)), saved, advice)


def check_installed(saved: SavedWith, settings: Settings) -> Outcome[None]:
    """This interpreter has the model's packages, in their versions."""
    advice = ours("install", str(settings.model_uri))
    return _compared(installed(saved.packages), saved, advice)


def check_base(root: Path) -> Outcome[Description]:
    """The handwritten half of the OpenAPI document can be read."""
    try:
        base = base_description(root / BASE.name)
    except BaseError as error:
        return Outcome("failed", str(error), f"mend {BASE.name}")
    return Outcome("ok", BASE.name, fact=base)


def check_bundle(bundle: Bundle) -> Outcome[None]:
    """What rsconnect would pack is all that runs, and nothing else."""
    found = f"{len(bundle.sizes)} files, {bundle.size / 1024:.0f} kB"
    if problem := bundle.problem():
        said, advice = problem
        return Outcome("failed", f"{found}; {said}", advice)
    return Outcome("ok", found)


def check_folder(root: Path, bundle: Bundle, command: str) -> Outcome[None]:
    """What `rsconnect deploy fastapi … .` would send without the arguments of `command`."""
    folder = read_folder(root)
    if folder.sizes == bundle.sizes:
        return Outcome("ok", "a bare `.` would send the same files")
    found = (
        f"a bare `.` in the command would send {len(folder.sizes)} files, "
        f"{folder.size / 1024 / 1024:.1f} MB"
    )
    if names := private(folder):
        found += f", with what looks like secrets or data: {listed(names, SHOWN)}"
        return Outcome("warning", found, command)
    return Outcome("ok", found)
