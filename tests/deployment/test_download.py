"""A model's files in a folder, from stores of every kind, with the login that each wants."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from modelserver.deployment.download import download, fetch_model
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LoadFailed
from tests.deployment.test_environment import files_below
from tests.support.connect.door import Door
from tests.support.processes import free_port
from tests.support.serving import serving

pytestmark = pytest.mark.usefixtures("mlflow_as_before")

Captured = pytest.CaptureFixture[str]

KEY = "k3y-of-connect"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("uri", ["models:/wine/1", "models:/wine@champion", "models:/wine/latest"])
def test_from_a_registry_on_connect_with_its_key_alone(
    uri: str, wine_registry: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    door = Door(wine_registry, lambda header: header == f"Key {KEY}", login_page="/login")
    with serving(door) as url:
        environment = {"CONNECT_SERVER": url, "CONNECT_API_KEY": KEY, "MLFLOW_TRACKING_URI": url}
        folder = fetch_model(uri, tmp_path / "new" / "model", read_settings(environment))
    assert folder == tmp_path / "new" / "model"
    assert {"MLmodel", "requirements.txt", "input_example.json"} <= names(folder)
    assert set(door.seen) == {f"Key {KEY}"}
    assert names(folder.parent) == {"model"}
    assert capfd.readouterr() == ("", "")


def test_a_login_that_is_refused(wine_registry: str, tmp_path: Path) -> None:
    door = Door(wine_registry, lambda header: False)
    with serving(door) as url:
        environment = {"CONNECT_SERVER": url, "CONNECT_API_KEY": KEY, "MLFLOW_TRACKING_URI": url}
        settings = read_settings(environment)
        with pytest.raises(LoadFailed, match="refused the login") as failed:
            fetch_model("models:/wine/1", tmp_path / "model", settings)
    assert KEY not in str(failed.value)
    assert names(tmp_path) == set()


def test_from_a_folder_and_from_a_run(
    model_path: Callable[[str], Path], store: str, tmp_path: Path
) -> None:
    """The store keeps its files."""
    saved = model_path("one_long")
    mlflow.set_tracking_uri(store)
    place = tmp_path / "artifacts"
    experiment = mlflow.create_experiment("models", artifact_location=str(place))
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_artifacts(str(saved), "model")
        mlflow.log_text("no model", "notes/text.txt")
    settings = read_settings({"MLFLOW_TRACKING_URI": store})
    before = files_below(place)
    (tmp_path / "empty").mkdir()
    for uri in (str(saved), f"runs:/{run.info.run_id}/model"):
        folder = fetch_model(uri, tmp_path / "empty" / uri[-5:].strip("/"), settings)
        assert names(saved) <= names(folder)
    assert files_below(place) == before
    with pytest.raises(LoadFailed, match="there is no model runs:/"):
        fetch_model(f"runs:/{run.info.run_id}/notes", tmp_path / "notes", settings)


def test_an_empty_folder_is_filled(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    uri = str(model_path("one_long"))
    assert "MLmodel" in names(fetch_model(uri, folder, read_settings({})))
    assert Path(uri).is_dir()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_there_stays(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    file = folder if kind == "file" else folder / "old"
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="it is there and not empty; name another folder"):
        fetch_model("models:/wine/1", folder, read_settings({}))
    assert file.read_text() == "mine"


def test_a_model_that_is_not_there(wine_registry: str, tmp_path: Path) -> None:
    settings = read_settings({"MLFLOW_TRACKING_URI": wine_registry})
    with pytest.raises(LoadFailed, match="there is no model models:/wine/77 in the tracking"):
        fetch_model("models:/wine/77", tmp_path / "model", settings)
    nobody = read_settings({"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(LoadFailed, match="cannot be reached"):
        fetch_model("models:/wine/1", tmp_path / "model", nobody)
    assert names(tmp_path) == set()


def test_the_command(
    model_path: Callable[[str], Path],
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri, folder = str(model_path("one_long")), tmp_path / "model"
    assert download([uri, str(folder)], {}) == 0
    assert capsys.readouterr().out == f"{folder} has the model's files\n"
    assert "MLmodel" in names(folder)
    assert download([uri, str(folder)], {}) == 1
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert download([uri, str(tmp_path / "link")], {}) == 1
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert download([uri, "."], {}) == 0
    assert Path("MLmodel").is_file()
    elsewhere = str(tmp_path / "other")
    assert download([elsewhere], {"MODEL_URI": uri}) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one model URI is needed, such as models:/my-model/1; see --help"),
        (["wine/1"], "wine/1 was taken for the folder; one model URI is needed, such as models:/m"),
        (["models:/a/1", "b", "c"], "c is one folder too many; see --help"),
        (["models:/a/1", "/dev/null/x"], "/dev/null/x: File exists"),
        (["models:/a/1", "/dev"], "/dev: it is there and not empty"),
    ],
)
def test_what_the_command_refuses(arguments: list[str], said: str, capsys: Captured) -> None:
    assert download(arguments, {"CONNECT_SERVER": "https://connect.example.com"}) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"main.py download: {said}")
    assert len(error.splitlines()) == 1
    assert "MLFLOW_TRACKING_URI" not in error


def test_a_setting_that_cannot_be_read(capsys: Captured) -> None:
    assert download(["models:/a/1"], {"PORT": "http"}) == 1
    assert capsys.readouterr().err.startswith("main.py download: PORT='http': expected a whole")


def test_who_has_a_connect_is_told_of_its_tracking_server(tmp_path: Path, capsys: Captured) -> None:
    environment = {
        "CONNECT_SERVER": "https://connect.example.com",
        "MODEL_URI": str(tmp_path / "nowhere"),
    }
    assert download([str(tmp_path / "new")], environment) == 1
    assert capsys.readouterr().err.endswith(
        "If it is on your Connect: export MLFLOW_TRACKING_URI=https://connect.example.com/mlflow\n"
    )
