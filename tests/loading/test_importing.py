"""What the import of MLflow leaves for later, and that it is there when it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelserver.loading.importing import from_polars, import_without

IN_A_SERVER = """
import sys
from modelserver.loading.importing import import_mlflow
import_mlflow()
import mlflow
put_off = {"fastapi", "polars", "mlflow.genai", "mlflow.gateway"}
assert not sys.modules.keys() & put_off, "imported at once"
assert callable(mlflow.genai.load_prompt)
assert sys.modules["mlflow.genai"] is mlflow.genai
from mlflow.genai import scorers
import mlflow.gateway.config
assert mlflow.gateway.config and scorers.Scorer
assert callable(mlflow.data.from_polars)
"""


@pytest.mark.processes
def test_mlflow_imports_its_tools_for_evaluation_when_they_are_used() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", IN_A_SERVER], check=True)


def test_a_dataset_of_polars_is_made_when_it_is_asked_for() -> None:
    polars = pytest.importorskip("polars")
    dataset = from_polars(polars.DataFrame({"a": [1]}), name="table")
    assert dataset.name == "table"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package `sample` with the parts `light` and `heavy`; `heavy` has one more."""
    folder = tmp_path / "sample"
    (folder / "heavy").mkdir(parents=True)
    (folder / "__init__.py").write_text("from sample import heavy, light")
    (folder / "light.py").write_text("")
    (folder / "heavy" / "__init__.py").write_text("weight = 5")
    (folder / "heavy" / "part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("sample", "sample.light", "sample.heavy", "sample.heavy.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


def imported() -> set[str]:
    return {name for name in sys.modules if name.startswith("sample")}


@pytest.mark.usefixtures("package")
def test_a_module_that_is_put_off_is_imported_with_its_first_attribute() -> None:
    import_without(["sample.heavy"], "sample")
    assert imported() == {"sample", "sample.light"}
    sample = sys.modules["sample"]
    assert sample.heavy.weight == 5
    assert sample.heavy is sys.modules["sample.heavy"]
    with pytest.raises(AttributeError):
        _ = sample.heavy.colour


@pytest.mark.usefixtures("package")
def test_a_module_that_was_imported_before_stays() -> None:
    import_without([], "sample")
    before = sys.modules["sample.heavy"]
    import_without(["sample.heavy"], "sample")
    assert sys.modules["sample.heavy"] is before


def test_a_part_that_the_package_can_do_without_is_passed_over(package: Path) -> None:
    tried = "try:\n    import sample.heavy.part\nexcept ImportError:\n    pass\n"
    (package / "light.py").write_text(tried)
    import_without(["sample.heavy"], "sample")
    assert imported() == {"sample", "sample.light"}


def test_a_package_that_needs_what_is_put_off_is_imported_whole(package: Path) -> None:
    (package / "light.py").write_text("import sample.heavy.part")
    import_without(["sample.heavy"], "sample")
    assert imported() == {"sample", "sample.light", "sample.heavy", "sample.heavy.part"}


def test_a_package_that_cannot_be_imported_says_why(package: Path) -> None:
    (package / "light.py").write_text("import missing_here")
    with pytest.raises(ModuleNotFoundError, match="missing_here"):
        import_without(["sample.heavy"], "sample")
