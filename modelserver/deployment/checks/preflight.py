"""`python main.py check`, the pre-flight: checks one after the other what a deployment needs.

In: a command line, environment variables, the project's folder. Out: an exit code, 1 if a check
failed; and one frozen `Check` at a time, with what was found and the line or command that corrects
it. A check is skipped if it needs something that an earlier check did not find. Faults are
reported, not raised.
"""

import argparse
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from modelserver.deployment.bundle import further_files, read_bundle
from modelserver.deployment.checks.model_checks import (
    check_load,
    check_model,
    check_openapi,
    check_prediction,
    check_reachable,
    check_settings,
    check_tracking_server,
)
from modelserver.deployment.checks.project_checks import (
    check_base,
    check_bundle,
    check_folder,
    check_installed,
    check_python,
    check_requirements,
    check_rsconnect,
)
from modelserver.deployment.checks.report import Check, Outcome, Style, write_json, write_table
from modelserver.deployment.command_line import ROOT, model_and_files, ours, start, with_model
from modelserver.deployment.environment import SavedWith, quiet, registered
from modelserver.deployment.servers import TRACKING, Options, as_on_connect
from modelserver.deployment.texts import NoText
from modelserver.hosting.settings import Settings

T = TypeVar("T")

Found: TypeAlias = tuple[Settings | None, SavedWith | None]
"""The settings and what the model was saved with; None for what was not found."""

LOCALLY: Final = "To check only for a start on this machine: {}"

PROGRAM: Final = "main.py check"

EXAMPLE: Final = "models:/my-model/1"

TARGETS: Final = "the model, by default that of MODEL_URI; further files that you deploy"


def _guarded(check: Callable[..., Outcome[T]], needed: tuple[Any, ...]) -> Outcome[T]:
    try:
        return check(*needed)
    except NoText as error:
        return Outcome("failed", str(error), f"save {error.name} as UTF-8")
    except Exception as error:  # for example a file that cannot be read: report it as well
        return Outcome("failed", f"{type(error).__name__}: {error}", "mend that, and check again")


def _step(
    name: str, check: Callable[..., Outcome[T]], *needed: Any
) -> Generator[Check, None, T | None]:
    """Runs one check and yields its line of the report. Returns what the check found, for later
    checks. None if it failed, or if it was skipped because one of `needed` is None."""
    if any(fact is None for fact in needed):
        yield Check(name, "skipped", "not checked, because an earlier check failed")
        return None
    with quiet():
        outcome = _guarded(check, needed)
    yield Check(name, outcome.status, outcome.found, outcome.advice)
    return outcome.fact


def find_model(
    environment: Mapping[str, str],
    local: bool = False,
    files: Sequence[str] = (),
    options: Options = (),
) -> Generator[Check, None, Found]:
    """Yields the checks of the settings and of where the model is, and returns what later checks
    need. The model is looked up where the content will look. `local`: whether the server is to run
    only on this machine; `files`: further files that a person named; `options`: those for
    rsconnect, which may name the Connect."""
    known = environment if local else as_on_connect(environment, options)
    by_default = known.get(TRACKING) != environment.get(TRACKING)
    again = _again(local, files)(EXAMPLE)
    settings = yield from _step("settings", check_settings, known, again)
    where = yield from _step("tracking server", check_tracking_server, settings, by_default)
    if not local:
        yield from _step("reachable", check_reachable, where, settings, known)
    saved = yield from _step("model", check_model, where and settings)
    return settings, saved


def preflight(
    environment: Mapping[str, str], root: Path, extra: Sequence[str] = (), local: bool = False
) -> Iterator[Check]:
    """Yields the result of each check, in order, as soon as it is done. `extra`: the files that a
    person sends to Connect in addition to the project's own. With `local`, what only a deployment
    needs is not checked."""
    bundle, again = read_bundle(root, extra), _again(local, extra)
    settings, saved = yield from find_model(environment, local, extra)
    environment = environment if local else as_on_connect(environment)
    if not local:
        yield from _step("Python", check_python, saved, root)
        yield from _step("requirements.txt", check_requirements, saved, settings, root)
    yield from _step("installed", check_installed, saved, settings)
    base = yield from _step("base document", check_base, root)
    rehearsal = yield from _step(
        "load", check_load, environment, base and saved, bundle, root, again
    )
    yield from _step("prediction", check_prediction, rehearsal, environment)
    yield from _step("OpenAPI", check_openapi, rehearsal)
    if not local:
        yield from _step("bundle", check_bundle, bundle)
        command = ours("deploy", environment.get("MODEL_URI", ""), *extra)
        yield from _step("whole folder", check_folder, root, bundle, command)
        yield from _step("rsconnect", check_rsconnect, environment, root)


def check(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the command: prints the result of each check as soon as it is done. Returns the exit
    code."""
    options = _parser().parse_intermixed_args(arguments)
    model, extra = model_and_files(options.target)
    known = environment if options.local else as_on_connect(environment)
    if faults := further_files(ROOT, extra, lambda word: registered(word, known))[1]:
        print(f"{PROGRAM}: {faults[0]}", file=sys.stderr)
        return 2
    environment = with_model(environment, model)
    checks = preflight(environment, ROOT, extra, options.local)
    if options.json:
        passed = write_json(checks, sys.stdout)
    else:
        uri = environment.get("MODEL_URI", "")
        next_step = start(model) if options.local else ours("deploy", uri, *extra)
        style = Style.of(sys.stdout, environment)
        passed = write_table(checks, sys.stdout, style, next_step)
        if not (passed or options.local):
            print(LOCALLY.format(ours("check", uri, "--local", *extra)))
    return 0 if passed else 1


def _again(local: bool, files: Sequence[str]) -> Callable[..., str]:
    """A function that makes the command to check again, from a model and further words."""
    flags = ["--local"] if local else []
    return lambda model, *words: ours("check", model, *flags, *files, *words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s [--json] [--local] [model-uri] [file …]",
        description="Says what a deployment of the model lacks, and what mends it.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument(
        "--local", action="store_true", help="check only for a start on this machine"
    )
    parser.add_argument("target", nargs="*", metavar="model-uri, file", help=TARGETS)
    return parser
