"""The command line of main.py, as processes."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelserver.deployment import commands
from modelserver.deployment.commands import COMMANDS
from tests.deployment.test_rehearsal import OF_THE_ZOO
from tests.support.processes import ROOT, answering, inherited, interrupted_while_it_waits

pytestmark = pytest.mark.processes


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**inherited(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["--chekc"], ["--json"], ["serve"]])
def test_a_wrong_command_line(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python main.py [command] [models:/my-model/1] …\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: main.py {command} ")


def test_check_passes(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    """With a model that needs nothing but what the server has."""
    uri = shutil.copytree(model_path("one_long"), tmp_path / "a model")
    (uri / "requirements.txt").write_text("mlflow>=2.20\n")
    done = run("--check", *OF_THE_ZOO, MODEL_URI=str(uri))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"✓ settings          {uri}"
    assert lines[-1].startswith("Nothing failed; warnings: ")


def test_check_fails_as_json() -> None:
    with answering(401, "{}", "application/json") as url:
        done = run("--check", "--json", MODEL_URI="models:/wine/1", MLFLOW_TRACKING_URI=url)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert report["passed"] is False
    assert report["checks"][1]["status"] == "failed"


def test_a_setting_that_cannot_be_read_is_a_finding() -> None:
    done = run("--check", PORT="http")
    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ settings          PORT='http': expected" in done.stdout


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


def test_ctrl_c() -> None:
    command = [sys.executable, "main.py", "--check"]
    assert interrupted_while_it_waits(command, {"MODEL_URI": "models:/a/1"}) == 130


def older_python() -> str:
    """A Python that is too old, where this machine has one."""
    found = sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python"))
    if not found:
        pytest.skip("there is no Python below 3.10")
    return str(found[0])


@pytest.mark.parametrize("command", [["main.py", "check"], ["main.py"]])
def test_an_older_python_gets_one_line(command: list[str]) -> None:
    done = subprocess.run(
        [older_python(), *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Python 3\.10 or newer is needed; this is 3\.[89]\.\d+\n", done.stderr)


def test_an_older_python_installs_nothing(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(older_python())
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [str(ROOT / "install_model_deps.sh"), "models:/a/1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"Python 3\.10 or newer is needed; this is 3\.[89]\.\d+\n", done.stderr)


@pytest.mark.parametrize("arguments", [["--help"], ["deploy", "--help"], ["manifest", "--help"]])
def test_a_console_with_few_characters(arguments: list[str]) -> None:
    done = run(*arguments, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


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


def test_without_its_packages(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    for arguments in ([], ["check"], ["install", "models:/a/1"]):
        command = [str(tmp_path / "venv" / "bin" / "python"), "main.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(
            r"main\.py: there is no \w+ in this environment; pip install -r \S*requirements.txt\n",
            done.stderr,
        )
