"""What MLflow imports and serving does not need waits for its first use."""

import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import mlflow
import pytest

from modelserver.loading import lazy_imports
from modelserver.loading.lazy_imports import (
    LAZY,
    LazyFinder,
    LazyLoader,
    LazyModule,
    import_lazily,
)
from tests.support.processes import ROOT

STARTED = """
import sys, main
import mlflow.pyfunc, mlflow.sklearn
assert "fastapi" not in sys.modules
from mlflow.genai import evaluate
import mlflow.gateway
assert callable(evaluate) and callable(mlflow.gateway.set_gateway_uri)
assert "fastapi" in sys.modules
"""


@pytest.mark.processes
def test_they_are_imported_at_their_first_use() -> None:
    subprocess.run([sys.executable, "-c", STARTED], cwd=ROOT, check=True)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a package `put_off`, which is imported lazily."""
    (tmp_path / "put_off").mkdir()
    (tmp_path / "put_off" / "below.py").write_text("depth = 2")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lazy_imports, "LAZY", {"put_off"})
    monkeypatch.setattr(sys, "meta_path", [LazyFinder, *sys.meta_path])
    yield tmp_path / "put_off" / "__init__.py"
    sys.modules.pop("put_off", None)
    sys.modules.pop("put_off.below", None)


def test_a_module_below_it_is_no_use(module: Path) -> None:
    module.write_text("raise RuntimeError")
    assert importlib.import_module("put_off.below").depth == 2
    assert type(sys.modules["put_off"]) is LazyModule


def test_one_that_failed_is_tried_again(module: Path) -> None:
    module.write_text("import no_such_module")
    put_off = importlib.import_module("put_off")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            _ = put_off.value
    module.write_text("value = 3  # now\n")
    assert put_off.value == 3
    assert type(put_off) is ModuleType
    assert inspect.getsource(put_off) == "value = 3  # now\n"


def test_threads_see_it_whole_and_its_own_code_as_it_is(module: Path) -> None:
    module.write_text(
        "import time, sys\ntime.sleep(0.1)\nhere = 1\nseen = sys.modules[__name__].here"
    )
    put_off = importlib.import_module("put_off")
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: put_off.seen, range(4))) == [1] * 4


def test_only_these_modules_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAZY:
        lazy = LazyFinder.find_spec(name, mlflow.__path__)
        assert isinstance(lazy and lazy.loader, LazyLoader)
        assert LazyFinder.find_spec(name, []) is None  # an MLflow that does not have it
    assert LazyFinder.find_spec("mlflow.pyfunc", mlflow.__path__) is None
    monkeypatch.setattr(sys, "meta_path", [])
    import_lazily()
    import_lazily()
    assert sys.meta_path == [LazyFinder]
