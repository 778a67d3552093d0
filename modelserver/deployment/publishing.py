"""`python main.py deploy` and `manifest`: rsconnect, called with the bundle's files.

In: a command line, environment variables, the project's folder. Out: an exit code, that of
rsconnect if it was called. The command that runs is printed first, without values that may be
secret. rsconnect gets names of files and not patterns, since not every shell expands patterns.
"""

import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from modelserver.deployment.bundle import (
    ALWAYS,
    ARGUMENTS,
    MODEL,
    OPTIONS,
    Bundle,
    read_bundle,
    variables,
)
from modelserver.deployment.checks.preflight import find_model
from modelserver.deployment.command_line import (
    ROOT,
    SECRET,
    WINDOWS,
    complain,
    join,
    model_and_files,
    quote,
    variable,
    with_model,
)
from modelserver.deployment.environment import registered
from modelserver.deployment.manifest import stale
from modelserver.deployment.servers import as_on_connect, no_server
from modelserver.loading.attempt import local_path, public_uri

DEPLOY: Final = ("deploy", "fastapi")
MANIFEST: Final = ("write-manifest", "fastapi", "--overwrite")

HELP: Final = {
    DEPLOY: """\
usage: main.py deploy [model-uri] [file …] [--dry-run] [--no-check] [option of rsconnect …]

Sends what runs, and the further files, patterns or folders that you name, to Posit Connect. Without
a model the content keeps the one it has, or waits for MODEL_URI in its Vars pane. A model is looked
up first, where the content will look, unless --no-check says not to. --dry-run shows the line and
sends nothing. All other options are those of `rsconnect deploy fastapi --help`, such
as --title, --name or --server.
""",
    MANIFEST: """\
usage: main.py manifest [file …] [--check | --dry-run] [option of rsconnect …]

Writes manifest.json for publishing from git; --check only says whether it is of the files as they
are. All other options are those of `rsconnect write-manifest fastapi --help`.
""",
}

OURS: Final = {
    DEPLOY: {"--dry-run", "--no-check", "--help", "-h"},
    MANIFEST: {"--dry-run", "--help", "-h", "--check"},
}
"""Our own flags, which are not passed to rsconnect."""

HIDDEN: Final = {"-k", "--api-key", "-T", "--token", "-S", "--secret", "--client-secret"}
"""The options of rsconnect with a secret value."""

SETTING: Final = {"-E", "--environment"}
"""The options of rsconnect with NAME=VALUE. Any value may be a secret, except those that we add."""

ADDRESS: Final = re.compile("://|@")
"""Finds in a value that it is an address, perhaps without its scheme."""

NO_RSCONNECT: Final = (
    "rsconnect-python is not installed in this environment; pip install rsconnect-python"
)

MAY_BE_SET: Final = (
    "If rsconnect reached the content, its MODEL_URI may be {} now, also for the bundle that it "
    "had before. If that is wrong, set it in the Vars pane, or deploy again."
)

START: Final = "from rsconnect.main import cli; cli(prog_name='rsconnect')"

Option = tuple[str, ...]
"""An option with its value, or a flag alone."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a command line asks for."""

    model: str | None
    files: list[str]
    """The files to send in addition to the project's own: names, patterns, folders."""
    flags: set[str]
    """The flags that are in `OURS`."""
    options: list[Option]
    """The options for rsconnect."""


def deploy(arguments: Sequence[str], environment: Mapping[str, str], root: Path = ROOT) -> int:
    """Sends the project to Connect, and sets the model and its tracking server as variables of the
    content. Returns the exit code."""
    call = read_call(arguments, _flags(DEPLOY), OURS[DEPLOY])
    environment = with_model(environment, call.model)
    settings = variables(environment)
    return _run(DEPLOY, call, root, environment, settings)


def manifest(arguments: Sequence[str], environment: Mapping[str, str], root: Path = ROOT) -> int:
    """Writes manifest.json, or checks it. Returns the exit code."""
    call = read_call(arguments, _flags(MANIFEST), OURS[MANIFEST])
    if "--check" in call.flags:
        problems = stale(root, call.files)
        print("\n".join(problems or ["manifest.json is up to date"]))
        return 1 if problems else 0
    code = _run(MANIFEST, call, root, environment, {})
    if call.model and not code:
        print("A manifest has no variables: set MODEL_URI in the content's Vars pane.")
    return code


def read_call(arguments: Sequence[str], alone: Collection[str], ours: Collection[str]) -> Call:
    """Reads a command line: rsconnect's options with their values, our flags, the model, files.
    `alone`: rsconnect's options without a value; `ours`: our flags."""
    words = iter(arguments)
    options: list[Option] = []
    named: list[str] = []
    for word in words:
        if word.startswith("--"):
            options.append(_long(word, words, {*alone, *ours}))
        elif word.startswith("-"):
            options += _short(word, words, {*alone, *ours})
        else:
            named.append(word)
    model, files = model_and_files(named)
    flags = {option[0] for option in options} & set(ours)
    return Call(model, files, flags, [option for option in options if option[0] not in flags])


