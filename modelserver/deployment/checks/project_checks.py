"""Checks of the project: its Python, its packages and its bundle, against what the model needs.

In: what the model was saved with, settings, the project's folder. Out: an `Outcome` from each
check. rsconnect's rules say which Python Posit Connect takes: `.python-version` is read before
`requires-python`, and only the first two numbers of a plain version count.
"""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from modelserver.deployment.bundle import Bundle
from modelserver.deployment.checks.report import Outcome, Status
from modelserver.deployment.command_line import (
    join,
    new_environment,
    ours,
    write_file,
)
from modelserver.deployment.environment import SavedWith
from modelserver.deployment.packages.comparison import Comparison, in_file, installed
from modelserver.deployment.packages.floors import missing
from modelserver.deployment.servers import no_server, saved_servers, with_server
from modelserver.deployment.texts import read_text
from modelserver.deployment.whole_folder import private, read_folder, secrets
from modelserver.describing.description import BASE, Description, base_description
from modelserver.describing.document import BaseError
from modelserver.hosting.settings import Settings
from modelserver.loading.attempt import public_uri
from modelserver.types.names import listed, quoted

SOURCES: Final = {
    ".python-version": re.compile(r"^\s*([^\s#].*?)\s*$", re.M),
    "pyproject.toml": re.compile(r"""^requires-python\s*=\s*["']([^"']*)["']""", re.M),
}
"""The files that may name the version of Python, in the order in which they count, and the pattern
that finds it."""

MINORS: Final = range(30)

OLDEST: Final = 10
"""The lowest minor version of Python 3 that the server runs with."""

INSTALL: Final = "pip install rsconnect-python"

SHOWN: Final = 5
"""The most names of files in a line of the report."""


@dataclass(frozen=True, slots=True)
class PythonChoice:
    """The version of Python that the project asks for: in which file, in which words, and which
    minor versions of Python 3 these allow."""

    source: str
    text: str
    minors: frozenset[int]


def chosen_python(root: Path) -> PythonChoice | None:
    """The version that the project in `root` asks for; None if it names none that can be read."""
    for source, pattern in SOURCES.items():
        file = root / source
        found = pattern.search(read_text(file)) if file.is_file() else None
        if found:
            return PythonChoice(source, found[1], _minors(found[1]))
    return None


def minor(version: str) -> int | None:
    """The second number of a version such as 3.11.7; None if it is no version of Python 3."""
    found = re.match(r"3\.(\d+)(?!\d)", version)
    return int(found[1]) if found else None


def _minors(text: str) -> frozenset[int]:
    plain = re.fullmatch(r"\d+(\.\d+)*", text)
    try:
        specifier = SpecifierSet(f"~={'.'.join(text.split('.')[:2])}.0" if plain else text)
    except InvalidSpecifier:  # rsconnect ignores such a line
        return frozenset()
    return frozenset(
        number
        for number in MINORS
        if any(specifier.contains(f"3.{number}.{patch}") for patch in (0, 99))
    )


def _compared(comparison: Comparison, saved: SavedWith, advice: str) -> Outcome[None]:
    found = "; ".join(comparison.faults + comparison.doubts)
    if comparison.faults:
        return Outcome("failed", found, comparison.edit or advice)
    if comparison.doubts:
        return Outcome("warning", found, comparison.edit or advice)
    return Outcome("ok", f"the model's {len(saved.packages)} packages")


def check_python(saved: SavedWith, root: Path) -> Outcome[None]:
    """Checks that the model's Python is the one that Connect will take, and the one that runs
    here."""
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
    """Checks that requirements.txt has a line for each package of the model, with its version, and
    for each package of the server."""
    file = root / "requirements.txt"
    if not file.is_file():
        advice = join(["git", "checkout", "--", file.name])
        return Outcome("failed", f"there is no {file.name}", advice)
    text = read_text(file)
    advice = ours("update", str(settings.model_uri))
    return _compared(in_file(text, saved.packages, missing(text)), saved, advice)


def check_installed(saved: SavedWith, settings: Settings) -> Outcome[None]:
    """Checks that the model's packages are installed here, in the model's versions."""
    advice = ours("install", str(settings.model_uri))
    return _compared(installed(saved.packages), saved, advice)


def check_base(root: Path) -> Outcome[Description]:
    """Checks that the handwritten base of the OpenAPI document can be read."""
    try:
        base = base_description(root / BASE.name)
    except BaseError as error:
        return Outcome("failed", str(error), f"mend {BASE.name}")
    return Outcome("ok", BASE.name, fact=base)


def check_bundle(bundle: Bundle) -> Outcome[None]:
    """Checks that rsconnect would pack all files that run, and no others."""
    found = f"{len(bundle.sizes)} files, {bundle.size / 1024:.0f} kB"
    if problem := bundle.problem():
        said, advice = problem
        return Outcome("failed", f"{found}; {said}", advice)
    return Outcome("ok", found)


def check_folder(root: Path, bundle: Bundle, command: str) -> Outcome[None]:
    """Tells what `rsconnect deploy fastapi … .` would send without the arguments of `command`, and
    warns if secrets are among it."""
    folder = read_folder(root)
    if folder.sizes == bundle.sizes:
        return Outcome("ok", "a bare `.` would send the same files")
    found = (
        f"a bare `.` in the command would send {len(folder.sizes)} files, "
        f"{folder.size / 1024 / 1024:.1f} MB"
    )
    if names := private(folder):
        found += f", with what looks like secrets or data: {listed(names, SHOWN)}"
    return Outcome("warning", found, command) if secrets(folder) else Outcome("ok", found)


def check_rsconnect(environment: Mapping[str, str], root: Path) -> Outcome[None]:
    """Checks that rsconnect, which `deploy` calls, is installed and knows a server. Whoever has a
    manifest.json publishes from git and needs neither."""
    fault: Status = "warning" if (root / "manifest.json").is_file() else "failed"
    try:
        problem, saved = no_server(environment), saved_servers(environment)
    except ImportError:
        return Outcome(fault, "it is not installed here, and deploy needs it", INSTALL)
    if problem:
        return Outcome(fault, *problem)
    if server := with_server(environment).get("CONNECT_SERVER"):
        return Outcome("ok", f"deploys to {public_uri(server)}")
    return Outcome("ok", f"knows {listed(server['name'] for server in saved)}")
