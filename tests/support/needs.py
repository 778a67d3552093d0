"""What a test needs of the machine: without it the test is skipped, or fails where it must run."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")

NODE_MODULES = Path(__file__).parent / "node_modules"


def need(condition: object, reason: str) -> None:
    """Skips the test unless `condition` holds; with TESTS_MUST_RUN=1 the test fails instead."""
    if not condition:
        (pytest.fail if os.environ.get("TESTS_MUST_RUN") == "1" else pytest.skip)(reason)


def need_r_packages(*names: str) -> None:
    """What code in R needs; without names, what the calls that we show need."""
    names = names or ("httr2", "jsonlite")
    need(shutil.which("Rscript"), "there is no Rscript")
    need(r_has_packages(names), f"R has not all of {', '.join(names)}")


@cache
def r_has_packages(names: tuple[str, ...]) -> bool:
    command = ["Rscript", "-e", "; ".join(f"library({name})" for name in names)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def chromium_path() -> str:
    """Where the browser is: the one without windows where there is one, since a page takes it a
    quarter of the time."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    need(path, f"there is no chromium (apt-get install {BROWSERS[0]})")
    return str(path)


def node_module(file: str) -> Path:
    """A file of a package that tests/support/package.json names."""
    path = NODE_MODULES / file
    need(path.exists(), f"there is no {file} (npm ci --prefix tests/support)")
    return path
