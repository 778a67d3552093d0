"""From the project to a running API, with the real rsconnect, against a stand-in for Connect.

The stand-in runs what it was sent as Connect does; the model comes from a real tracking server,
which the stand-in shows to the content's own key only.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Page

from modelserver.hosting.login import CONNECT_KEY
from tests.support.connect.door import Door
from tests.support.connect.publisher import PREDICTED, Publisher, publishing, register
from tests.support.processes import free_port, wait_for
from tests.support.serving import serving
from tests.whole.test_lifecycle import NEEDS_A_PACKAGE, with_loader

pytestmark = pytest.mark.repeats

NAME = f"deployed-by-{os.getpid()}"
"""A registered model that no other process of the tests asks for."""


@pytest.fixture
def publisher(tmp_path: Path, wine_registry: str) -> Iterator[Publisher]:
    with publishing(tmp_path, wine_registry) as publisher:
        yield publisher


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, light_folder: Path, wine_registry: str
) -> Iterator[Publisher]:
    """Deployed with the first version of a model, and with a vanity URL."""
    for _ in range(2):
        register(light_folder, NAME, wine_registry)
    MlflowClient(wine_registry).set_registered_model_alias(NAME, "champion", "1")
    with publishing(tmp_path_factory.mktemp("deployed"), wine_registry) as publisher:
        deployment = publisher.deploy(f"models:/{NAME}@champion")
        assert deployment.returncode == 0, deployment.stdout
        publisher.content.vanity = "my-model"
        yield publisher


def vanity(publisher: Publisher) -> str:
    return f"{publisher.connect.url}/my-model/"


def test_predicts(deployed: Publisher) -> None:
    assert deployed.predict() == PREDICTED
    assert deployed.predict(vanity(deployed)) == PREDICTED


@pytest.mark.parametrize("path", ["", "ping", "health", "docs", "redoc", "openapi.json"])
def test_every_page_is_found_under_every_prefix(path: str, deployed: Publisher) -> None:
    draft = f"{deployed.url}_bundle101/"
    for base in (deployed.url, vanity(deployed), draft):
        assert deployed.get(path, base).status_code == 200


def test_chromium_opens_the_pages(deployed: Publisher, visit: Callable[..., Page]) -> None:
    bases = {"": deployed.url, "docs": vanity(deployed), "redoc": f"{deployed.url}_bundle101/"}
    for path, base in bases.items():
        page = visit(base, path, extra_http_headers=deployed.key)
        page.get_by_text(NAME).first.wait_for(state="attached", timeout=90_000)


def test_the_tracking_server_saw_the_key_of_the_process_only(deployed: Publisher) -> None:
    deployed.health()
    keys = {f"Key {job.key}" for job in deployed.content.jobs}
    assert deployed.connect.door.seen
    assert set(deployed.connect.door.seen) <= keys


def test_no_key_is_printed(deployed: Publisher) -> None:
    deployed.health()
    shown = deployed.content.log() + "".join(
        deployed.get(path).text for path in ("", "health", "metadata", "openapi.json", "nowhere")
    )
    for key in [deployed.connect.publisher_key, *(job.key for job in deployed.content.jobs)]:
        assert key not in shown


def test_a_new_version_under_the_alias_is_picked_up_by_a_restart(
    deployed: Publisher, wine_registry: str
) -> None:
    before = deployed.health()["version"]
    MlflowClient(wine_registry).set_registered_model_alias(NAME, "champion", "2")
    assert deployed.health()["version"] == before == "1"
    deployed.content.restart()
    assert deployed.health()["version"] == "2"


def test_a_tracking_server_that_is_down_at_the_start_and_comes_back(
    deployed: Publisher, wine_registry: str
) -> None:
    door = deployed.connect.door
    door.upstream = f"http://127.0.0.1:{free_port()}"
    deployed.content.restart()
    try:
        health = deployed.health()
        assert health["state"] == "failed"
        assert health["reason"].startswith(
            f"the tracking server {deployed.connect.url}/mlflow cannot be reached"
        )
        assert deployed.get("").status_code == 503
    finally:
        door.upstream = wine_registry
    wait_for(lambda: deployed.get("ping").status_code == 200)
    assert deployed.predict() == PREDICTED


def test_the_first_deployment_without_a_model(publisher: Publisher, light: str) -> None:
    """The model is set later, by somebody who may not use the tracking server at first."""
    deployment = publisher.deploy()
    assert deployment.returncode == 0, deployment.stdout
    page = publisher.get("")
    assert page.status_code == 200
    assert "MODEL_URI" in page.text
    assert "Vars" in page.text
    publisher.connect.owner_is_viewer = False
    publisher.set_variables(MODEL_URI=light)
    assert publisher.health()["reason"] == (
        f"the tracking server {publisher.connect.url}/mlflow refused the login "
        f"(it answered with a web page): {CONNECT_KEY}"
    )
    publisher.connect.owner_is_viewer = True
    wait_for(lambda: publisher.get("ping").status_code == 200)
    assert publisher.predict() == PREDICTED


CONVERSATION = """
GET server_settings
GET server_settings
GET v1/user
GET v1/content
GET server_settings
POST v1/content
PATCH v1/content/{guid}/environment
POST v1/content/{guid}/bundles
POST v1/content/{guid}/deploy
GET v1/tasks/task1
POST v1/content/{guid}/deploy
GET v1/tasks/task2
"""


def test_what_rsconnect_asks(deployed: Publisher) -> None:
    asked = CONVERSATION.format(guid=deployed.content.guid).strip()
    assert "\n".join(deployed.connect.calls) == asked


def test_a_bad_uri_in_a_redeployment(publisher: Publisher) -> None:
    """The old bundle stays, but the variable is the content's."""
    assert publisher.deploy().returncode == 0
    failed = publisher.deploy("models:/wine/99")
    assert failed.returncode == 1
    assert "503" in failed.stdout or "logs" in failed.stdout, failed.stdout
    active = publisher.content.active
    assert active is not None
    assert active.id == "101"
    assert publisher.health()["reason"].startswith("there is no model models:/wine/99 in ")


