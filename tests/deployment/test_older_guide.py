"""What people do who come from an older guide, or begin with the sample model: step by step."""

from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from tests.support.connect.publisher import PREDICTED, Publisher, publishing

pytestmark = [pytest.mark.processes, pytest.mark.repeats]

ENVIRONMENT = {
    "PIP_NO_INDEX": "1",
    "PYTHONWARNINGS": "ignore",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


def run(publisher: Publisher, command: str) -> str:
    """What a command prints, with the registry on Connect."""
    tracking = {"MLFLOW_TRACKING_URI": f"{publisher.connect.url}/mlflow"}
    done = publisher.run(command, **tracking, **ENVIRONMENT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_sample_model_on_connect(tmp_path: Path, wine_registry: str) -> None:
    """It is registered with the key alone, under a new name, then deployed."""
    with publishing(tmp_path, wine_registry) as trained:
        script = trained.project / "example_test.py"
        script.write_text(script.read_text().replace('NAME = "wine"', 'NAME = "sample"'))
        assert "Registry: models:/sample/1\n" in run(trained, "python example_test.py")
        assert set(trained.connect.door.seen) == {f"Key {trained.connect.publisher_key}"}
        run(trained, "./install_model_deps.sh --update models:/sample/1")
        assert trained.deploy("models:/sample/1").returncode == 0
        assert trained.predict() == PREDICTED


DEPLOY_ALL = (
    'rsconnect deploy fastapi --server "$CONNECT_SERVER" --api-key "$CONNECT_API_KEY" '
    '--entrypoint main:app --title "My Model API" .'
)


@pytest.mark.usefixtures("mlflow_as_before")
def test_the_steps_of_an_older_guide(light: str, wine_registry: str, tmp_path: Path) -> None:
    """Download, append, sort, send the whole folder. MLflow alone is sent to the login page."""
    with publishing(tmp_path, wine_registry) as publisher:
        mlflow.set_tracking_uri(f"{publisher.connect.url}/mlflow")
        with pytest.raises(MlflowException, match="please log in"):
            mlflow.artifacts.download_artifacts(light)
        (publisher.project / ".env").write_text("KEY=k3y\n")
        run(publisher, f"python main.py download {light}")
        run(publisher, "cat model_artifacts/requirements.txt >> requirements.txt")
        run(publisher, "sort -u requirements.txt -o requirements.txt")
        run(publisher, DEPLOY_ALL)
        assert ".env" in publisher.content.bundles["101"].files
        assert publisher.content.settings["title"] == "My Model API"
        publisher.set_variables(MODEL_URI=light)
        assert publisher.predict() == PREDICTED
        run(publisher, f"python main.py deploy {light}")
        assert ".env" not in publisher.content.bundles["102"].files
        assert publisher.predict() == PREDICTED
