"""The commands of `python main.py`: the steps of a deployment, the same in every shell.

In: arguments, environment variables. Out: an exit code: 0; 1 if something failed; 2 for a wrong
command line; 130 for Ctrl-C. The server does not need the commands, so a bundle does not have them.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Final

from modelserver.deployment.command_line import ROOT, complain, join

COMMANDS: Final = {
    "check": "say what a deployment lacks, and what mends it",
    "update": "merge the model's packages into requirements.txt",
    "install": "install the model's packages here",
    "download": "bring the model's files to a folder",
    "deploy": "send the project to Posit Connect with rsconnect",
    "manifest": "write manifest.json, for publishing from git",
}
"""The commands and what they do. Each is a function with that name in one of the modules below."""

MODULES: Final = {
    "check": "checks.preflight",
    "update": "install",
    "install": "install",
    "download": "download",
    "deploy": "publishing",
    "manifest": "publishing",
}


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs one command and returns the exit code. `--check` is an older name of `check`."""
    if "--check" in arguments and arguments[0] not in COMMANDS:
        arguments = ["check", *(word for word in arguments if word != "--check")]
    _prepare_output()
    command = _parser().parse_args(arguments[:1]).command
    try:
        code = _found(command)(arguments[1:], environment)
        sys.stdout.flush()
        return code
    except ModuleNotFoundError as error:
        install = join(["pip", "install", "-r", str(ROOT / "requirements.txt")])
        return complain("main.py", f"there is no {error.name} in this environment; {install}")
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _prepare_output() -> None:
    """Replaces closed streams by ones that discard their text, and makes characters that a console
    cannot show `?`."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())
        else:
            stream.reconfigure(errors="replace")


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:10} {meaning}" for name, meaning in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="main.py",
        usage="python main.py [command] [models:/my-model/1] …",
        description="Without a command: serves the model that MODEL_URI names. Commands:\n" + lines,
        epilog="python main.py command --help says more of one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=COMMANDS, help=argparse.SUPPRESS)
    return parser


def _found(command: str) -> Callable[[Sequence[str], Mapping[str, str]], int]:
    """The function of a command. Only its module is imported, so that a command needs only the
    packages that it uses."""
    module = import_module(f"modelserver.deployment.{MODULES[command]}")
    function: Callable[[Sequence[str], Mapping[str, str]], int] = getattr(module, command)
    return function