def test_a_bundle_that_does_not_start_leaves_the_old_one_alone(publisher: Publisher) -> None:
    assert publisher.deploy().returncode == 0
    (job,) = publisher.content.jobs
    (publisher.project / "main.py").write_text("import nowhere_to_be_found\n")
    failed = publisher.deploy()
    assert failed.returncode == 1
    assert "No module named 'nowhere_to_be_found'" in publisher.content.log()
    assert job.runs()
    assert publisher.get("").status_code == 200


def test_a_requirement_that_cannot_be_met(publisher: Publisher, light: str) -> None:
    with (publisher.project / "requirements.txt").open("a") as requirements:
        requirements.write("\nno-such-package-anywhere==1.0  # pinned\n")
    failed = publisher.deploy(light)
    assert failed.returncode == 1
    assert "No matching distribution found for no-such-package-anywhere==1.0" in failed.stdout
    assert publisher.content.active is None


def test_a_bundle_that_is_too_large(publisher: Publisher, light: str) -> None:
    """Connect has no limit that is known; the proxy before it may have one."""
    publisher.connect.largest_upload = 1000
    failed = publisher.deploy(light)
    assert failed.returncode == 1
    assert re.search(r"unexpected response from .*/bundles\): 413", failed.stdout)
    assert publisher.content.bundles == {}


def test_a_package_that_the_model_misses(
    publisher: Publisher,
    model_path: Callable[[str], Path],
    tmp_path: Path,
    wine_registry: str,
) -> None:
    path = with_loader(model_path("wine"), tmp_path / "needy", NEEDS_A_PACKAGE)
    (path / "requirements.txt").write_text("mlflow\nskimage-of-nobody==0.25.1\n")
    failed = publisher.deploy(register(path, "needy", wine_registry))
    assert failed.returncode == 1
    reason = (
        "the model needs the package skimage-of-nobody, which is not installed; add the line "
        "`skimage-of-nobody==0.25.1` to requirements.txt and deploy again"
    )
    assert reason in publisher.content.log()


def test_a_tracking_server_elsewhere(publisher: Publisher, light: str, wine_registry: str) -> None:
    """It gets the user's token, and never Connect's key."""
    door = Door(wine_registry, lambda authorization: authorization == "Bearer theirs")
    with serving(door) as url:
        elsewhere = {
            "MLFLOW_TRACKING_URI": url.replace("127.0.0.1", "localhost"),
            "MLFLOW_TRACKING_TOKEN": "theirs",
        }
        assert publisher.deploy().returncode == 0
        publisher.set_variables(MODEL_URI=light, **elsewhere)
        assert publisher.predict() == PREDICTED
    assert set(door.seen) == {"Bearer theirs"}
    assert publisher.connect.door.seen == []


def test_an_older_connect_below_a_path(tmp_path: Path, light: str, wine_registry: str) -> None:
    """It has no drafts."""
    with publishing(tmp_path, wine_registry, "/rsc") as publisher:
        publisher.connect.version = "2025.03.0"
        assert publisher.deploy(light).returncode == 0
        assert not any("_bundle" in path for path in publisher.connect.calls)
        assert publisher.predict() == PREDICTED
        assert publisher.get("docs").status_code == 200
        (job,) = publisher.content.jobs
        assert set(publisher.connect.door.seen) == {f"Key {job.key}"}
