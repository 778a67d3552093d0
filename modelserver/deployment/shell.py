"""Commands that a person pastes into a shell: a POSIX one, on Windows PowerShell.

In: names and values. Out: text that the shell takes as it is meant. A value with a login or a query
is not shown: rsconnect fills it in.
"""

import os
import re
import shlex
from collections.abc import Iterable
from typing import Final

WINDOWS: Final = os.name == "nt"

SECRET: Final = re.compile(r"//[^/]*@|[?#]")

PLAIN: Final = re.compile(r"[\w+=:./\\-]+")
"""What PowerShell takes as one word without quotes."""


def quote(text: str, windows: bool = WINDOWS) -> str:
    """The text as one word."""
    if not windows:
        return shlex.quote(text)
    return text if PLAIN.fullmatch(text) else "'{}'".format(text.replace("'", "''"))


def join(words: Iterable[str]) -> str:
    """The words as a command."""
    return " ".join(map(quote, words))


def set_variable(name: str, value: str, windows: bool = WINDOWS) -> str:
    """The command that sets an environment variable for the commands after it."""
    if windows:
        return "$env:{} = '{}'".format(name, value.replace("'", "''"))
    return f"export {quote(name, windows)}={quote(value, windows)}"


def unset_variable(name: str, windows: bool = WINDOWS) -> str:
    """The command that takes an environment variable away."""
    return f"Remove-Item Env:{name}" if windows else f"unset {name}"


def write_file(name: str, text: str, windows: bool = WINDOWS) -> str:
    """The command that writes one line to a file; PowerShell's `>` may write UTF-16."""
    command = "Set-Content {1} {0}" if windows else "echo {0} > {1}"
    return command.format(quote(text, windows), quote(name, windows))


def new_environment(number: int, windows: bool = WINDOWS) -> str:
    """The command that makes a virtual environment of Python 3.`number`, in a folder of its own:
    in that of another Python it would mix both."""
    python = f"py -3.{number}" if windows else f"python3.{number}"
    return f"{python} -m venv .venv3.{number}"


def variable(name: str, value: str) -> str:
    """What rsconnect's -E takes: a bare name, whose value it reads from its environment, where that
    must not be shown."""
    return name if SECRET.search(value) else f"{name}={value}"


def ours(command: str, model_uri: str, *files: str) -> str:
    """A command of `python main.py`, which takes the model from MODEL_URI where it is not named."""
    named = [model_uri] if model_uri and not SECRET.search(model_uri) else []
    return join(["python", "main.py", command, *named, *files])
