"""The benchmark of tables that are larger than memory.

It posts CSV and NDJSON of `--gib` GiB, made while they are sent, to `python main.py`; and the same
rows in requests of 10 MB, half of them before and half after. It looks at the server's memory and
at /ping meanwhile. `--write FILE` puts the table under its heading at the end of FILE.
"""

import argparse
import contextlib
import http.client
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.bench.cases import HOST
from tests.support.bench.measure import progress
from tests.support.bench.models import doubles, save_regression
from tests.support.bench.servers import Server, running

GIB: Final = 1024**3

HEADING: Final = "## Tables larger than memory"

ROWS: Final = 200_000
"""How many rows are made; a table repeats them."""

PART: Final = 10_000_000
"""The bytes of an ordinary request, without the header."""

URL: Final = "/invocations?format=csv&include=id"

PAUSE: Final = 0.02
"""Seconds between two looks at the memory, and between two pings."""


@dataclass(frozen=True)
class Table:
    """A table: its header, and rows of about `PART` bytes, which it repeats."""

    name: str
    media_type: str
    header: bytes
    rows: bytes

    def pieces(self, count: int) -> Iterator[bytes]:
        """The table with its rows so many times."""
        yield self.header
        for _ in range(count):
            yield self.rows

    def size(self, count: int) -> int:
        """Its bytes."""
        return len(self.header) + count * len(self.rows)


def tables() -> list[Table]:
    """An id and four doubles with 6 decimals in each row."""
    frame = doubles(ROWS, digits=6)
    frame.insert(0, "id", range(10**6, 10**6 + ROWS))
    header, rows = (text.encode() for text in _split(frame.to_csv(index=False)))
    lines = frame.to_json(orient="records", lines=True).encode()
    return [
        Table("CSV", "text/csv", header, _cut(rows)),
        Table("NDJSON", "application/x-ndjson", b"", _cut(lines * 2)),
    ]


def _split(text: str) -> tuple[str, str]:
    header, _, rows = text.partition("\n")
    return f"{header}\n", rows * 2


def _cut(rows: bytes) -> bytes:
    return rows[: rows.rfind(b"\n", 0, PART) + 1]


@dataclass
class Watch:
    """Looks at a server until it is told to end: memory in MB, and seconds until /ping answers."""

    server: Server
    memory: list[float] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)

    def latency(self) -> str:
        """The median and the 99th percentile of /ping."""
        cuts = statistics.quantiles(self.pings, n=100)
        return f"{cuts[49] * 1000:.1f} ms, {cuts[98] * 1000:.1f} ms"

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Looks while the block runs."""
        end = threading.Event()
        looks = (self._look, self._ping)
        threads = [threading.Thread(target=look, args=(end,)) for look in looks]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def _look(self, end: threading.Event) -> None:
        while not end.wait(PAUSE):
            status = Path(f"/proc/{self.server.process.pid}/status").read_text()
            self.memory.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)

    def _ping(self, end: threading.Event) -> None:
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=60)
        with contextlib.closing(connection):
            while not end.wait(PAUSE):
                start = time.perf_counter()
                connection.request("GET", "/ping")
                connection.getresponse().read()
                self.pings.append(time.perf_counter() - start)


def post(port: int, table: Table, count: int) -> None:
    """Posts the table and takes the answer, which is not kept."""
    connection = http.client.HTTPConnection(HOST, port)
    with contextlib.closing(connection):
        headers = {"Content-Type": table.media_type, "Content-Length": str(table.size(count))}
        connection.request("POST", URL, table.pieces(count), headers)
        _take(connection)


def post_apart(port: int, table: Table, count: int) -> None:
    """Posts the rows in so many requests over one connection."""
    connection = http.client.HTTPConnection(HOST, port)
    headers = {"Content-Type": table.media_type}
    with contextlib.closing(connection):
        for _ in range(count):
            connection.request("POST", URL, table.header + table.rows, headers)
            _take(connection)


def _take(connection: http.client.HTTPConnection) -> None:
    response = connection.getresponse()
    if response.status != 200:
        raise ConnectionError(f"{response.status}: {response.read(1000)!r}")
    while response.read(1 << 20):
        pass


def timed(work: Callable[[], None]) -> float:
    """The seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(server: Server, table: Table, gib: float) -> Mapping[str, str]:
    """The figures of one table."""
    half = max(1, int(gib * GIB / len(table.rows) / 2))
    size = table.size(2 * half) / 1e6
    progress(f"{table.name}: {size:.0f} MB")
    post_apart(server.port, table, 3)  # the first requests are slower
    whole, ordinary = Watch(server), Watch(server)
    with ordinary.watching():
        apart = timed(lambda: post_apart(server.port, table, half))
    with whole.watching():
        together = timed(lambda: post(server.port, table, 2 * half))
    with ordinary.watching():
        apart += timed(lambda: post_apart(server.port, table, half))
    return {
        "rows": f"{2 * half * table.rows.count(10):,}",
        "size": f"{size:,.0f} MB",
        "in chunks": f"{size / together:.1f} MB/s",
        "in requests of 10 MB": f"{size / apart:.1f} MB/s",
        "share": f"{apart / together:.2f}",
        "memory in chunks, at most": f"{max(whole.memory):.0f} MB",
        "memory in requests, at most": f"{max(ordinary.memory):.0f} MB",
        "`/ping` beside chunks, median and p99": whole.latency(),
        "`/ping` beside requests, median and p99": ordinary.latency(),
    }


def report(found: Mapping[str, Mapping[str, str]]) -> str:
    """The section as Markdown."""
    names = list(next(iter(found.values())))
    lines = [
        HEADING,
        "",
        "One client sends an id and four doubles per row and gets CSV: the whole table at once,",
        "and the same rows in ordinary requests, half of them before and half after. LR as above,",
        "one process, loopback.",
        "",
        f"| | {' | '.join(found)} |",
        f"|---|{'---|' * len(found)}",
        *(f"| {name} | {' | '.join(row[name] for row in found.values())} |" for name in names),
    ]
    return "\n".join(lines)


def put(file: Path, section: str) -> None:
    """Writes the section at the end of the file, in place of an older one."""
    text = file.read_text() if file.exists() else ""
    file.write_text(f"{text.partition(HEADING)[0].rstrip()}\n\n{section}\n")


def main() -> None:
    """Runs, prints, writes."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.bench.large", description=__doc__
    )
    parser.add_argument("--gib", type=float, default=2, help="GiB of each table")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        model = Path(folder) / "model"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to authors of models
            save_regression(model)
        with running("here", model, Path(folder)) as server:
            wait(server)
            found = {table.name: measure(server, table, options.gib) for table in tables()}
    section = report(found)
    print(section)
    if options.write:
        put(options.write, section)


def wait(server: Server) -> None:
    """Returns once the server is ready."""
    for _ in range(600):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
            with contextlib.closing(connection):
                connection.request("GET", "/ping")
                if connection.getresponse().status == 200:
                    return
        time.sleep(0.1)
    raise server.broken("it does not get ready")


if __name__ == "__main__":
    main()