def _long(word: str, words: Iterator[str], alone: Collection[str]) -> Option:
    """The option of a word with two dashes: `--name value`, `--name=value` or a flag."""
    name, joined, value = word.partition("=")
    if name in alone:
        return (word,)
    return (name, value) if joined else (name, *islice(words, 1))


def _short(word: str, words: Iterator[str], alone: Collection[str]) -> Iterator[Option]:
    """The options of a word with one dash. Each letter is a flag, up to one that has a value: the
    rest of the word, or the next word."""
    for place, letter in enumerate(word[1:], 2):
        name = f"-{letter}"
        if name not in alone:
            yield (name, word[place:]) if word[place:] else (name, *islice(words, 1))
            return
        yield (name,)


def _flags(command: Sequence[str]) -> set[str]:
    """The options without a value of one of rsconnect's commands."""
    group: Any = _rsconnect()
    for name in command[:2]:
        group = group.commands[name]
    options = [option for option in group.params if option.param_type_name == "option"]
    return {name for option in options if option.is_flag or option.count for name in option.opts}


def _rsconnect() -> Any:
    """rsconnect's own command line. It must be installed in this environment, since it tells
    Connect which Python runs it. Raises `SystemExit` if it is not installed."""
    try:
        from rsconnect.main import cli
    except ImportError:
        raise SystemExit(NO_RSCONNECT) from None
    return cli


def _run(
    command: tuple[str, ...],
    call: Call,
    root: Path,
    environment: Mapping[str, str],
    settings: Mapping[str, str],
) -> int:
    """Prints the command and runs it, with `settings` as variables of the content. Returns the exit
    code."""
    if {"-h", "--help"} & call.flags:
        print(HELP[command], end="")
        return 0
    known = as_on_connect(environment, call.options)
    bundle = read_bundle(root, call.files, lambda word: registered(word, known))
    is_checked = command == DEPLOY and "--no-check" not in call.flags
    problem = _problem(bundle, settings) or (is_checked and _not_ready(call, environment))
    if problem:
        return complain("main.py", problem)
    own = [("-E", variable(name, value)) for name, value in settings.items()]
    print(_line(command, [*own, *map(shown, call.options)], bundle), flush=True)
    if "--dry-run" in call.flags:
        return 0
    words = [*command, *_words([*own, *call.options]), *OPTIONS, ".", *_names(bundle)]
    known = {**environment, **settings}
    code = subprocess.run(
        [sys.executable, "-c", START, *words], cwd=root, env=known, check=False
    ).returncode
    if code and settings:
        print(MAY_BE_SET.format(public_uri(settings[MODEL])), file=sys.stderr)
    return code


def _problem(bundle: Bundle, settings: Mapping[str, str]) -> str | None:
    model = settings.get(MODEL, "")
    if model and local_path(model):
        return (
            f"{model} is a folder of this machine; register the model, and name models:/my-model/1"
        )
    problem = bundle.problem()
    return "; ".join(problem) if problem else None


def _not_ready(call: Call, environment: Mapping[str, str]) -> str | None:
    """Why the content could not serve the model, or could not be sent at all; None if nothing is
    known to be wrong."""
    if "--dry-run" not in call.flags and (problem := no_server(environment, call.options)):
        return "; ".join(problem)
    if not environment.get(MODEL):
        return None
    checks = find_model(environment, options=call.options)
    failed = next((check for check in checks if check.status == "failed"), None)
    return f"{failed.found}; {failed.advice}, or deploy with --no-check" if failed else None


def _line(command: Sequence[str], options: Sequence[Option], bundle: Bundle) -> str:
    """The command as a person can paste it into a shell."""
    start = join(["rsconnect", *command, *_words(options)])
    if WINDOWS:  # PowerShell expands no pattern
        return f"{start} {join([*OPTIONS, '.', *_names(bundle)])}"
    return " ".join([start, ARGUMENTS, *map(quote, sorted(bundle.further))])


def _names(bundle: Bundle) -> list[str]:
    """The bundle's files to name in the command. rsconnect adds requirements.txt itself."""
    return [path for path in bundle.sizes if path != ALWAYS]


def _words(options: Sequence[Option]) -> list[str]:
    return [word for option in options for word in option]


def shown(option: Option) -> Option:
    """The option, with "***" in place of a value that may be secret."""
    name, *values = option
    if name in HIDDEN or any(ADDRESS.search(value) and SECRET.search(value) for value in values):
        return (name, *("***" for _ in values))
    if name in SETTING:
        return (name, *(re.sub("=.*", "=***", value, flags=re.DOTALL) for value in values))
    return option
