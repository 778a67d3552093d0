"""Servers as processes: started, looked at through /proc, ended with all they started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.bench.cases import HOST

ROOT: Final = Path(__file__).resolve().parents[3]

SERVERS: Final = ("MLflow", "here", "limit")

UNBATCHED: Final = "here without batching"


class Broken(RuntimeError):
    """A server failed; the text holds the end of its log."""


@dataclass(slots=True)
class Server:
    """A running server: its first process, port and log."""

    name: str
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    began: float = field(default_factory=time.perf_counter)

    def processes(self) -> list[int]:
        """The ids of the server's process and all that descend from it."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(entry)[1]), []).append(int(entry.parent.name))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def cpu_ms(self) -> float:
        """User and system time of all processes so far."""
        ticks = 0
        for pid in self.processes():
            values = _stat(Path(f"/proc/{pid}/stat"))
            ticks += int(values[11]) + int(values[12])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory of all processes."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self.processes()]
        return sum(int(text.partition("VmRSS:")[2].split()[0]) for text in texts) / 1024

    def broken(self, what: str) -> Broken:
        """An error that shows the end of the log."""
        return Broken(f"{self.name}: {what}\n{self.log.read_text(errors='replace')[-4000:]}")

    def stop(self) -> None:
        """Ends the process group."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)


def _stat(file: Path) -> list[str]:
    """The fields of a /proc/<pid>/stat from the third on, the state; the second may hold spaces."""
    return file.read_text().rpartition(")")[2].split()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def command(name: str, model: Path, cases: Path, port: int) -> list[str]:
    """How a server is started."""
    if name == "MLflow":
        tool = str(Path(sys.executable).parent / "mlflow")
        options = ["-p", str(port), "-h", HOST, "--env-manager", "local"]
        return [tool, "models", "serve", "-m", str(model), *options]
    if name in ("here", UNBATCHED):
        return [sys.executable, str(ROOT / "main.py")]
    served = f"serve_limit({str(model)!r}, {str(cases)!r})"
    code = f"from tests.support.bench.limit import serve_limit; {served}"
    return [sys.executable, "-c", code]


@contextlib.contextmanager
def running(name: str, model: Path, cases: Path) -> Iterator[Server]:
    """A server's process, which may not listen yet; ended with everything it started."""
    port = free_port()
    folder = model.parent
    environment = {
        **os.environ,
        "MODEL_URI": str(model),
        "HOST": HOST,
        "PORT": str(port),
        "BATCHING": "off" if name == UNBATCHED else "auto",
        # Threads of BLAS that wait in loops would blur the CPU of small models.
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT) if name == "limit" else "",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    log = folder / f"{name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(name, model, cases, port),
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Server(name, process, port, log)
    try:
        yield server
    finally:
        server.stop()
