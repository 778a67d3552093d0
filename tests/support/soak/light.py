"""A model that imports nothing and doubles a number, and a store that has it registered."""

from pathlib import Path
from typing import Final

from mlflow import MlflowClient

MLMODEL: Final = """\
flavors: {python_function: {loader_module: light, code: code}}
signature:
  inputs: '[{"type": "long", "name": "n"}]'
"""

CODE: Final = """\
class Model:
    def predict(self, table, params=None):
        return (table["n"] * 2).tolist()


def _load_pyfunc(path):
    return Model()
"""

URI: Final = "models:/light/1"


def save(folder: Path) -> Path:
    """The model at `folder`."""
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "code" / "light.py").write_text(CODE)
    return folder


def register(folder: Path) -> str:
    """The tracking URI of a new store in `folder`, which has the model as `URI`."""
    store = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(store)
    client.create_registered_model("light")
    client.create_model_version("light", str(save(folder / "light")))
    return store
