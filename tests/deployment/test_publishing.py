"""`python main.py deploy` and `manifest`: what rsconnect is asked; each step without a shell."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelserver.deployment.bundle import ARGUMENTS, variables
from modelserver.deployment.publishing import Call, deploy, manifest, read_call, shown
from tests.support.connect.publisher import PREDICTED, Publisher, copy_project, publishing
from tests.support.processes import ROOT, free_port

ALONE = {"--new", "-v", "--no-verify"}
OURS = {"--dry-run"}


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("", Call(None, [], set(), [])),
        ("models:/m/1 my.py", Call("models:/m/1", ["my.py"], set(), [])),
        ("my.py models:/m/1", Call("models:/m/1", ["my.py"], set(), [])),
        ("--title T models:/m/1", Call("models:/m/1", [], set(), [("--title", "T")])),
        ("--title=a=b", Call(None, [], set(), [("--title", "a=b")])),
        ("-tT -vv x.py", Call(None, ["x.py"], set(), [("-t", "T"), ("-v",), ("-v",)])),
        ("--new x.py --dry-run", Call(None, ["x.py"], {"--dry-run"}, [("--new",)])),
        (
            "--server https://host models:/m@a",
            Call("models:/m@a", [], set(), [("--server", "https://host")]),
        ),
        ("-E A=models:/m/1 my.py", Call(None, ["my.py"], set(), [("-E", "A=models:/m/1")])),
        ("--title", Call(None, [], set(), [("--title",)])),
        ("-vkKEY -vt T", Call(None, [], set(), [("-v",), ("-k", "KEY"), ("-v",), ("-t", "T")])),
    ],
)
def test_options_files_and_the_model_in_any_order(line: str, call: Call) -> None:
    assert read_call(line.split(), ALONE, OURS) == call


@pytest.mark.parametrize(
    ("option", "visible"),
    [
        (("-k", "S"), ("-k", "***")),
        (("--api-key", "S"), ("--api-key", "***")),
        (("-E", "PASSWORD=S=S\nS"), ("-E", "PASSWORD=***")),
        (("-E", "PASSWORD"), ("-E", "PASSWORD")),
        (("--server", "https://me:S@host"), ("--server", "***")),
        (("--title", "My#1?"), ("--title", "My#1?")),
        (("-v",), ("-v",)),
    ],
)
def test_what_may_be_secret_is_not_printed(
    option: tuple[str, ...], visible: tuple[str, ...]
) -> None:
    assert shown(option) == visible


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({}, {}),
        ({"MLFLOW_TRACKING_URI": "https://mlflow.example.com"}, {}),
        ({"MODEL_URI": "models:/a b/1"}, {"MODEL_URI": "models:/a b/1"}),
        (
            {
                "MODEL_URI": "models:/a/1",
                "MLFLOW_TRACKING_URI": "https://connect.example.com/mlflow",
                "CONNECT_SERVER": "https://connect.example.com/",
            },
            {"MODEL_URI": "models:/a/1"},
        ),
        (
            {"MODEL_URI": "models:/a/1", "MLFLOW_TRACKING_URI": "https://mlflow.example.com/"},
            {"MODEL_URI": "models:/a/1", "MLFLOW_TRACKING_URI": "https://mlflow.example.com"},
        ),
        (
            {"MODEL_URI": "'models:/a/1'", "MLFLOW_TRACKING_URI": '"HTTPS://mlflow.example.com"'},
            {"MODEL_URI": "models:/a/1", "MLFLOW_TRACKING_URI": "HTTPS://mlflow.example.com"},
        ),
        (
            {
                "MODEL_URI": "models:/a/1",
                "MLFLOW_TRACKING_URI": "databricks",
                "MLFLOW_REGISTRY_URI": "databricks-uc",
            },
            {
                "MODEL_URI": "models:/a/1",
                "MLFLOW_TRACKING_URI": "databricks",
                "MLFLOW_REGISTRY_URI": "databricks-uc",
            },
        ),
        (
            {"MODEL_URI": "models:/a/1", "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
            {"MODEL_URI": "models:/a/1"},
        ),
    ],
)
def test_the_variables_of_the_content(
    environment: dict[str, str], settings: dict[str, str]
) -> None:
    assert variables(environment) == settings


DRY = "rsconnect deploy fastapi "

CONNECT = "tests/support/connect"

FOLDER = sorted(f"{CONNECT}/{file.name}" for file in (ROOT / CONNECT).glob("*.py"))

NEEDS = "tests/support/needs.py"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], f"{DRY}{ARGUMENTS}"),
        (["models:/a b/1"], f"{DRY}-E 'MODEL_URI=models:/a b/1' {ARGUMENTS}"),
        (["runs:/x?token=S"], f"{DRY}-E MODEL_URI {ARGUMENTS}"),
        (
            ["--title", "My API", "-v", "models:/m/1", "tests/support/need*.py"],
            f"{DRY}-E MODEL_URI=models:/m/1 --title 'My API' -v {ARGUMENTS} {NEEDS}",
        ),
        ([f"./{NEEDS}", str(ROOT / NEEDS)], f"{DRY}{ARGUMENTS} {NEEDS}"),
        (
            ["tests/support/connect"],
            f"{DRY}{ARGUMENTS} {' '.join(FOLDER)}",
        ),
    ],
)
def test_the_line_that_is_run(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy([*arguments, "--dry-run", "--no-check"], {}) == 0
    assert capsys.readouterr().out == f"{line}\n"


def test_powershell_gets_names_in_place_of_patterns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("modelserver.deployment.publishing.WINDOWS", True)
    assert deploy(["--dry-run"], {}) == 0
    line = capsys.readouterr().out
    assert "modelserver/app.py" in line
    assert "*." not in line


@pytest.fixture(scope="module")
def with_a_secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a file that should not be sent."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    (project / "tests" / "secret.pem").touch()
    return project


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["no such*.py"],
            "no such*.py was taken for a further file, and is not in the project's folder; name "
            "files by their paths there, or a model as models:/my-model/1 or",
        ),
        (
            ["example_tset.py"],
            "is not in the project's folder; did you mean 'example_test.py'",
        ),
        (
            ["wine/1"],
            "wine/1 was taken for a further file, and is not in the project's folder; a registered "
            "model is written models:/my-model/1",
        ),
        (["wine:1"], "; a registered model is written models:/my-model/1"),
        (["models:/a/1", "models:/b/1"], "models:/b/1 is one model too many; name one"),
        (
            ["../outside.py"],
            "../outside.py was taken for a further file, and is not in the project's folder; name",
        ),
        (
            ["{root}/main.py", "/etc/passwd"],
            "/etc/passwd was taken for a further file, and is not in the project's folder; copy it",
        ),
        (
            ["tests/secret.pem"],
            "should not go: tests/secret.pem (a secret); mv tests/secret.pem ..",
        ),
    ],
)
@pytest.mark.parametrize("command", [deploy, manifest])
def test_what_cannot_be_sent(
    command: Any,
    arguments: list[str],
    said: str,
    with_a_secret: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = [argument.format(root=with_a_secret) for argument in arguments]
    assert command([*named, "--dry-run"], {}, with_a_secret) == 1
    error = capsys.readouterr().err
    assert error.startswith("main.py: ")
    assert said in error


def test_a_folder_of_this_machine_is_no_model_on_connect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for uri in (str(tmp_path), f"file://{tmp_path}"):
        assert deploy(["--dry-run"], {"MODEL_URI": uri}) == 1
        assert capsys.readouterr().err == (
            f"main.py: {uri} is a folder of this machine; register the model, and name "
            "models:/my-model/1\n"
        )


def test_without_rsconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rsconnect.main", None)
    with pytest.raises(SystemExit, match="pip install rsconnect-python"):
        deploy([], {})


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "no server is known: CONNECT_SERVER is not set, and rsconnect list is empty; ex"),
        ([], {"CONNECT_SERVER": "https://connect.example.com"}, "but CONNECT_API_KEY is not; expo"),
        (["--server", "https://connect.example.com"], {}, "but CONNECT_API_KEY is not; export CO"),
        (["models:/wine/1", "--dry-run"], {}, "sqlite:…/mlflow.db is only on this machine: Conn"),
        (["models:/wine/1", "--server", "http://127.0.0.1:9", "--api-key", "k"], {},
         "the tracking server http://127.0.0.1:9/mlflow cannot be reached; the content asks it, "
         "since MLFLOW_TRACKING_URI is not set; check MLFLOW_TRACKING_URI and that it is running"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("mlflow_as_before")
def test_what_is_found_before_anything_is_sent(
    arguments: list[str],
    environment: dict[str, str],
    said: str,
    store: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "--dry-run" in arguments:
        environment = {"MLFLOW_TRACKING_URI": store}
    assert deploy(arguments, {"HOME": str(tmp_path), **environment}) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err[:9]) == ("", "main.py: ")
    assert said in shown.err


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory, wine_registry: str) -> Iterator[Publisher]:
    with publishing(tmp_path_factory.mktemp("desk"), wine_registry) as publisher:
        yield publisher


@pytest.mark.processes
def test_a_manifest_and_what_is_not_as_it_says(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root, environment = copy_project(tmp_path / "project"), dict(os.environ)
    assert manifest(["--check"], environment, root) == 1
    assert capfd.readouterr().out.startswith("there is no manifest.json that can be read; python")
    for name in ("mine.py", "gone.py"):
        (root / name).touch()
    assert manifest(["models:/wine/1", "mine.py", "gone.py"], environment, root) == 0
    assert "set MODEL_URI in the content's Vars pane" in capfd.readouterr().out
    assert manifest(["--check"], environment, root) == 0
    assert capfd.readouterr().out == "manifest.json is up to date\n"
    (root / "gone.py").unlink()
    (root / "mine.py").write_text("changed")
    (root / "new.py").touch()
    assert manifest(["--check", "new.py"], environment, root) == 1
    assert capfd.readouterr().out.splitlines() == [
        "manifest.json is not of the files that are here; python main.py manifest new.py mine.py, "
        "and commit both",
        "not here: gone.py",
        "changed: mine.py",
        "not in it: new.py",
    ]
    assert manifest(["--check", "nosuch.py"], environment, root) == 1
    assert capfd.readouterr().out.startswith("nosuch.py was taken for a further file, and ")


@pytest.mark.processes
def test_a_server_that_is_not_there(
    publisher: Publisher, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere = ["--server", f"http://127.0.0.1:{free_port()}", "--api-key", "k3y-of-nobody"]
    environment = {**os.environ, "HOME": str(publisher.home)}
    arguments = ["models:/wine/1", "--no-check", *elsewhere]
    assert deploy(arguments, environment, publisher.project) == 1
    shown = capfd.readouterr()
    assert "--api-key '***'" in shown.out
    assert "k3y" not in shown.out + shown.err
    assert "MODEL_URI may be models:/wine/1 now" in shown.err


def step(publisher: Publisher, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command as a shell without patterns and programs would start it."""
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=publisher.project,
        env={
            "PATH": "",
            "HOME": str(publisher.home),
            "CONNECT_SERVER": publisher.connect.url,
            "CONNECT_API_KEY": publisher.connect.publisher_key,
            "MLFLOW_TRACKING_URI": f"{publisher.connect.url}/mlflow",
            "RSCONNECT_DISABLE_VERSION_CHECK": "1",
            "PIP_NO_INDEX": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_every_step_without_a_shell(publisher: Publisher, light: str) -> None:
    (publisher.project / "myhelpers.py").touch()
    for arguments, said in [
        (["install", light], "all are installed already"),
        (["deploy", light, "--title", "My API", "my*.py"], "--title 'My API'"),
        (["manifest", "my*.py"], "rsconnect write-manifest"),
        (["manifest", "--check", "myhelpers.py"], "up to date"),
    ]:
        done = step(publisher, *arguments)
        assert said in done.stdout, done.stdout
        assert done.returncode == 0, done.stdout
        assert publisher.connect.publisher_key not in done.stdout
    assert publisher.predict() == PREDICTED
    assert publisher.content.settings["title"] == "My API"


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_a_model_that_does_not_exist(option: list[str], publisher: Publisher) -> None:
    done = step(publisher, "deploy", "models:/no-such-model/1", *option)
    assert done.returncode == 1
    assert done.stdout.startswith("main.py: there is no model models:/no-such-model/1 in ")
    assert done.stdout.endswith(", or deploy with --no-check\n")


def test_a_refusal_of_rsconnect_is_ours(publisher: Publisher) -> None:
    done = step(publisher, "deploy", "--no-such-option", "x")
    assert done.returncode == 2
    assert "No such option" in done.stdout


@pytest.mark.processes
def test_files_beside_the_current_folder(tmp_path: Path) -> None:
    """The project is where main.py is."""
    command = [sys.executable, str(ROOT / "main.py"), "deploy", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"{ARGUMENTS}\n")
