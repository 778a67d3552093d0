"""What models were saved with. Models from a tracking server: test_install.py."""

import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from modelserver.deployment.environment import (
    inspect_model,
    of_conda,
    read_environment,
    registered,
)
from modelserver.hosting.settings import read_settings
from modelserver.loading.attempt import LoadFailed
from tests.support.zoo import Echo


def contents(folder: Path) -> list[str]:
    return [line.content for line in read_environment(folder).packages if line.content]


def test_a_real_model(model_path: Callable[[str], Path]) -> None:
    saved = read_environment(model_path("wine"))
    assert "scikit-learn" in {line.name for line in saved.packages}
    assert "mlflow" in {line.name for line in saved.packages}
    assert "sklearn" in saved.flavors
    assert saved.python is not None


def test_constraints_of_a_real_model(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("numpy<3\npandas>=2\n")
    mlflow.pyfunc.save_model(
        tmp_path / "model",
        python_model=Echo(),
        pip_requirements=["mlflow", f"-c {tmp_path}/limits.txt"],
    )
    assert contents(tmp_path / "model") == ["mlflow", "numpy<3", "pandas>=2"]


def test_only_conda_yaml(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    """As MLflow before 1.24 saved models."""
    folder = shutil.copytree(model_path("wine"), tmp_path / "model")
    asked = contents(folder)
    python = read_environment(folder).python
    for name in ("requirements.txt", "python_env.yaml"):
        (folder / name).unlink()
    assert contents(folder) == asked
    assert read_environment(folder).python == python


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("numpy=1.26", "numpy==1.26.*"),
        ("numpy==1.26.4", "numpy==1.26.4"),
        ("numpy==1.26.4=py311", "numpy==1.26.4"),
        ("numpy==1.26.*", "numpy==1.26.*"),
        ("numpy=1.26.*", "numpy==1.26.*"),
        ("numpy 1.26 py311_0", "numpy==1.26.*"),
        ("mlflow=3.0.0rc1", "mlflow==3.0.0rc1"),
        ("numpy", "numpy"),
        ("py-xgboost-gpu=2.0", "xgboost==2.0.*"),
        ("https://h/a.conda", None),
        ("'=1'", None),
        ("conda-forge::scikit-learn=1.4.2=py311", "scikit-learn==1.4.2.*"),
        ("pandas>=2,<3", "pandas>=2,<3"),
        ("PyTorch=2.3", "torch==2.3.*"),
        ("scipy", "scipy"),
        ("{pip: [a==1]}", "a==1"),
        ("{pip: }", None),
        ("pip<=24", None),
        ("python=3.11.7", None),
    ],
)
def test_conda_entries(entry: str, line: str | None, tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text(f"dependencies:\n- {entry}\n")
    assert contents(tmp_path) == ([line] if line else [])


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("mlflow==2.14.3", "mlflow>=2.20"),
        ("mlflow<2,>=1", "mlflow>=2.20"),
        ("mlflow-skinny==1.30.0", "mlflow-skinny>=2.20"),
        ("MLflow[extras]==2.9; os_name == 'posix'", 'MLflow[extras]>=2.20; os_name == "posix"'),
        ("mlflow @ git+https://h/mlflow@v2.14", "mlflow>=2.20"),
        ("mlflow==2.20.0", "mlflow==2.20.0"),
        ("mlflow<3,>=2", "mlflow<3,>=2"),
        ("pandas==1.5", "pandas==1.5"),
    ],
)
def test_mlflow_has_the_version_that_serves_the_model(
    asked: str, line: str, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text(f"{asked}\n")
    (found,) = read_environment(tmp_path).packages
    assert found.content == line
    assert found.text.rstrip("\n") in (
        asked,
        f"{line}  # what the server needs; the model asks for {asked}",
    )


def test_what_only_conda_has_is_named(tmp_path: Path) -> None:
    """As `conda env export` writes it."""
    names = ["_libgcc_mutex", "openssl", "tk", "xz", "cpuonly", "pytorch-cuda", "openjdk", "blas"]
    entries = [f"{name}=1.0=main_0" for name in names]
    text = "\n- ".join(["dependencies:", *entries, "Scikit_Learn=1.4=py311", "python=3.11", "pip"])
    (tmp_path / "conda.yaml").write_text(text)
    assert contents(tmp_path) == ["scikit-learn==1.4.*"]
    saved = read_environment(tmp_path)
    assert saved.left_out == tuple(names)
    risk = of_conda(saved)
    assert risk is not None
    assert risk.found.startswith("its conda.yaml also asks conda for '_libgcc_mutex', 'openssl', ")
    (tmp_path / "requirements.txt").write_text("scikit-learn==1.4.2")
    assert of_conda(read_environment(tmp_path)) is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[numpy]", "no dependencies"),
        ("numpy", "no dependencies"),
        ("dependencies: numpy", "no list under dependencies"),
        ("dependencies: {numpy: 1}", "no list under dependencies"),
        ("dependencies: 3", "no list under dependencies"),
        ("dependencies: [3.11]", "an entry under dependencies that is no text"),
        ("dependencies: [numpy, null]", "an entry under dependencies that is no text"),
        ("dependencies: [[numpy]]", "an entry under dependencies that is no text"),
        ("dependencies: [pip: numpy]", "an entry under dependencies that is no list under pip"),
        ("dependencies: [numpy: 1]", "an entry under dependencies that is no list under pip"),
        ("dependencies: [pip: [3.11]]", "an entry under pip that is no text"),
        ("dependencies: [pip: [null]]", "an entry under pip that is no text"),
    ],
)
def test_a_conda_yaml_of_another_form(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text(text)
    (tmp_path / "MLmodel").write_text("flavors: {}")
    with pytest.raises(LoadFailed) as caught:
        inspect_model(read_settings({"MODEL_URI": str(tmp_path)}), tmp_path)
    assert str(caught.value) == (
        f"the model's conda.yaml has {what}; log the model again, with pip_requirements="
    )
    (tmp_path / "requirements.txt").write_text("numpy")
    assert contents(tmp_path) == ["numpy"]


def test_hashes_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "--require-hashes\n"
        "a==1 \\\n  --hash=sha256:aa \\\n  --hash sha256:bb\n"
        "https://h/b.whl --hash=sha256:cc\n"
    )
    assert contents(tmp_path) == ["a==1", "https://h/b.whl"]


