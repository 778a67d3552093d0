"""The command line of main.py: in this process what is printed, as processes what they are for."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from modelserver.deployment import commands
from modelserver.deployment.commands import COMMANDS
from tests.support.processes import ROOT, answering, inherited, interrupted_while_it_waits

pytestmark = pytest.mark.usefixtures("mlflow_as_before")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**inherited(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def code_of(*arguments: str, **environment: str) -> int:
    """The exit code of the same in this process."""
    try:
        return commands.run(arguments, environment)
    except SystemExit as end:
        return int(end.code or 0)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("--help") == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["--chekc"], ["--json"], ["serve"]])
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: python main.py [command] [models:/my-model/1] …\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(command, "--help") == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: main.py {command} ")
    assert said.err == ""


@pytest.mark.processes
@pytest.mark.measured
def test_check_passes(light_folder: Path, tmp_path: Path) -> None:
    """With a model that needs nothing but what the server has."""
    uri = shutil.copytree(light_folder, tmp_path / "a model")
    (uri / "requirements.txt").write_text("mlflow>=2.20\n")
    done = run("check", "--local", str(uri))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"✓ settings          {uri}"
    assert lines[-2:] == [
        "Nothing failed; warnings: 1. Next:",
        f"    export MODEL_URI='{uri}'; python main.py",
    ]


def test_check_fails_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(401, "{}", "application/json") as url:
        settings = {"MODEL_URI": "models:/wine/1", "MLFLOW_TRACKING_URI": url}
        assert code_of("--check", "--json", **settings) == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["passed"] is False
    assert report["checks"][1]["status"] == "failed"
    assert said.err == ""


def test_a_setting_that_cannot_be_read_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("--check", PORT="http") == 1
    said = capsys.readouterr()
    assert "✗ settings          PORT='http': expected" in said.out
    assert said.out.endswith("on this machine: python main.py check --local\n")
    assert said.err == ""


MINE = "tests/support/zoo.py"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["{uri}", MINE], ["{locally}: python main.py check {uri} --local {mine}"]),
        (["--local", "{uri}", MINE], ["Failed: 1, warnings: 0."]),
        ([MINE], ["→ python main.py check models:/my-model/1 {mine}"]),
        (["--local", MINE], ["→ python main.py check models:/my-model/1 --local {mine}"]),
    ],
)
def test_the_command_to_go_on_with_is_complete(
    arguments: list[str], lines: list[str], store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(uri="models:/nope/1") for word in arguments]
    assert code_of("check", *given, MLFLOW_TRACKING_URI=store) == 1
    said = [line.strip() for line in capsys.readouterr().out.splitlines()]
    values = {"uri": "models:/nope/1", "mine": MINE}
    locally = "To check only for a start on this machine"
    assert {line.format(locally=locally, **values) for line in lines} <= set(said)


@pytest.mark.parametrize("flags", [[], ["--local"], ["--json"]])
@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("wine/1", "; a registered model is written models:/my-model/1 or models:/my-model@alias"),
        ("wine@champion", "; a registered model is written models:/my-model/1 or"),
        ("models/wine/1", "; name files by their paths there, or a model as models:/my-model/1 or"),
        ("missing_folder", "; name files by their paths there, or a model as models:/my-model/1"),
        ("/no/such/file.py", "; name files by their paths there, or a model as models:/my-model/1"),
        ("{folder}", "; copy it there, or a model as models:/my-model/1 or models:/my-model@alias"),
    ],
)
def test_check_takes_no_word_that_names_nothing(
    word: str,
    advice: str,
    flags: list[str],
    tmp_path: Path,
    store: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a model in the environment, which must not be checked in its place."""
    named = word.format(folder=tmp_path)
    known = {"MODEL_URI": "models:/other/1", "MLFLOW_TRACKING_URI": store}
    assert code_of("check", named, *flags, **known) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        f"main.py check: {named} was taken for a further file, and is not in the project's "
        f"folder{advice}"
    )


@pytest.mark.parametrize("command", ["check", "deploy"])
def test_a_registered_model_that_is_named_without_its_scheme(
    command: str, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client = mlflow.MlflowClient(store)
    client.create_registered_model("house")
    client.create_model_version("house", "/nowhere")
    environment = {"MLFLOW_TRACKING_URI": store, "CONNECT_SERVER": "https://connect.example.com"}
    assert code_of(command, "house", **environment) > 0
    assert capsys.readouterr().err.endswith("; the registry has the model models:/house/1\n")


@pytest.mark.processes
@pytest.mark.measured
def test_a_reader_that_has_seen_enough() -> None:
    with subprocess.Popen(
        [sys.executable, "main.py", "--check"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


@pytest.mark.processes
@pytest.mark.measured
def test_ctrl_c() -> None:
    command = [sys.executable, "main.py", "--check"]
    assert interrupted_while_it_waits(command, {"MODEL_URI": "models:/a/1"}) == 130


def older_python() -> str:
    """A Python that is too old, where this machine has one."""
    found = sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python"))
    if not found:
        pytest.skip("there is no Python below 3.10")
    return str(found[0])


@pytest.mark.processes
@pytest.mark.parametrize("command", [["main.py", "check"], ["main.py"]])
def test_an_older_python_gets_one_line(command: list[str]) -> None:
    done = subprocess.run(
        [older_python(), *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Python 3\.10 or newer is needed; this is 3\.[89]\.\d+\n", done.stderr)


@pytest.mark.processes
def test_an_older_python_installs_nothing(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(older_python())
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [str(ROOT / "install_model_deps.sh"), "models:/a/1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"Python 3\.10 or newer is needed; this is 3\.[89]\.\d+\n", done.stderr)


@pytest.mark.processes
@pytest.mark.parametrize("arguments", [["--help"], ["deploy", "--help"]])
def test_a_console_with_few_characters(arguments: list[str]) -> None:
    done = run(*arguments, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.processes
@pytest.mark.measured
def test_streams_that_are_closed() -> None:
    command = f"{sys.executable} main.py check >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=ROOT, check=False).returncode == 1


def test_a_command_without_its_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "modelserver.deployment.install", None)
    assert commands.run(["install", "models:/a/1"], {}) == 1
    error = capsys.readouterr().err
    assert re.fullmatch(
        r"main\.py: there is no \S+ in this environment; pip install -r .*\n", error
    )


@pytest.mark.processes
def test_without_its_packages(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    needs = r"{}: there is no \w+ in this environment; pip install -r \S*requirements\.txt{}\n"
    ours = needs.format(r"main\.py", "")
    for words, said in (
        (["main.py"], ours),
        (["main.py", "check"], ours),
        (["main.py", "install", "models:/a/1"], ours),
        (["example_test.py"], needs.format(r"example_test\.py", " scikit-learn")),
    ):
        command = [str(tmp_path / "venv" / "bin" / "python"), *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(said, done.stderr)
