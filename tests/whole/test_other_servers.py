"""The app under other servers than its own: forked after it was made, in several processes."""

import sys
from pathlib import Path

import httpx
import pytest

from tests.support.needs import need
from tests.support.processes import free_port, running, status, wait_for

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("gunicorn", "--preload --workers 2 --worker-class uvicorn_worker.UvicornWorker --bind {}"),
        ("hypercorn", "--bind {}"),
        ("granian", "--interface asgi --host 127.0.0.1 --port {port}"),
    ],
)
def test_predicts(module: str, options: str, light_folder: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name(module)
    need(program.exists(), f"there is no {module}")
    port = free_port()
    given = options.format(f"127.0.0.1:{port}", port=port).split()
    command = [str(program), *given, "main:app"]
    with running(command, {"MODEL_URI": str(light_folder)}, tmp_path / "log", port) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server)
        for _ in range(4):
            answer = httpx.post(f"{server.url}/invocations", json={"inputs": [1]}, timeout=60)
            assert answer.json() == {"predictions": ["cultivar 1"]}
        server.process.terminate()
        assert server.process.wait(30) in (0, -15)
