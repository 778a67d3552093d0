"""mlflow-skinny in place of mlflow, and what it does not bring along."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelserver.deployment.environment import SavedWith, read_environment
from modelserver.deployment.packages.floors import skinny
from modelserver.deployment.packages.lines import read_lines


def contents(packages: str, **flavors: object) -> list[str]:
    saved = SavedWith(Path(), tuple(read_lines(packages)), None, flavors)
    return [line.content for line in skinny(saved.packages, saved.flavors)]


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ("mlflow==3.1\npandas==2.2", ["mlflow-skinny==3.1", "pandas==2.2"]),
        ("MLflow[extras]>=3; os_name=='posix'\npandas", None),
        ("mlflow==3.1 --hash=sha256:aa\npandas", ["mlflow-skinny==3.1", "pandas"]),
        ("mlflow-skinny==3.1", ["mlflow-skinny==3.1", "pandas"]),
        ("# none", ["", "mlflow-skinny", "pandas"]),
    ],
)
def test_skinny(packages: str, expected: list[str] | None) -> None:
    marked = ['mlflow-skinny[extras]>=3; os_name == "posix"', "pandas"]
    assert contents(packages) == (expected or marked)


def test_flavors_that_need_more() -> None:
    sklearn = {"serialization_format": "skops"}
    assert contents("mlflow-skinny\npandas\nskops==1", sklearn=sklearn) == [
        "mlflow-skinny",
        "pandas",
        "skops==1",
        "scikit-learn",
    ]
    assert "skops" in contents("mlflow", sklearn=sklearn)
    assert "skops" not in contents("mlflow", sklearn={"serialization_format": "cloudpickle"})
    assert contents("mlflow\npandas", odd="no mapping") == ["mlflow-skinny", "pandas"]


def test_a_real_model(model_path: Callable[[str], Path]) -> None:
    saved = read_environment(model_path("wine"))
    names = [line.name for line in skinny(saved.packages, saved.flavors) if line.name]
    assert "mlflow" not in names
    assert {"mlflow-skinny", "pandas", "scikit-learn"} <= set(names)
    assert len(names) == len(set(names))
