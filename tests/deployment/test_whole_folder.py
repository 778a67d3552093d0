"""What a bare `.` sends: compared with the real rsconnect, and what of it is private."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from modelserver.deployment.bundle import Bundle
from modelserver.deployment.whole_folder import private, read_folder
from tests.support.needs import need

SENT = (
    ".env",
    ".gitignore",
    ".pytest_cache/v/lastfailed",
    "customers.csv",
    "data/.git/config",
    "data/rsconnect/old.csv",
    "main.py",
    "mlruns/1/meta.yaml",
    "modelserver/__pycache__/app.cpython-311.pyc",
    "modelserver/manifest.json",
    "modelserver/requirements.txt",
    "requirements.txt",
    "tests/.venv/bin/python",
    "tests/node_modules/left/index.js",
)

LEFT_OUT = (
    ".Rproj.user/x",
    ".git/config",
    ".rsconnect-python/servers.json",
    ".svn/entries",
    ".venv/bin/python",
    ".venv/lib/x.py",
    "__pycache__/main.cpython-311.pyc",
    "data/.rsconnect-python/servers.json",
    "manifest.json",
    "node_modules/left/index.js",
    "old env/Scripts/Python.exe",
    "old env/lib/x.py",
    "packrat/packrat.lock",
    "renv/activate.R",
    "rsconnect-python/project.json",
    "rsconnect/documents/x.dcf",
)


def folder_of(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("{}")
    (root / "requirements.txt").write_text("starlette\n")
    return root


def sent_by_rsconnect(root: Path, home: Path) -> list[str]:
    """The files in the manifest of `rsconnect write-manifest fastapi .`"""
    need(find_spec("rsconnect"), "there is no rsconnect (pip install rsconnect-python)")
    command = [str(Path(sys.executable).with_name("rsconnect")), "write-manifest", "fastapi"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "RSCONNECT_DISABLE_VERSION_CHECK": "1",
    }
    subprocess.run(
        [*command, "--overwrite", "--entrypoint", "main:app", "."],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
    )
    return sorted(json.loads((root / "manifest.json").read_text())["files"])


@pytest.mark.processes
def test_it_is_what_rsconnect_sends(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "my project", *SENT, *LEFT_OUT)
    (root / "linked.csv").symlink_to(root / "customers.csv")
    (root / "linked").symlink_to(root / "data")
    assert list(read_folder(root).sizes) == sorted((*SENT, "linked.csv"))
    assert list(read_folder(root).sizes) == sent_by_rsconnect(root, tmp_path)


@pytest.mark.processes
def test_a_project_that_is_a_virtual_environment(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "env", "bin/python", "lib/x.py", "main.py", "src/lib/y.py")
    assert list(read_folder(root).sizes) == ["main.py", "requirements.txt", "src/lib/y.py"]
    assert list(read_folder(root).sizes) == sent_by_rsconnect(root, tmp_path)


def test_what_is_no_file_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    assert read_folder(tmp_path).sizes == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".env", ".env"),
        (".Renviron", ".Renviron"),
        ("keys/server.pem", "keys/server.pem"),
        (".ssh/id_rsa", ".ssh/id_rsa"),
        ("service-account.json", "service-account.json"),
        ("customers.csv.gz", "customers.csv.gz"),
        ("data/wines.parquet", "data/wines.parquet"),
        ("Explore.ipynb", "Explore.ipynb"),
        ("mlflow.db", "mlflow.db"),
        ("mlruns/1/meta.yaml", "mlruns/"),
        ("model_artifacts/model/tokenizer.json", "model_artifacts/"),
        ("mlartifacts/1/MLmodel", "mlartifacts/"),
    ],
)
def test_private(path: str, name: str) -> None:
    assert private(Bundle({path: 1, "main.py": 1}, ())) == [name]


@pytest.mark.parametrize(
    "path",
    [
        "main.py",
        "README.md",
        "tests/support/pictures/page.png",
        "tests/__pycache__/tokens.cpython-311.pyc",
        "env/lib/python3.11/site-packages/certifi/cacert.pem",
        "tests/node_modules/js-tokens/tokens.js",
    ],
)
def test_not_private(path: str) -> None:
    assert private(Bundle({path: 1}, ())) == []


def test_secrets_come_first_and_what_lies_at_the_top(tmp_path: Path) -> None:
    paths = ("a/b.csv", "z.csv", "mlruns/0/meta.yaml", "a/b/.env", "prod.pem")
    root = folder_of(tmp_path, *paths)
    assert private(read_folder(root)) == ["prod.pem", "a/b/.env", "mlruns/", "z.csv", "a/b.csv"]


def test_an_environment_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder_of(tmp_path, ".venv/bin/python", ".venv/lib/a/b.py", "mlruns/0/1/metrics/loss")
    seen: list[str] = []
    scandir = os.scandir

    def watched(path: str) -> Any:
        seen.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", watched)
    assert "mlruns/0/1/metrics/loss" in read_folder(root).sizes
    assert str(root / "mlruns") in seen
    assert not any(".venv" in path for path in seen)
