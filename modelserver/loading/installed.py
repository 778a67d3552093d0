"""Which version of MLflow is installed, found without importing MLflow, which takes seconds."""

from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import Final


def _mlflow_version() -> str:
    """The value of `mlflow.__version__`."""
    package = find_spec("mlflow")
    assert package is not None
    assert package.origin is not None
    return str(run_path(str(Path(package.origin).with_name("version.py")))["VERSION"])


MLFLOW_VERSION: Final = _mlflow_version()
