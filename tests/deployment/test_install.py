"""`install_model_deps.sh` as a person uses it: real models, real servers, real pip."""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from modelserver.deployment import install
from modelserver.deployment.checks.project_checks import check_requirements
from modelserver.deployment.environment import read_environment
from modelserver.deployment.packages.comparison import in_file
from modelserver.deployment.packages.lines import START, read_lines
from modelserver.deployment.packages.merging import ASIDE
from modelserver.hosting.settings import read_settings
from tests.support.processes import (
    ROOT,
    answering,
    free_port,
    inherited,
    interrupted_while_it_waits,
)

ACTIVE = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""The PATH where this interpreter's environment is active."""

OURS = (ROOT / "requirements.txt").read_text()


pytestmark = pytest.mark.usefixtures("mlflow_as_before")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A copy of our requirements.txt in a folder with a space in its name."""
    folder = tmp_path / "some folder"
    folder.mkdir()
    return Path(shutil.copy(ROOT / "requirements.txt", folder))


def script(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script called from `folder`, with this interpreter's environment active."""
    return subprocess.run(
        [str(ROOT / "install_model_deps.sh"), *arguments],
        cwd=folder,
        env={**inherited(), "PATH": ACTIVE, "PIP_NO_INDEX": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def update(file: Path, model: Path | str, *flags: str, **environment: str) -> int:
    """The same within this process."""
    return install.update([str(file), str(model), *flags], environment)


@pytest.mark.processes
def test_a_model_of_a_tracking_server(wine_registry: str, file: Path) -> None:
    done = script(
        file.parent,
        "--update",
        "requirements.txt",
        "models:/wine@champion",
        MLFLOW_TRACKING_URI=wine_registry,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "requirements.txt now has the packages of models:/wine@champion; install them: "
        "pip install -r requirements.txt\n"
    )
    text = file.read_text()
    assert f"{START} of models:/wine@champion, made by" in text
    assert "\nscikit-learn==" in text
    assert f"{ASIDE}mlflow>=" in text
    assert "\nstarlette>=" in text


@pytest.mark.parametrize("form", ["version", "run"])
def test_other_forms_of_the_uri(form: str, wine_registry: str, file: Path) -> None:
    run_id = MlflowClient(wine_registry).get_model_version("wine", "1").run_id
    uri = {"version": "models:/wine/1", "run": f"runs:/{run_id}/model"}[form]
    assert update(file, uri, MLFLOW_TRACKING_URI=wine_registry) == 0
    assert "\nscikit-learn==" in file.read_text()


@pytest.mark.processes
def test_pip_takes_what_was_merged(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    """Also into the file that an older recipe made. What pip takes together, it takes alone."""
    model = model_path("wine")
    lines = {*OURS.splitlines(), *(model / "requirements.txt").read_text().splitlines()}
    older = "".join(f"{line}\n" for line in sorted(lines))
    hashed = f"pandas=={version('pandas')} --hash=sha256:{'ab' * 32}"
    with_hashes = changed(model, tmp_path / "hashes", hashed)
    older_mlflow = changed(model, tmp_path / "older", "mlflow==2.14.3\nscikit-learn")
    files = [tmp_path / "not merged.txt"]
    files[0].write_text(older)
    cases: list[tuple[str, Path, list[str]]] = [
        (OURS, model, []),
        (older, model, []),
        (OURS, with_hashes, []),
        (OURS, older_mlflow, []),
        (OURS, older_mlflow, ["--skinny"]),
    ]
    for before, merged, flags in cases:
        files.append(tmp_path / f"{len(files)}.txt")
        files[-1].write_text(before)
        assert update(files[-1], merged, *flags) == 0
    assert files[2].read_text().count("scikit-learn") == 1
    assert pip_takes(*files)


@pytest.mark.processes
def test_the_older_way_to_a_new_version_is_tidied(
    model_path: Callable[[str], Path],
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The pins of two versions in one file, as `cat` and `sort -u` leave them."""
    pinned = {name: f"{name}=={version(name)}" for name in ("mlflow", "pandas", "scikit-learn")}
    older = ["mlflow==3.0.0", "pandas==2.1.0", "scikit-learn==1.0.0"]
    model = changed(model_path("wine"), tmp_path, "\n".join(pinned.values()))
    file.write_text("".join(sorted(f"{line}\n" for line in (OURS.split("\n") + older))))
    with file.open("a") as appended:
        appended.write("\n".join(pinned.values()))
    assert not pip_takes(file)
    packages = read_lines("\n".join(pinned.values()))
    assert len(in_file(file.read_text(), packages).faults) == 3
    assert update(file, model, "--dry-run") == 0
    shown = capsys.readouterr().out.splitlines()
    assert {f"-{line}" for line in older} <= set(shown)
    assert update(file, model) == 0
    assert "without the older `mlflow==3.0.0` and `pandas==2.1.0`" in capsys.readouterr().out
    assert pip_takes(file)
    assert in_file(file.read_text(), packages).faults == ()


@pytest.mark.parametrize("flags", [(), ("--skinny",)])
def test_a_model_of_an_older_mlflow_is_served_with_ours(
    flags: tuple[str, ...], model_path: Callable[[str], Path], file: Path, tmp_path: Path
) -> None:
    model = changed(model_path("wine"), tmp_path, "mlflow==2.14.3\nscikit-learn")
    before = OURS + "mlflow==2.14.3\n"
    file.write_text(before)
    assert update(file, model, *flags) == 0
    text = file.read_text()
    comment = "# what the server needs; the model asks for mlflow==2.14.3"
    assert f"\nmlflow{'-skinny' if flags else ''}>=2.20  {comment}\n" in text
    assert in_file(text, read_environment(model).packages).faults == ()


def test_an_update_warns_of_what_pip_would_not_find(
    model_path: Callable[[str], Path],
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = changed(model_path("wine"), tmp_path, "torch==2.4.0+cpu")
    assert update(file, model) == 0
    assert capsys.readouterr().err == (
        "warning: PyPI has no `torch==2.4.0+cpu`, only its own index has; add the line "
        "--extra-index-url https://download.pytorch.org/whl/cpu to requirements.txt, "
        "or log the model with torch==2.4.0\n"
    )


def pip_takes(*files: Path) -> bool:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "-q"]
    named = [argument for file in files for argument in ("-r", str(file))]
    return subprocess.run([*command, *named], check=False).returncode == 0


def test_the_default_is_the_servers_own_file(
    model_path: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (ROOT / "requirements.txt").read_bytes()
    assert install.update(["--dry-run"], {"MODEL_URI": str(model_path("wine"))}) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"--- {ROOT / 'requirements.txt'}\n+++ ")
    assert "\n+scikit-learn" in said
    assert (ROOT / "requirements.txt").read_bytes() == before


@pytest.mark.processes
def test_the_servers_own_file_gets_back_the_lines_that_the_server_needs(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """After an older guide's `cp model/requirements.txt .`; the file of another project stays."""
    model, other = model_path("wine"), tmp_path / "other.txt"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "mlruns", "mlflow.db*")
    project = shutil.copytree(ROOT, tmp_path / "project", ignore=ignored)
    for copy in (other, own := project / "requirements.txt"):
        shutil.copy(model / "requirements.txt", copy)
    settings, saved = read_settings({"MODEL_URI": str(model)}), read_environment(model)
    before = check_requirements(saved, settings, project)
    assert before.status == "failed"
    assert "orjson>=3.10, which the server needs, has no line; " in before.found
    assert before.advice == f"python main.py update {model}"
    assert update(other, model) == 0
    assert "orjson" not in other.read_text()
    command = [sys.executable, "main.py", "update", str(model)]
    subprocess.run(command, cwd=project, check=True)
    assert own.read_text().count("orjson>=3.10\n") == 1
    assert check_requirements(saved, settings, project).status == "ok"
    own.unlink()
    gone = check_requirements(saved, settings, project)
    assert gone.found == "there is no requirements.txt"
    assert gone.advice == "git checkout -- requirements.txt"


def test_twice_changes_nothing(
    model_path: Callable[[str], Path], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update(file, model_path("wine")) == 0
    once = file.read_bytes()
    for flags in ([], ["--dry-run"]):
        capsys.readouterr()
        assert update(file, model_path("wine"), *flags) == 0
        assert file.read_bytes() == once
        assert capsys.readouterr().out.endswith("has the packages of file:…/wine already\n")


def test_mode_and_link_are_kept(model_path: Callable[[str], Path], file: Path) -> None:
    file.chmod(0o640)
    link = file.with_name("link.txt")
    link.symlink_to(file)
    assert update(link, model_path("wine"), "--skinny") == 0
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert "\nmlflow-skinny" in file.read_text()
    assert sorted(path.name for path in file.parent.iterdir()) == ["link.txt", "requirements.txt"]


def test_what_to_run_next_can_be_pasted(
    model_path: Callable[[str], Path], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update(file, model_path("wine")) == 0
    command = capsys.readouterr().out.rpartition("install them: ")[2]
    assert shlex.split(command) == ["pip", "install", "-r", str(file)]


def changed(model: Path, folder: Path, requirements: str) -> Path:
    """A copy of a model that asks for other packages."""
    copy = shutil.copytree(model, folder / "model")
    (copy / "requirements.txt").write_text(requirements)
    return copy


def test_a_conflict_names_both_sides(
    model_path: Callable[[str], Path],
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = changed(model_path("wine"), tmp_path, "pandas==1.5.3\na==1\nuvicorn==0.1")
    assert update(file, model) == 1
    assert install.install([str(model)], {}) == 1
    message = (
        "nothing was changed: "
        "the model asks for `pandas==1.5.3`, the server needs `pandas>=2.1`; "
        "log the model again with pandas>=2.1; "
        "the model asks for `uvicorn==0.1`, the server needs `uvicorn>=0.30`; "
        "log the model again with uvicorn>=0.30\n"
    )
    said = capsys.readouterr()
    assert said == ("", f"main.py update: {message}main.py install: {message}")
    assert file.read_text() == OURS


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--req /etc/passwd", "the model's `--req /etc/passwd` names a file that was not logged"),
        ("-i https://host/simple", "the model's `-i https://host/simple` would count for every"),
        ("mypkg/", "the model asks for `mypkg/`, a file that Connect does not have"),
        ("; rm -rf /", "the model's line `; rm -rf /` is no requirement of up to"),
    ],
)
def test_a_line_that_is_not_taken_over(
    line: str,
    message: str,
    model_path: Callable[[str], Path],
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = changed(model_path("wine"), tmp_path, f"mlflow>=2.20\n{line}")
    assert update(file, model) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"main.py update: nothing was changed: {message}")
    assert len(error.splitlines()) == 1
    assert file.read_text() == OURS


@pytest.mark.parametrize(
    ("status", "body", "media_type"),
    [
        (401, "Unauthorized", "text/plain"),
        (403, '{"error_code": "PERMISSION_DENIED"}', "application/json"),
        (200, "<!doctype html><title>Sign in</title>", "text/html"),
    ],
)
def test_no_access(
    status: int, body: str, media_type: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(status, body, media_type) as url:
        assert update(file, "models:/wine/1", MLFLOW_TRACKING_URI=url) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert error.startswith(f"main.py update: the tracking server {url} ")
    assert "it was asked without a login" in error
    assert file.read_text() == OURS


def test_who_deploys_to_connect_is_told_of_its_tracking_server(
    file: Path, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mlflow.set_tracking_uri(store)
    assert update(file, "models:/wine/1", CONNECT_SERVER="https://connect.example.com/") == 1
    assert capsys.readouterr().err.endswith(
        "If it is on your Connect: export MLFLOW_TRACKING_URI=https://connect.example.com/mlflow\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one model URI is needed, such as models:/my-model/1; see --help"),
        (["models:/a/1", "models:/b/1"], "'models:/b/1' is one name too many; see --help"),
        (["a.txt", "b.txt", "models:/a/1"], "'b.txt' is one name too many; see --help"),
        (["/no/such/model"], "there is no folder model; a registered model is written"),
    ],
)
def test_wrong_arguments(
    arguments: list[str],
    message: str,
    model_path: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [argument.replace("MODEL", str(model_path("wine"))) for argument in arguments]
    assert install.install(given, {}) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"main.py install: {message}")
    assert len(error.splitlines()) == 1


def test_a_requirements_file_that_is_not_there(
    model_path: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert update(Path("/no/such.txt"), model_path("wine")) == 1
    error = capsys.readouterr().err
    assert error.startswith("main.py update: /no/such.txt: No such file or directory")
    assert len(error.splitlines()) == 1


def test_a_file_of_the_model_that_is_broken(
    model_path: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = changed(model_path("wine"), tmp_path, "")
    (model / "conda.yaml").write_text("a: [b")
    assert install.install([str(model)], {}) == 1
    assert capsys.readouterr().err == (
        "main.py install: the model's conda.yaml cannot be read as YAML; log the model again\n"
    )


def test_unknown_version(
    wine_registry: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update(file, "models:/wine/7", MLFLOW_TRACKING_URI=wine_registry) == 1
    assert "there is no model models:/wine/7 in the tracking server" in capsys.readouterr().err
    assert file.read_text() == OURS


def test_a_run_without_this_model(
    wine_registry: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = MlflowClient(wine_registry).get_model_version("wine", "1").run_id
    assert update(file, f"runs:/{run_id}/other", MLFLOW_TRACKING_URI=wine_registry) == 1
    assert f"there is no model runs:/{run_id}/other in" in capsys.readouterr().err


def test_no_server(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert update(file, "models:/wine/1", MLFLOW_TRACKING_URI=url) == 1
    assert capsys.readouterr().err == (
        f"main.py update: the tracking server {url} cannot be reached; check "
        "MLFLOW_TRACKING_URI and that it is running\n"
    )


def test_a_wrong_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert install.install(["models:/wine/1"], {"PORT": "http"}) == 1
    assert "PORT='http': expected a whole number" in capsys.readouterr().err


def test_a_read_only_file(
    model_path: Callable[[str], Path], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.chmod(0o444)
    assert update(file, model_path("wine")) == 1
    assert capsys.readouterr().err == (
        f"main.py update: {file}: the file is read-only; nothing was changed\n"
    )
    assert file.read_text() == OURS
    assert [path.name for path in file.parent.iterdir()] == ["requirements.txt"]


def test_a_file_that_is_no_text(
    model_path: Callable[[str], Path], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(OURS, encoding="utf-16")
    assert update(file, model_path("wine")) == 1
    assert capsys.readouterr().err == (
        f"main.py update: nothing was changed: {file} is UTF-16 text, as PowerShell 5 writes it "
        "with >; save it as UTF-8\n"
    )


def test_a_disk_that_is_full_leaves_the_file(
    model_path: Callable[[str], Path], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert update(file, model_path("wine")) == 1
    assert [path.name for path in file.parent.iterdir()] == ["requirements.txt"]
    assert file.read_text() == OURS


@pytest.mark.processes
def test_a_package_that_was_logged_with_the_model_is_installed(
    model_path: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Into an environment of its own, by the command itself."""
    for name, value in {"PIP_NO_INDEX": "1", "PIP_TARGET": str(tmp_path / "there")}.items():
        monkeypatch.setenv(name, value)
    model = changed(model_path("wine"), tmp_path, "wheels/tiny-1-py3-none-any.whl")
    (model / "wheels").mkdir()
    write_wheel(model / "wheels" / "tiny-1-py3-none-any.whl")
    assert install.install([str(model)], {}) == 0
    assert (tmp_path / "there" / "tiny.py").is_file()
    assert capfd.readouterr().out.splitlines() == [
        "pip takes the 1 package of file:…/model (--verbose shows all it says)",
        "Successfully installed tiny-1",
    ]


def write_wheel(file: Path) -> None:
    from zipfile import ZipFile

    info = "tiny-1.dist-info"
    with ZipFile(file, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.processes
@pytest.mark.parametrize("flags", [[], ["--skinny"]])
def test_conda_only_and_skinny_go_by_a_file_of_their_own(
    flags: list[str],
    model_path: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    model = changed(model_path("wine"), tmp_path, "")
    (model / "requirements.txt").unlink()
    assert install.install(["--dry-run", "--verbose", *flags, str(model)], {}) == 0
    named = "mlflow-skinny" if flags else "mlflow"
    assert f"Requirement already satisfied: {named}" in capfd.readouterr().out


def test_what_only_conda_has_is_left_out_and_named(
    file: Path,
    model_path: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = changed(model_path("wine"), tmp_path, "")
    (model / "requirements.txt").unlink()
    (model / "conda.yaml").write_text("dependencies: [openssl=3.0, xz, scipy=1.11]")
    assert update(file, model) == 0
    assert {line.name for line in read_lines(file.read_text())} == {
        *(line.name for line in read_lines(OURS)),
        *("scipy", ""),
    }
    assert capsys.readouterr().err == (
        "warning: its conda.yaml also asks conda for 'openssl', 'xz'; add lines to "
        "requirements.txt for those that the model imports\n"
    )


@pytest.mark.processes
def test_pip_fails(
    model_path: Callable[[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = changed(model_path("wine"), tmp_path, "./gone.whl")
    for flags in ([], ["--verbose"]):
        assert install.install([*flags, str(model)], {}) == 1
        said = capfd.readouterr()
        assert "gone.whl" in said.err
        assert said.err.endswith("pip could not install the model's packages, see above\n")


@pytest.mark.processes
def test_pip_says_little_of_packages_that_are_installed(
    model_path: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    uri = str(model_path("wine"))
    assert install.install([uri], {}) == 0
    said = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r"pip takes the \d+ packages of .*/wine \(--verbose shows .*\)", said[0])
    assert said[1:] == ["all are installed already"]


@pytest.mark.processes
def test_help_and_unknown_options(tmp_path: Path) -> None:
    """From a folder with another checkout, which is not used."""
    (tmp_path / "modelserver").mkdir()
    (tmp_path / "modelserver" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    wrong = script(tmp_path, "--upgrade")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("usage: main.py install [--skinny] [--dry-run] [--verbose] ")
    updated = script(tmp_path, "--update", "--help")
    assert updated.returncode == 0
    assert updated.stdout.startswith("usage: main.py update [requirements.txt] [--skinny]")


@pytest.mark.processes
def test_without_an_environment(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    for name in ("bash", "dirname", "env"):
        found = shutil.which(name)
        assert found is not None
        (empty / name).symlink_to(found)
    done = script(tmp_path, "models:/a/1", PATH=str(empty))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(
        "there is no python on the PATH; activate the server's environment\n"
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    done = script(tmp_path, "models:/a/1", PATH=f"{tmp_path / 'venv' / 'bin'}:{empty}")
    assert done.returncode == 1
    assert re.match(r"main\.py: there is no \w+ in this environment; pip install -r ", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.processes
def test_ctrl_c(file: Path) -> None:
    command = [str(ROOT / "install_model_deps.sh"), "--update", str(file), "models:/a/1"]
    assert interrupted_while_it_waits(command, {"PATH": ACTIVE}) == 130
