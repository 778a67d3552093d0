"""Fixtures: a registered model that is quick to load."""

from importlib.metadata import version

import pytest

from tests.support.connect.publisher import register

LOADER = """\
class Model:
    def predict(self, table, params=None):
        return ["cultivar 1"] * len(table)


def _load_pyfunc(path):
    return Model()
"""


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory, wine_registry: str) -> str:
    """The URI of a model that asks for scikit-learn and answers as the sample model does, but does
    not import it, which takes seconds."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: light, code: code, python_version: 3.10.1}}"
    )
    (folder / "requirements.txt").write_text(f"scikit-learn=={version('scikit-learn')}\n")
    (folder / "code").mkdir()
    (folder / "code" / "light.py").write_text(LOADER)
    return register(folder, "light", wine_registry)
