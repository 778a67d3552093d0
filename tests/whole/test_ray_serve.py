"""The app as replicas of Ray Serve: the same answers, from two processes, under load."""

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.needs import need
from tests.support.processes import Server, free_port, running, status, wait_for
from tests.support.request_rows import WINE

pytestmark = [pytest.mark.processes, pytest.mark.repeats]

RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}


def replicas(server: Server) -> set[str]:
    """The processes whose log has predictions."""
    return set(re.findall(r"pid=(\d+).* POST /invocations 200", server.output()))


def predict(server: Server, number: int) -> tuple[int, str, str]:
    bodies = [{"dataframe_records": [WINE] * (number % 5 + 1)}, {"inputs": "nonsense"}]
    headers = {"X-Request-ID": f"id-{number}"}
    url = f"{server.url}/invocations"
    answer = httpx.post(url, json=bodies[number % 7 == 0], headers=headers, timeout=90)
    # Ray's proxy repeats the id that the app gives.
    (request_id,) = set(answer.headers["X-Request-ID"].split(", "))
    return answer.status_code, answer.text, request_id


def expected(number: int) -> list[str]:
    return ["cultivar 1"] * (number % 5 + 1)


def test_two_replicas(model_path: Callable[[str], Path], tmp_path: Path) -> None:
    need(importlib.util.find_spec("ray"), "there is no ray (deploy/requirements.txt)")
    port = free_port()
    command = [sys.executable, "-m", "tests.support.ray_driver", str(port)]
    environment = {"MODEL_URI": str(model_path("wine")), **RAY}
    with running(command, environment, tmp_path / "log", port) as server:
        wait_for(lambda: status(f"{server.url}/ping") == 200, server, seconds=180)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda number: predict(server, number), range(70)))
        wait_for(lambda: len(replicas(server)) == 2, server)
        health = httpx.get(f"{server.url}/health", timeout=90).json()
    assert health["state"] == "ready"
    for number, (code, text, request_id) in enumerate(answers):
        assert request_id == f"id-{number}"
        assert code == (400 if number % 7 == 0 else 200)
        if code == 200:
            assert json.loads(text) == {"predictions": expected(number)}
