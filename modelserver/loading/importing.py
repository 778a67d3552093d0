"""The import of MLflow, without what it imports and a served model seldom uses.

MLflow 3 imports its tools for evaluation and its gateway with itself, and with these FastAPI: a
fifth of its import. It also imports polars if that is installed, for its datasets: 23 MB. Here they
are imported when one of their names is first used, as MLflow itself does it with its flavors.
"""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from modelserver.hosting.memory import collector_paused

DATASETS: Final = "mlflow.data.polars_dataset"

PUT_OFF: Final = ("mlflow.genai", "mlflow.gateway", DATASETS)
"""MLflow names their parts only where it does without them: while they are put off, it knows no
evaluation datasets of Databricks."""


def import_mlflow() -> None:
    """Imports MLflow. To be called before another module does so."""
    with collector_paused():
        import_without(PUT_OFF, "mlflow")
    vars(import_module("mlflow.data")).setdefault("from_polars", from_polars)


def from_polars(*arguments: Any, **options: Any) -> Any:
    """`mlflow.data.from_polars`, which imports polars when it is called."""
    return import_module(DATASETS).from_polars(*arguments, **options)


def import_without(names: Sequence[str], package: str) -> None:
    """Imports the package, and puts off the import of these modules of it. If it cannot be imported
    without them, it is imported whole."""
    try:
        with put_off(names):
            import_module(package)
    except ImportError:
        import_module(package)


@contextlib.contextmanager
def put_off(names: Sequence[str]) -> Iterator[None]:
    """A context in which these modules are stood for, and modules below them cannot be imported.
    After it, the import system imports them as ever."""
    stand_ins = {name: Unimported(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


class Unimported(ModuleType):
    """Stands for a module that is not imported yet. Its attributes are those of the module."""

    def __getattr__(self, name: str) -> Any:
        """Imports the module, unless it is still put off. Called for attributes that a module does
        not have from the beginning."""
        if sys.modules.get(self.__name__) is self:
            raise AttributeError(f"{self.__name__} is not imported yet", name=name, obj=self)
        return getattr(import_module(self.__name__), name)
