"""The publisher's side: a copy of the project, the real rsconnect, and a client of the content."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import mlflow

from modelserver.deployment.bundle import ARGUMENTS
from tests.support.connect.content import Content
from tests.support.connect.server import Connect, connect_server
from tests.support.needs import need
from tests.support.processes import CLIENT, ROOT
from tests.support.request_rows import WINE

PREDICTED = {"predictions": ["cultivar 1"]}


def copy_project(target: Path) -> Path:
    """The project as a clone of its repository would be, in a folder of its own."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@dataclass
class Publisher:
    """Somebody with a copy of the project and a key for Connect."""

    connect: Connect
    project: Path
    home: Path

    def run(self, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command line of the README, in the project's folder. Standard error is in stdout."""
        programs = Path(sys.executable).parent
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.project,
            env={
                "PATH": f"{programs}:{os.environ['PATH']}",
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "CONNECT_SERVER": f"{self.connect.url}/",
                "CONNECT_API_KEY": self.connect.publisher_key,
                "CONNECT_REQUEST_TIMEOUT": "120",
                "RSCONNECT_DISABLE_VERSION_CHECK": "1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def deploy(self, model_uri: str | None = None) -> "subprocess.CompletedProcess[str]":
        """The README's command, with or without a model."""
        model = f"-E MODEL_URI={model_uri} " if model_uri else ""
        return self.run(f"rsconnect deploy fastapi {model}{ARGUMENTS}")

    @property
    def content(self) -> Content:
        (content,) = self.connect.contents.values()
        return content

    @property
    def url(self) -> str:
        return f"{self.connect.url}/content/{self.content.guid}/"

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Key {self.connect.publisher_key}"}

    def set_variables(self, **variables: str | None) -> None:
        """The Vars pane: sets variables, removes those that are None. The content restarts."""
        url = f"{self.connect.url}/__api__/v1/content/{self.content.guid}/environment"
        body = [{"name": name, "value": value} for name, value in variables.items()]
        CLIENT.patch(url, json=body, headers=self.key, timeout=60).raise_for_status()

    def get(self, path: str, base: str | None = None) -> httpx.Response:
        return CLIENT.get(f"{base or self.url}{path}", headers=self.key, timeout=120)

    def health(self) -> Any:
        """The report of the content once its first attempt to load has ended."""
        self.get("")
        return self.get("health").json()

    def predict(self, base: str | None = None) -> Any:
        body = {"dataframe_records": [WINE]}
        url = f"{base or self.url}invocations"
        return CLIENT.post(url, json=body, headers=self.key, timeout=120).json()


@contextlib.contextmanager
def publishing(folder: Path, tracking_url: str, path: str = "") -> Iterator[Publisher]:
    """A publisher with a fresh copy of the project, and an empty Connect below `path`."""
    need(find_spec("rsconnect"), "there is no rsconnect (pip install rsconnect-python)")
    for name in ("connect", "home"):
        (folder / name).mkdir()
    with connect_server(folder / "connect", tracking_url, path) as connect:
        yield Publisher(connect, copy_project(folder / "project"), folder / "home")


def register(path: Path, name: str, tracking_url: str) -> str:
    """The URI of the saved model, registered under this name."""
    mlflow.set_tracking_uri(tracking_url)
    try:
        with mlflow.start_run() as run:
            mlflow.log_artifacts(str(path), "model")
        source = f"runs:/{run.info.run_id}/model"
        return f"models:/{name}/{mlflow.register_model(source, name).version}"
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
