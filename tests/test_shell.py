"""Values in commands to paste."""

import os
import subprocess

import pytest

from modelserver.deployment.shell import argument, setting

HARMLESS = ["models:/m@champion", "models:/a b/1", "/home/me/it's", "https://host/m", ""]

SECRET = ["https://me:pa55@host/m", "https://token@host", "runs:/x?token=S", "s3://b/m#S"]


@pytest.mark.parametrize("value", HARMLESS + SECRET)
def test_a_shell_takes_the_value_as_one_word(value: str) -> None:
    command = ["sh", "-c", f"printf '[%s]' {argument('MODEL_URI', value)}"]
    environment = {"PATH": os.environ["PATH"], "MODEL_URI": value}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"[{value}]"


@pytest.mark.parametrize("value", SECRET)
def test_a_secret_is_not_shown(value: str) -> None:
    assert argument("MODEL_URI", value) == '"$MODEL_URI"'
    assert setting("MODEL_URI", value) == "-E MODEL_URI"


def test_another_value_is() -> None:
    assert setting("MODEL_URI", "models:/a b/1") == "-E 'MODEL_URI=models:/a b/1'"
