"""What people do who come from an older guide, or begin with the sample model: step by step."""

import json
from pathlib import Path

import pytest

from tests.support.connect.publisher import PREDICTED, Publisher, publishing
from tests.support.processes import free_port, tracking_server

pytestmark = pytest.mark.processes

ENVIRONMENT = {
    "PIP_NO_INDEX": "1",
    "PYTHONWARNINGS": "ignore",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


def run(publisher: Publisher, command: str, expected: int = 0) -> str:
    """What a command prints, with the registry on Connect."""
    tracking = {"MLFLOW_TRACKING_URI": f"{publisher.connect.url}/mlflow"}
    done = publisher.run(command, **tracking, **ENVIRONMENT)
    assert done.returncode == expected, done.stdout
    return done.stdout


def test_the_sample_model_on_connect(tmp_path: Path) -> None:
    """It is registered with the key alone in an empty registry, then deployed."""
    with (
        tracking_server(tmp_path, free_port()) as registry,
        publishing(tmp_path, registry.url) as trained,
    ):
        assert "Registry: models:/wine/1\n" in run(trained, "python example_test.py")
        assert set(trained.connect.door.seen) == {f"Key {trained.connect.publisher_key}"}
        run(trained, "./install_model_deps.sh --update models:/wine/1")
        assert trained.deploy("models:/wine/1").returncode == 0
        assert trained.predict() == PREDICTED


DEPLOY_ALL = (
    'rsconnect deploy fastapi --server "$CONNECT_SERVER" --api-key "$CONNECT_API_KEY" '
    '--entrypoint main:app --title "My Model API" .'
)


def test_the_steps_of_an_older_guide(light: str, wine_registry: str, tmp_path: Path) -> None:
    """Download, append, sort, send the whole folder. MLflow alone is sent to the login page."""
    with publishing(tmp_path, wine_registry) as publisher:
        (publisher.project / ".env").write_text("KEY=k3y\n")
        download = f"mlflow artifacts download -u {light} -d model_artifacts"
        assert "please log in" in run(publisher, download, expected=1)
        run(publisher, f"rm -rf model_artifacts; python main.py download {light}")
        run(publisher, "cat model_artifacts/requirements.txt >> requirements.txt")
        run(publisher, "sort -u requirements.txt -o requirements.txt")
        checked = run(publisher, f"python main.py check {light} --json")
        (folder,) = [row for row in json.loads(checked)["checks"] if row["name"] == "whole folder"]
        assert folder["status"] == "warning"
        assert folder["found"].endswith(" data: '.env', 'model_artifacts/'")
        assert folder["advice"] == f"python main.py deploy {light}"
        run(publisher, DEPLOY_ALL)
        assert ".env" in publisher.content.bundles["101"].files
        assert publisher.content.settings["title"] == "My Model API"
        publisher.set_variables(MODEL_URI=light)
        assert publisher.predict() == PREDICTED
        run(publisher, folder["advice"])
        assert ".env" not in publisher.content.bundles["102"].files
        assert publisher.predict() == PREDICTED
