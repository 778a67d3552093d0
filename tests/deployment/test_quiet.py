"""Silence, and sound after it."""

import logging
import sys
import warnings

import pytest

from modelserver.deployment.environment import quiet


def make_noise() -> None:
    print("printed")
    print("printed", file=sys.stderr)
    logging.getLogger("noise").error("logged")
    warnings.warn("warned", stacklevel=1)


def test_quiet(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with quiet():
        make_noise()
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_sound_comes_back_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError), quiet():
        raise KeyError
    with pytest.warns(UserWarning, match="warned"):
        make_noise()
    assert "logged" in caplog.text
