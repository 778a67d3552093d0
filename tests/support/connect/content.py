"""One piece of content: its bundles, its variables, and the processes that serve it."""

import json
import os
import platform
import secrets
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from tests.support.connect.environment import BuildFailed, environment_of
from tests.support.processes import free_port

RUNNER = Path(__file__).with_name("runner.py")

INIT_TIMEOUT = 60
"""Seconds in which a process must accept connections: Connect's usual setting."""

PYTHON = platform.python_version()
"""The one version that this Connect has."""


@dataclass
class Job:
    """A process of a bundle, with a key of its own."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def runs(self) -> bool:
        return self.process.poll() is None

    def wait_until_it_listens(self, seconds: float) -> bool:
        """Whether it does before the time is up."""
        deadline = time.monotonic() + seconds
        while self.runs() and time.monotonic() < deadline:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        if self.runs():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass
class Bundle:
    """An uploaded archive, unpacked; after its deployment with an environment."""

    id: str
    folder: Path
    files: list[str]
    python: Path | None = None
    job: Job | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return manifest

    def build(self) -> None:
        """Finds its environment, or makes one. Raises `BuildFailed`."""
        environment = self.manifest.get("environment", {}).get("python", {})
        wanted = environment.get("requires") or f"~={self.manifest['python']['version']}"
        if PYTHON not in SpecifierSet(wanted):
            raise BuildFailed(f"no compatible Local environment with Python version {wanted}")
        self.python = environment_of((self.folder / "requirements.txt").read_text())


@dataclass
class Content:
    """What the dashboard shows as one item."""

    guid: str
    name: str
    folder: Path
    automatic: Callable[[str], Mapping[str, str]]
    """The variables that Connect sets for a process with this key."""
    settings: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    active: Bundle | None = None
    vanity: str | None = None
    jobs: list[Job] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_bundle(self, archive: Path, number: str) -> Bundle:
        """Unpacks an archive. Raises `TarError`, or `FileNotFoundError` without a manifest."""
        folder = self.folder / f"bundle-{number}"
        with tarfile.open(archive) as tar:
            files = [member.name for member in tar.getmembers() if member.isfile()]
            tar.extractall(folder, filter="data")
        bundle = Bundle(number, folder, files)
        assert bundle.manifest["metadata"]["appmode"] == "python-fastapi"
        self.bundles[number] = bundle
        return bundle

    def job_of(self, bundle: Bundle) -> Job:
        """The running process of a bundle, started if there is none."""
        with self.lock:
            if bundle.job is None or not bundle.job.runs():
                bundle.job = self._start(bundle)
                self.jobs.append(bundle.job)
                bundle.job.wait_until_it_listens(self.settings.get("init_timeout", INIT_TIMEOUT))
            return bundle.job

    def activate(self, bundle: Bundle) -> None:
        """From now on this bundle is the content; the process of the one before ends."""
        before, self.active = self.active, bundle
        if before is not None and before is not bundle and before.job is not None:
            before.job.stop()

    def restart(self) -> None:
        """Ends all processes; the next request starts a new one."""
        for job in self.jobs:
            job.stop()

    def log(self) -> str:
        """What all its processes printed so far."""
        return "".join(job.log.read_text() for job in self.jobs)

    def _start(self, bundle: Bundle) -> Job:
        assert bundle.python is not None, "the bundle was not deployed"
        port, key = free_port(), secrets.token_hex(16)
        log = self.folder / f"job-{len(self.jobs)}.log"
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        command = [str(bundle.python), str(RUNNER), bundle.manifest["metadata"]["entrypoint"]]
        system = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, str(port)],
                cwd=bundle.folder,
                env={**system, **self.automatic(key), **self.variables},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Job(process, port, log, key)
