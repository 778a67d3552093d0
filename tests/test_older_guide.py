"""What people do who come from an older guide, or begin with the sample model: step by step."""

from collections.abc import Iterator

import pytest

from tests.connect.publisher import PREDICTED, Publisher, publishing
from tests.processes import free_port, tracking_server

HERE_IS_NO_REGISTRY = {"PIP_NO_INDEX": "1", "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """Somebody whose tracking server is on Connect, and who ran the script of the sample model."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "tracking").mkdir()
    with (
        tracking_server(folder / "tracking", free_port()) as tracking,
        publishing(folder, tracking.url) as publisher,
    ):
        done = run(publisher, "python example_test.py")
        assert "Registry: models:/wine/1\n" in done
        yield publisher


def run(publisher: Publisher, command: str) -> str:
    """What a command prints that succeeds, with the registry on Connect."""
    tracking = {"MLFLOW_TRACKING_URI": f"{publisher.connect.url}/mlflow"}
    done = publisher.run(command, **tracking, **HERE_IS_NO_REGISTRY)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_sample_model_is_registered_with_the_key_alone(trained: Publisher) -> None:
    assert set(trained.connect.door.seen) == {f"Key {trained.connect.publisher_key}"}


def test_the_sample_model_on_connect(trained: Publisher) -> None:
    run(trained, "./install_model_deps.sh --update models:/wine/1")
    assert trained.deploy("models:/wine/1").returncode == 0
    assert trained.predict() == PREDICTED
