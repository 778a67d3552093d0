"""Command lines: what the arguments of a command name, and commands for a person to paste.

In: words; names and values. Out: the model and the files that words name; and text that is quoted
for a POSIX shell, on Windows for PowerShell. A value with a login or a query is not shown;
rsconnect reads it from the environment. This module needs no packages, since it also says how to
install them.
"""

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
"""The project's folder."""

NO_MODEL: Final = "one model URI is needed, such as models:/my-model/1; see --help"

WINDOWS: Final = os.name == "nt"

SECRET: Final = re.compile(r"^(?!models:|runs:|[.~]|/[^/]).*@|[?#;]", re.DOTALL)
"""A login, a query or a fragment. In URIs of models, an @ stands before an alias; in paths, it is
part of a name."""

PLAIN: Final = re.compile(r"[\w+=:./\\-]+")
"""A text that needs no quotes in PowerShell."""

HAS_SCHEME: Final = re.compile(r"(?:models|runs|mlflow-artifacts):|\w[\w+.-]+:/")
"""A URI. Its scheme has two letters or more, since a single letter is a drive of Windows."""


def quote(text: str, windows: bool = WINDOWS) -> str:
    """The text, quoted if the shell would not take it as one word."""
    if not windows:
        return shlex.quote(text)
    return text if PLAIN.fullmatch(text) else "'{}'".format(text.replace("'", "''"))


def join(words: Iterable[str]) -> str:
    """The words as a command line, each quoted if needed."""
    return " ".join(map(quote, words))


def set_variable(name: str, value: str, windows: bool = WINDOWS) -> str:
    """The command that sets an environment variable for the commands after it."""
    if windows:
        return "$env:{} = '{}'".format(name, value.replace("'", "''"))
    return f"export {quote(name, windows)}={quote(value, windows)}"


def unset_variable(name: str, windows: bool = WINDOWS) -> str:
    """The command that removes an environment variable."""
    return f"Remove-Item Env:{name}" if windows else f"unset {name}"


def write_file(name: str, text: str, windows: bool = WINDOWS) -> str:
    """The command that writes one line to a file. It is no `>` in PowerShell, which may write
    UTF-16."""
    command = "Set-Content {1} {0}" if windows else "echo {0} > {1}"
    return command.format(quote(text, windows), quote(name, windows))


def new_environment(number: int, windows: bool = WINDOWS) -> str:
    """The command that makes a virtual environment of Python 3.`number`. It has its own folder:
    in the folder of another Python's environment, both would be mixed."""
    python = f"py -3.{number}" if windows else f"python3.{number}"
    return f"{python} -m venv .venv3.{number}"


def variable(name: str, value: str) -> str:
    """The argument for rsconnect's -E. If the value must not be shown, it is only the name, and
    rsconnect reads the value from its environment."""
    return name if SECRET.search(value) else f"{name}={value}"


def ours(command: str, model_uri: str, *files: str) -> str:
    """A command of `python main.py`. Without `model_uri`, the command reads MODEL_URI."""
    named = [model_uri] if model_uri and not SECRET.search(model_uri) else []
    return join(["python", "main.py", command, *named, *files])


def start(model_uri: str | None) -> str:
    """The commands that start the server here. Without `model_uri`, it reads MODEL_URI."""
    shown = model_uri if model_uri and not SECRET.search(model_uri) else None
    return f"{set_variable('MODEL_URI', shown)}; python main.py" if shown else "python main.py"


def complain(program: str, text: str) -> int:
    """Prints what went wrong, and returns the exit code."""
    print(f"{program}: {text}", file=sys.stderr)
    return 1


def model_and_files(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first word that is a URI or a model's folder, None if there is none; and all other
    words."""
    model = next((word for word in words if _names_a_model(word)), None)
    return model, [word for word in words if word != model]


def with_model(environment: Mapping[str, str], model: str | None) -> dict[str, str]:
    """A copy of the environment, with MODEL_URI set to `model` unless that is None. It is a copy
    since MLflow writes to the environment of the process."""
    return {**environment, **({"MODEL_URI": model} if model else {})}


def _names_a_model(word: str) -> bool:
    return bool(HAS_SCHEME.match(word)) or (Path(word) / "MLmodel").is_file()
