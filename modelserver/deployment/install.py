"""`python main.py install` and `update`: installs a model's packages, or merges them into a file.

In: command line and environment. Out: an exit code: 0; 1 with one clear line on stderr; or 2 for a
wrong command line. The requirements file is replaced in one step or not at all.
"""

import argparse
import difflib
import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from modelserver.deployment.command_line import NO_MODEL, ROOT, complain, join
from modelserver.deployment.environment import advice_on_connect, inspect_model, of_conda, quiet
from modelserver.deployment.packages.cautions import cautions
from modelserver.deployment.packages.floors import ALIASES, skinny, with_own
from modelserver.deployment.packages.lines import Line
from modelserver.deployment.packages.matches import quoted_lines
from modelserver.deployment.packages.merging import Conflict, differences, merge
from modelserver.deployment.texts import NoText, decode, read_text
from modelserver.hosting.settings import read_settings
from modelserver.hosting.variables import SettingsError
from modelserver.loading.attempt import LoadFailed, public_uri
from modelserver.types.names import quoted

OURS: Final = ROOT / "requirements.txt"

INSTALL: Final = "main.py install"
UPDATE: Final = "main.py update"

USAGE: Final = {
    INSTALL: "%(prog)s [--skinny] [--dry-run] [--verbose] [model-uri]",
    UPDATE: "%(prog)s [requirements.txt] [--skinny] [--dry-run] [model-uri]",
}

DESCRIPTION: Final = {
    INSTALL: """\
Installs the packages that an MLflow model was saved with into the current Python environment; the
command update (install_model_deps.sh --update) writes them into requirements.txt instead.
""",
    UPDATE: """\
Merges the packages that an MLflow model was saved with into requirements.txt, by default the
server's own, in a block that the next update replaces.
""",
}

FOUND: Final = """\
The model is found as the server finds it: by MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN and
whatever else MLflow reads; without a URI, MODEL_URI names it."""

VERBOSE: Final = "all that pip says, as it says it"

DONE: Final = ("Successfully installed ", "Would install ")
"""The beginnings of pip's line about what it has done, or would do."""

SKINNY: Final = "mlflow-skinny and what is needed beside it, in place of mlflow"

WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class InstallFailed(Exception):
    """The command failed; the text says why, in one line."""


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=USAGE[prog],
        description=DESCRIPTION[prog] + FOUND,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", nargs="*", metavar="model-uri", help="models:/my-model/1, …")
    parser.add_argument("--skinny", action="store_true", help=SKINNY)
    parser.add_argument("--dry-run", action="store_true", help="show the changes, make none")
    if prog == INSTALL:
        parser.add_argument("--verbose", action="store_true", help=VERBOSE)
    return parser


def _targets(given: Sequence[str], environment: Mapping[str, str]) -> tuple[Path, str]:
    """The requirements file and the model's URI that the arguments name. The defaults are our own
    file and `MODEL_URI`. Raises `InstallFailed` if there is no URI, or more than one URI or
    file."""
    files = [text for text in given if text.endswith(".txt")]
    uris = [text for text in given if text not in files] or [environment.get("MODEL_URI", "")]
    if len(files) > 1 or len(uris) > 1 or not uris[0]:
        further = [*uris[1:], *files[1:]]
        too_many = f"{quoted(further[0])} is one name too many; see --help" if further else ""
        raise InstallFailed(too_many or NO_MODEL)
    return Path(files[0]) if files else OURS, uris[0]


def _update(file: Path, packages: Sequence[Line], label: str, options: argparse.Namespace) -> None:
    """Merges the model's packages into `file`, or shows what would change."""
    aliases = ALIASES if options.skinny else {}
    try:
        before = decode(file.read_bytes(), str(file))
        after = merge(before, packages, label, aliases)
        if file.resolve() == OURS.resolve():
            after = with_own(after)
        if not options.dry_run and after != before:
            _replace(file, after)
    except OSError as error:
        raise InstallFailed(f"{file}: {error.strerror}; nothing was changed") from error
    for risk in cautions(packages, after):
        print(f"warning: {risk}", file=sys.stderr)
    if after == before:
        print(f"{file} has the packages of {label} already")
    elif options.dry_run:
        print("\n".join(_diff(before, after, str(file))))
    else:
        command = join(["pip", "install", "-r", str(file)])
        older = differences(before, packages, aliases).older
        tidied = f", without the older {quoted_lines(older)}" if older else ""
        print(f"{file} now has the packages of {label}{tidied}; install them: {command}")


