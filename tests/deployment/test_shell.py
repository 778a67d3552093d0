"""Commands to paste, as the shell reads them."""

import os
import subprocess
from pathlib import Path

import pytest

from modelserver.deployment.command_line import (
    join,
    new_environment,
    ours,
    quote,
    set_variable,
    start,
    unset_variable,
    variable,
    write_file,
)

VALUES = ["models:/m@champion", "models:/a b/1", "/home/me/it's", "https://host/m", "", "$(x) `y`"]

SECRET = ["https://me:pa55@host/m", "https://token@host", "runs:/x?token=S", "s3://b/m#S"]


def shell(command: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.processes
@pytest.mark.parametrize("value", VALUES)
def test_a_shell_takes_the_value_as_one_word(value: str, tmp_path: Path) -> None:
    assert shell(f"printf '[%s]' {quote(value, windows=False)}", tmp_path) == f"[{value}]"
    setting = set_variable("MODEL_URI", value, windows=False)
    assert shell(f"{setting}; printf '[%s]' \"$MODEL_URI\"", tmp_path) == f"[{value}]"


@pytest.mark.processes
def test_a_shell_writes_a_file_and_takes_a_variable_away(tmp_path: Path) -> None:
    shell(write_file(".python-version", "3.11", windows=False), tmp_path)
    assert (tmp_path / ".python-version").read_text() == "3.11\n"
    unset = f'A=1; {unset_variable("A", windows=False)}; printf "[$A]"'
    assert shell(unset, tmp_path) == "[]"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (quote("models:/a/1", windows=True), "models:/a/1"),
        (quote("it's $env:A", windows=True), "'it''s $env:A'"),
        (quote("", windows=True), "''"),
        (quote("@a,b", windows=True), "'@a,b'"),
        (quote(r"C:\\models\\wine", windows=True), r"C:\\models\\wine"),
        (set_variable("A", "x y", windows=True), "$env:A = 'x y'"),
        (set_variable("A", "https://host/mlflow", windows=True), "$env:A = 'https://host/mlflow'"),
        (unset_variable("A", windows=True), "Remove-Item Env:A"),
        (new_environment(11, windows=True), "py -3.11 -m venv .venv3.11"),
        (write_file(".python-version", "3.11", windows=True), "Set-Content .python-version 3.11"),
    ],
)
def test_the_same_in_powershell(command: str, expected: str) -> None:
    assert command == expected


@pytest.mark.parametrize("value", SECRET)
def test_a_secret_is_not_shown(value: str) -> None:
    assert ours("update", value) == "python main.py update"
    assert variable("MODEL_URI", value) == "MODEL_URI"


def test_another_value_is() -> None:
    assert ours("check", "models:/a b/1", "my file") == join(
        ["python", "main.py", "check", "models:/a b/1", "my file"]
    )
    assert variable("MODEL_URI", "models:/a/1") == "MODEL_URI=models:/a/1"


def test_a_start_here() -> None:
    assert start("models:/a b/1") == "export MODEL_URI='models:/a b/1'; python main.py"
    assert start(None) == start("https://me:secret@host/model") == "python main.py"