def test_a_folder_that_says_nothing(tmp_path: Path) -> None:
    saved = read_environment(tmp_path)
    assert (saved.packages, saved.python, saved.flavors) == ((), None, {})


def test_a_constraints_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\n-c gone.txt\n")
    assert contents(tmp_path) == ["a==1", "-c gone.txt"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_in_another_encoding(
    encoding: str, model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(model_path("one_long"), tmp_path / "model")
    (folder / "requirements.txt").write_text("# für alle\na==1\n", encoding=encoding)
    with pytest.raises(LoadFailed) as caught:
        inspect_model(read_settings({"MODEL_URI": str(folder)}), tmp_path)
    what = {
        "latin-1": "no UTF-8 text (byte 4)",
        "utf-16": "UTF-16 text, as PowerShell 5 writes it with >",
    }[encoding]
    assert str(caught.value) == (
        f"the model's requirements.txt is {what}; save it as UTF-8, or log the model again"
    )


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\n", encoding="utf-8-sig")
    assert [line.name for line in read_environment(tmp_path).packages] == ["a"]


@pytest.mark.parametrize("uri", ["runs:/{run}/model", "models:/kept/1"])
def test_a_local_store_keeps_its_files(uri: str, store: str, tmp_path: Path) -> None:
    mlflow.set_tracking_uri(store)
    try:
        place = str(tmp_path / "artifacts")
        experiment = mlflow.create_experiment("models", artifact_location=place)
        with mlflow.start_run(experiment_id=experiment) as run:
            mlflow.pyfunc.log_model(
                "model",
                python_model=Echo(),
                pip_requirements=["mlflow"],
                registered_model_name="kept",
            )
        model_uri = uri.format(run=run.info.run_id)
        settings = read_settings({"MODEL_URI": model_uri, "MLFLOW_TRACKING_URI": store})
        before = files_below(tmp_path / "artifacts")
        (tmp_path / "read").mkdir()
        _, saved = inspect_model(settings, tmp_path / "read")
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    assert [line.name for line in saved.packages] == ["mlflow"]
    assert files_below(tmp_path / "artifacts") == before


def files_below(folder: Path) -> dict[Path, bytes]:
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "MLmodel" in {path.name for path in files}
    return files


def test_where_no_registry_can_be_asked_no_model_is_named() -> None:
    assert registered("wine", {"PORT": "eighty"}) is None