def _diff(before: str, after: str, name: str) -> list[str]:
    lines = (before.splitlines(), after.splitlines())
    return list(difflib.unified_diff(*lines, name, f"{name}, updated", lineterm=""))


def _replace(file: Path, text: str) -> None:
    """Writes a new file beside the old one, and then replaces the old one by it."""
    target = file.resolve()  # a link is kept, and the file that it points to is replaced
    if not target.stat().st_mode & WRITABLE:  # root could replace even a read-only file
        raise PermissionError(errno.EACCES, "the file is read-only")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    try:
        with open(handle, "wb") as written:
            written.write(text.encode())
        shutil.copymode(target, name)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _install(
    folder: Path, packages: Sequence[Line], label: str, options: argparse.Namespace
) -> None:
    """Installs `packages` with pip. Raises `Conflict` if they contradict our own, and
    `InstallFailed` if pip fails."""
    aliases = ALIASES if options.skinny else {}
    if reasons := differences(read_text(OURS), packages, aliases).reasons:
        raise Conflict(reasons)
    with tempfile.TemporaryDirectory(prefix="packages-") as temporary:
        file = Path(temporary) / "requirements.txt"
        file.write_text("".join(f"{line.content}\n" for line in packages), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "-r", str(file)]
        command += ["--dry-run"] if options.dry_run else []
        count = f"{len(packages)} package{'' if len(packages) == 1 else 's'}"
        print(f"pip takes the {count} of {label} (--verbose shows all it says)", flush=True)
        # Lines for packages that were logged with the model are relative to its folder.
        if not (_shown_pip if options.verbose else _quiet_pip)(command, folder):
            raise InstallFailed("pip could not install the model's packages, see above")


def _shown_pip(command: Sequence[str], folder: Path) -> bool:
    """Runs pip, which prints what it says and may ask for a login. Returns whether it succeeded."""
    return not subprocess.run(command, cwd=folder, check=False).returncode


def _quiet_pip(command: Sequence[str], folder: Path) -> bool:
    """Runs pip, and prints what it has done and its warnings, or all that it said if it fails.
    Returns whether it succeeded."""
    quiet = [*command, "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        quiet, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    said = done.stdout.splitlines()
    if not done.returncode:
        said = [line for line in said if line.startswith(DONE)] or ["all are installed already"]
    print("\n".join(said), flush=True)
    print(done.stderr, end="", file=sys.stderr)
    return not done.returncode


def install(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Installs a model's packages, and returns the exit code."""
    return _command(INSTALL, arguments, environment)


def update(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Merges a model's packages into a requirements file, and returns the exit code."""
    return _command(UPDATE, arguments, environment)


def _command(prog: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    options = _parser(prog).parse_intermixed_args(arguments)
    try:
        _act(prog, options, environment)
    except Conflict as conflict:
        return complain(prog, f"nothing was changed: {conflict}")
    except NoText as error:
        return complain(prog, f"nothing was changed: {error}; save it as UTF-8")
    except (InstallFailed, SettingsError) as error:
        return complain(prog, str(error))
    except LoadFailed as error:
        return complain(prog, f"{error}{advice_on_connect(environment)}")
    return 0


def _act(prog: str, options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    file, uri = _targets(options.target, environment)
    settings = read_settings({**environment, "MODEL_URI": uri})
    with tempfile.TemporaryDirectory(prefix="model-") as temporary:
        with quiet():
            _, saved = inspect_model(settings, Path(temporary))
        if risk := of_conda(saved):
            print(f"warning: {risk}", file=sys.stderr)
        packages = skinny(saved.packages, saved.flavors) if options.skinny else list(saved.packages)
        if prog == UPDATE:
            _update(file, packages, public_uri(uri), options)
        else:
            _install(saved.folder, packages, public_uri(uri), options)
