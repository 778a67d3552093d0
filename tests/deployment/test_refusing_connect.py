"""What the stand-in for Connect refuses, as Connect, rsconnect and pip do."""

import io
import re
import tarfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from modelserver.deployment.bundle import ARGUMENTS
from tests.support.connect.environment import BuildFailed, environment_of
from tests.support.connect.publisher import Publisher, publishing
from tests.support.processes import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.repeats]

PANDAS = f"pandas=={version('pandas')}"


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    """Somebody who has no model yet."""
    with publishing(tmp_path, "http://127.0.0.1:9") as publisher:
        yield publisher


def refused(publisher: Publisher, command: str, **environment: str) -> str:
    """What the real rsconnect says; nothing was deployed."""
    done = publisher.run(command, **environment)
    assert done.returncode == 1, done.stdout
    assert all(content.active is None for content in publisher.connect.contents.values())
    return done.stdout


DEPLOY = f"rsconnect deploy fastapi {ARGUMENTS}"


def test_a_wrong_key(publisher: Publisher) -> None:
    said = refused(publisher, DEPLOY, CONNECT_API_KEY="ab4dk3y")
    assert "API key" in said
    assert "ab4dk3y" not in said
    assert publisher.connect.contents == {}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("rm requirements.txt && " + DEPLOY, "requirements"),
        (DEPLOY + " ../outside.py", "outside.py"),
        (DEPLOY.replace("main:app", "main:app:app"), "[Ee]ntry"),
    ],
)
def test_what_rsconnect_refuses_itself(command: str, said: str, publisher: Publisher) -> None:
    (publisher.project.parent / "outside.py").touch()
    assert re.search(said, refused(publisher, command))
    assert publisher.connect.contents == {}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("no-such-package==1", "No matching distribution found for no-such-package==1"),
        (f"{PANDAS}\npandas<2.1", "these package versions have conflicting dependencies"),
        (
            "scikit-learn==1.4.2+cpu",
            r"No matching distribution found for scikit-learn==1\.4\.2\+cpu",
        ),
        ("six==1numpy==2", "Invalid requirement|No matching distribution"),
        (f"{PANDAS} --hash=sha256:{64 * 'a'}", "Hashes are required in --require-hashes mode"),
        ("-r more.txt", "Could not open requirements file"),
    ],
)
def test_requirements_that_pip_refuses(lines: str, said: str) -> None:
    """What it says then is seen in a deployment of `test_deploy.py`."""
    with pytest.raises(BuildFailed, match=said):
        environment_of(f"{(ROOT / 'requirements.txt').read_text()}{lines}\n")


@pytest.mark.parametrize("wanted", ["3.8", ">=4"])
def test_a_python_that_it_does_not_have(wanted: str, publisher: Publisher) -> None:
    (publisher.project / ".python-version").write_text(f"{wanted}\n")
    assert "no compatible Local environment with Python version" in refused(publisher, DEPLOY)


def test_content_that_does_not_listen_in_time(publisher: Publisher) -> None:
    """The old bundle stays."""
    assert publisher.deploy().returncode == 0
    url = f"{publisher.connect.url}/__api__/v1/content/{publisher.content.guid}"
    httpx.patch(url, json={"init_timeout": 1}, headers=publisher.key).raise_for_status()
    (publisher.project / "main.py").write_text("import time\ntime.sleep(60)\n")
    late = publisher.deploy()
    assert late.returncode == 1
    assert publisher.content.active is publisher.content.bundles["101"]
    assert publisher.get("").status_code == 200


@pytest.mark.parametrize("name", ["main.py", "../manifest.json"])
def test_a_bundle_without_a_manifest_or_with_files_outside(name: str, publisher: Publisher) -> None:
    """Which rsconnect does not send, but others may."""
    publisher.connect.add_content("mine")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    url = f"{publisher.connect.url}/__api__/v1/content/{publisher.content.guid}/bundles"
    answer = httpx.post(url, content=archive.getvalue(), headers=publisher.key, timeout=90)
    assert answer.status_code == 400
    assert publisher.content.bundles == {}
