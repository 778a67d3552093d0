"""Parts of MLflow that serving hardly ever uses are imported at their first use.

`import mlflow` also imports what evaluates and judges language models and, through it, the AI
gateway with FastAPI: two fifths of its time. `main.py` and its commands put that off.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any, Final

LAZY: Final = frozenset({"mlflow.genai", "mlflow.gateway"})
"""The modules that are put off."""

IMPORTING: Final = frozenset({"__spec__", "__path__", "__name__", "__file__", "__loader__"})
"""The attributes that Python's import system itself asks for, also when a module below is imported.
They are no use of a module. `importlib.util.LazyLoader` takes them for one, and a module that is
run in the middle of the import of MLflow fails, which Python then hides."""


class LazyModule(ModuleType):
    """A module that is run when an attribute is first used. From then on, it is an ordinary one."""

    def __getattribute__(self, name: str) -> Any:
        """The attribute. Raises what the module's code raises; the next use runs it again."""
        if name not in IMPORTING:
            self.__spec__.loader_state.run(self)  # type: ignore[union-attr]
        return ModuleType.__getattribute__(self, name)


class LazyLoader(Loader):
    """Makes a module that `loader` is to run later. Threads that use it meanwhile wait; its own
    code sees it as far as it has come."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = RLock()
        self._has_run = False

    def exec_module(self, module: ModuleType) -> None:
        """Python's import system calls this to run the module. It is put off."""
        assert module.__spec__ is not None
        module.__spec__.loader_state = self
        module.__spec__.loader = module.__loader__ = self._loader
        module.__class__ = LazyModule

    def run(self, module: ModuleType) -> None:
        """Runs the module, unless it has run or is running in this thread."""
        with self._lock:
            if self._has_run:
                return
            self._has_run = True
            try:
                self._loader.exec_module(module)
            except BaseException:
                self._has_run = False
                raise
            module.__class__ = ModuleType


class LazyFinder:
    """Finds the modules of `LAZY`. It stands before the finders in `sys.meta_path`."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Python's import system calls this for each import. None: the next finder is asked."""
        spec = PathFinder.find_spec(name, path, target) if name in LAZY else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def import_lazily() -> None:
    """Puts off the import of `LAZY`. To be called before MLflow is imported. A second call does
    nothing."""
    if LazyFinder not in sys.meta_path:
        sys.meta_path.insert(0, LazyFinder)
