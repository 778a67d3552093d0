"""What goes to Connect is what runs: compared with what the real rsconnect packs."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelserver.deployment.bundle import ARGUMENTS, FILES, LARGE, read_bundle
from tests.support.processes import ROOT

# What a folder collects while people work in it, and what must stay there.
LITTER = (
    ".env",
    ".git/config",
    ".mypy_cache/3.11/cache.json",
    ".venv/bin/python",
    "data/wines.csv",
    "explore.ipynb",
    "mlflow.db",
    "mlruns/0/meta.yaml",
    "modelserver/.env",
    "modelserver/__pycache__/app.cpython-311.pyc",
    "modelserver/pages/assets/.DS_Store",
    "rsconnect-python/project.json",
    "tests/conftest.py",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in a folder with a space in its name, as people leave it."""
    folder = tmp_path / "my project"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "mlruns", "mlflow.db*")
    shutil.copytree(ROOT, folder, ignore=ignored)
    for path in LITTER:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


@pytest.mark.processes
def test_rsconnect_packs_what_the_list_says(project: Path, tmp_path: Path) -> None:
    rsconnect = Path(sys.executable).with_name("rsconnect")
    command = f"{shlex.quote(str(rsconnect))} write-manifest fastapi {ARGUMENTS}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "RSCONNECT_DISABLE_VERSION_CHECK": "1",
    }
    subprocess.run(["bash", "-c", command], cwd=project, env=environment, check=True)
    manifest = json.loads((project / "manifest.json").read_text())
    assert manifest["metadata"]["entrypoint"] == "main:app"
    assert sorted(manifest["files"]) == sorted(read_bundle(project).sizes)


def test_what_runs_is_there_and_nothing_else(project: Path) -> None:
    bundle = read_bundle(project)
    assert bundle.missing == ()
    assert list(bundle.unwanted()) == []
    assert not set(LITTER) & set(bundle.sizes)
    assert {"main.py", "openapi_base.yaml", "requirements.txt"} < set(bundle.sizes)
    modules = {str(file.relative_to(ROOT)) for file in (ROOT / "modelserver").rglob("*.py")}
    sent = {file for file in modules if not file.startswith("modelserver/deployment/")}
    assert modules & set(bundle.sizes) == sent  # new rooms: see the letters in `FILES`
    assert bundle.size < 2 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("prod.env.pem", "a secret"),
        ("api_token.txt", "a secret"),
        ("old.pyc", "a cache"),
        ("Untitled.IPYNB", "a notebook"),
        ("wines.csv", "data"),
        ("large.bin", "6 MB"),
    ],
)
def test_unwanted(project: Path, name: str, why: str) -> None:
    (project / "modelserver" / name).write_bytes(b"x" * (LARGE + 1024 * 1024))
    assert list(read_bundle(project).unwanted()) == [(f"modelserver/{name}", why)]


def test_missing(tmp_path: Path) -> None:
    bundle = read_bundle(tmp_path)
    assert bundle.missing == ("requirements.txt", *FILES)
    assert bundle.size == 0
