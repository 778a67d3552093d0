"""The app before its packages are imported: what waits, what begins, what ends."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from modelserver.hosting.processes.early_app import EarlyApp
from tests.support.processes import ROOT


class Making:
    """A `make` that waits for `go`, and what happened to the app that it made."""

    def __init__(self, go: bool = True) -> None:
        self.go = threading.Event()
        if go:
            self.go.set()
        self.calls = 0
        self.happened: list[str] = []
        self.failed: list[Exception] = []
        self.early = EarlyApp(self.make, self.failed.append)

    def make(self) -> Starlette:
        self.calls += 1
        self.go.wait()

        @contextlib.asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            self.happened.append("begun")
            yield
            self.happened.append("ended")

        async def hello(request: Request) -> PlainTextResponse:
            return PlainTextResponse("hello")

        return Starlette(routes=[Route("/", hello)], lifespan=lifespan)

    async def get(self) -> str:
        transport = httpx.ASGITransport(self.early)
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            return (await client.get("/")).text


class Server:
    """The lifespan of a server: what it receives and has sent."""

    def __init__(self, early: EarlyApp) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self.task = asyncio.ensure_future(early(scope, self.messages.get, self.sent.put))

    async def tell(self, name: str) -> str:
        self.messages.put_nowait({"type": f"lifespan.{name}"})
        answer: str = (await self.sent.get())["type"]
        return answer


def test_the_server_listens_and_requests_wait_until_there_is_an_app() -> None:
    async def run() -> None:
        making = Making(go=False)
        server = Server(making.early)
        assert await server.tell("startup") == "lifespan.startup.complete"
        asked = [asyncio.ensure_future(making.get()) for _ in range(3)]
        done, _ = await asyncio.wait(asked, timeout=0.05)
        assert not done
        making.go.set()
        assert await asyncio.gather(*asked) == ["hello"] * 3
        assert await making.get() == "hello"
        assert making.calls == 1
        assert making.happened == ["begun"]
        assert await server.tell("shutdown") == "lifespan.shutdown.complete"
        assert making.happened == ["begun", "ended"]
        await server.task

    asyncio.run(run())


def test_a_server_that_ends_before_there_is_an_app() -> None:
    async def run() -> None:
        making = Making(go=False)
        server = Server(making.early)
        await server.tell("startup")
        while not making.calls:
            await asyncio.sleep(0)
        assert await server.tell("shutdown") == "lifespan.shutdown.complete"
        making.go.set()
        assert making.happened == []

    asyncio.run(run())


def test_a_server_without_a_lifespan() -> None:
    making = Making()
    assert asyncio.run(making.get()) == "hello"
    assert making.happened == []


def test_without_an_app_the_process_is_to_end() -> None:
    def fail() -> Starlette:
        raise LookupError("no app")

    failed: list[Exception] = []
    early = EarlyApp(fail, failed.append)
    with pytest.raises(LookupError, match="no app"):
        asyncio.run(early.made())
    assert [type(error) for error in failed] == [LookupError]


def copied(tmp_path: Path) -> Path:
    """A copy of what is deployed."""
    for name in ("main.py", "openapi_base.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "modelserver", tmp_path / "modelserver", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def started(folder: Path, processes: int = 1) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PORT": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PROCESSES"] = str(processes)
    command = [sys.executable, "main.py"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


BREAKS = {
    "openapi_base.yaml": ("", r"the server ends: openapi_base\.yaml: .+\n"),
    "modelserver/app.py": (
        "import not_installed",
        r"main\.py: there is no not_installed in this environment; pip install -r \S+\n",
    ),
    "modelserver/service.py": ("1 / 0", r"(?s)Traceback .*ZeroDivisionError: .*"),
    "modelserver/states.py": (
        "import modelserver.nothing",
        r"(?s)Traceback .*No module named 'modelserver.nothing'\n",
    ),
}


@pytest.mark.processes
@pytest.mark.parametrize("file", sorted(BREAKS))
def test_a_server_that_has_no_app_ends_and_says_why(file: str, tmp_path: Path) -> None:
    text, said = BREAKS[file]
    (copied(tmp_path) / file).write_text(text)
    done = started(tmp_path)
    assert done.returncode == 3
    assert done.stdout.startswith("Listening on ")
    assert re.fullmatch(said, done.stderr)


@pytest.mark.processes
def test_of_several_processes_none_is_started_again_that_has_no_app(tmp_path: Path) -> None:
    (copied(tmp_path) / "openapi_base.yaml").write_text("")
    done = started(tmp_path, processes=2)
    assert done.returncode == 3
    assert "the server ends: openapi_base.yaml: " in done.stderr
    assert "the next one starts" not in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_right_after_the_start_ends_it_in_order(number: signal.Signals) -> None:
    environment = {**os.environ, "PORT": "0"}
    command = [sys.executable, "main.py"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Listening on ")
        process.send_signal(number)
        _, written = process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in written


@pytest.mark.processes
def test_what_is_refused_before_there_is_an_app_is_logged() -> None:
    code = "import logging, main; print(len(logging.getLogger('modelserver').handlers))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout == b"1\n"


IMPORTED = "import sys, main; print(*sorted({'mlflow', 'numpy', 'pandas'} & sys.modules.keys()))"


@pytest.mark.processes
def test_nothing_heavy_is_imported_before_the_server_listens() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "\n"
