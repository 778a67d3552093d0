"""What the real rsconnect sends to Connect: the files that run, and no others."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelserver.deployment.bundle import ARGUMENTS
from modelserver.deployment.publishing import manifest
from tests.support.connect.publisher import Publisher, publishing
from tests.support.processes import ROOT

pytestmark = pytest.mark.processes

DECOYS = (
    ".DS_Store",
    ".env",
    ".env.production",
    ".git-credentials",
    ".pytest_cache/v/cache/lastfailed",
    ".venv/bin/python",
    "analysis.ipynb",
    "app.py",
    "customers.csv",
    "deploy.pem",
    "env/lib/python3.11/site-packages/x.py",
    "manifest.json",
    "mlartifacts/1/model/MLmodel",
    "mlflow.db",
    "mlruns/1/meta.yaml",
    "model/model.pkl",
    "modelserver/.env",
    "modelserver/__pycache__/app.cpython-311.pyc",
    "modelserver/pages/assets/__pycache__/x.pyc",
    "rsconnect-python/project.json",
    "tests/data.parquet",
)
"""What lies about in a folder in which somebody works."""


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """After a deployment from a folder that is full of decoys. Nothing needs to run."""
    folder = tmp_path_factory.mktemp("uploaded")
    with publishing(folder, "http://127.0.0.1:9") as publisher:
        for decoy in DECOYS:
            (publisher.project / decoy).parent.mkdir(parents=True, exist_ok=True)
            (publisher.project / decoy).write_text("{}")
        deployment = publisher.deploy()
        assert deployment.returncode == 0, deployment.stdout
        yield publisher


def tracked(*paths: str) -> list[str]:
    """The files of the repository below these paths."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *paths]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_bundle_has_what_runs_and_nothing_else(uploaded: Publisher) -> None:
    sources = tracked("main.py", "openapi_base.yaml", "requirements.txt", "modelserver")
    runs = [name for name in sources if not name.startswith("modelserver/deployment/")]
    assert sorted(uploaded.content.bundles["101"].files) == sorted(["manifest.json", *runs])


def test_the_bundle_is_small(uploaded: Publisher) -> None:
    archive = uploaded.content.folder / "101.tar.gz"
    assert archive.stat().st_size <= 1_000_000
    with tarfile.open(archive) as tar:
        assert all(member.isfile() for member in tar.getmembers())


def test_connect_is_told_the_entrypoint_and_a_fitting_python(uploaded: Publisher) -> None:
    manifest = uploaded.content.bundles["101"].manifest
    assert manifest["metadata"] == {"appmode": "python-fastapi", "entrypoint": "main:app"}
    assert manifest["environment"] == {"python": {"requires": ">=3.10"}}


@pytest.mark.parametrize(("module", "expected"), [("mlflow", 0), ("hypothesis", 1)])
def test_it_runs_with_its_requirements_and_nothing_else(
    module: str, expected: int, uploaded: Publisher
) -> None:
    python = uploaded.content.bundles["101"].python
    assert python is not None
    find = f"from importlib.util import find_spec; exit(find_spec('{module}') is None)"
    assert subprocess.run([python, "-c", find], check=False).returncode == expected


def test_a_python_of_the_model_wins(uploaded: Publisher) -> None:
    (uploaded.project / ".python-version").write_text("3.12\n")
    written = uploaded.run(f"rsconnect write-manifest fastapi --overwrite {ARGUMENTS}")
    assert written.returncode == 0, written.stdout
    manifest = json.loads((uploaded.project / "manifest.json").read_text())
    assert manifest["environment"] == {"python": {"requires": "~=3.12.0"}}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Publisher]:
    with publishing(tmp_path, "http://127.0.0.1:9") as publisher:
        yield publisher


def make(publisher: Publisher, target: str) -> "subprocess.CompletedProcess[str]":
    """A make target, with the environment of the tests."""
    return publisher.run(f"make -s {target}", VIRTUAL_ENV=sys.prefix)


def test_a_manifest_for_publishing_from_git(project: Publisher) -> None:
    assert make(project, "manifest").returncode == 0
    fresh = make(project, "check-manifest")
    assert fresh.returncode == 0, fresh.stdout
    for path in ("modelserver/app.py", "modelserver/extra.py", "requirements.txt"):
        with (project.project / path).open("a") as file:
            file.write("# changed\n")
    stale = make(project, "check-manifest")
    assert stale.returncode != 0
    assert "python main.py manifest, and commit both\n" in stale.stdout
    assert (
        "\nchanged: modelserver/app.py\n"
        "not in it: modelserver/extra.py\n"
        "changed: requirements.txt\n"
    ) in stale.stdout


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("deploy", "python main.py deploy"),
        ("deploy MODEL_URI=models:/m/1", "python main.py deploy models:/m/1"),
        ("deploy TITLE='My Model API'", 'python main.py deploy --title "My Model API"'),
        ("deploy EXTRA=myhelpers.py", "python main.py deploy myhelpers.py"),
        ("manifest", "python main.py manifest"),
    ],
)
def test_make_runs_the_same_command(target: str, command: str, project: Publisher) -> None:
    shown = project.run(f"make -n {target}", VIRTUAL_ENV=sys.prefix).stdout
    assert " ".join(shown.split()).endswith(command)


def test_make_sends_further_files(project: Publisher) -> None:
    """Also into the manifest, and compares them."""
    helpers = project.project / "myhelpers.py"
    helpers.write_text("")
    assert make(project, "manifest EXTRA=my*.py").returncode == 0
    assert "myhelpers.py" in json.loads((project.project / "manifest.json").read_text())["files"]
    assert make(project, "check-manifest EXTRA=myhelpers.py").returncode == 0
    helpers.write_text("changed = True")
    for named in ("", "EXTRA=myhelpers.py"):  # the manifest says that it belongs to it
        stale = make(project, f"check-manifest {named}").stdout
        assert "changed: myhelpers.py" in stale
        assert "python main.py manifest myhelpers.py, and commit both" in stale


@pytest.mark.parametrize("text", ["", "{}", "[]", "<<<<<<< HEAD\n{}"])
def test_a_manifest_that_cannot_be_read(
    text: str, uploaded: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    (uploaded.project / "manifest.json").write_text(text)
    assert manifest(["--check"], {}, uploaded.project) == 1
    said = capsys.readouterr().out
    assert said == "there is no manifest.json that can be read; python main.py manifest\n"
