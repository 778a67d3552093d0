"""The command line of main.py, as processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelserver.bundle import ARGUMENTS
from modelserver.command import read_command
from tests.processes import KEPT, ROOT, answering


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "--check" in done.stdout


@pytest.mark.parametrize("arguments", [["--chekc"], ["--json"], ["serve"]])
def test_a_wrong_command_line(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: main.py [-h] [--check] [--json]\n")


def test_no_arguments_go_on_to_serve() -> None:
    read_command([], {})
