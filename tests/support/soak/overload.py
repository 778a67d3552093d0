"""Ten times more callers than the server has room for: those that it takes wait as long as its
queue is, the others are told at once to come back, and all get the answers to their own requests.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from mlflow.types import ColSpec, Schema

from tests.support.processes import Server, our_server
from tests.support.soak.client import (
    Answer,
    Connection,
    Hung,
    Pulse,
    beating,
    connected,
    percentile,
    prediction,
    resident,
    wait_until_ready,
)
from tests.support.soak.findings import Extent, Finding
from tests.support.zoo import save_pyfunc


class Slow(PythonModel):
    """Sleeps, computes, and answers with the number that it got."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        row = model_input.iloc[0]
        time.sleep(row["sleep"])
        end = time.thread_time() + row["compute"]
        while time.thread_time() < end:
            pass
        return model_input["number"].tolist()


@dataclass(frozen=True, slots=True)
class Load:
    """A slow model, and how many predictions run and wait at the same time."""

    model: str
    sleep: float
    compute: float
    workers: int
    queue: int
    seconds: int
    """How long it is overloaded in the whole campaign."""

    @property
    def longest(self) -> float:
        """The seconds for which an accepted request waits in the queue. Threads sleep at the same
        time, but compute in Python one after the other."""
        return self.queue * (self.sleep / self.workers + self.compute)

    @property
    def callers(self) -> int:
        """Ten times as many as there is room for."""
        return 10 * (self.workers + self.queue)


LOADS: Final = (
    Load("sleeps 200 ms", 0.2, 0.0, workers=8, queue=32, seconds=300),
    Load("computes 20 ms in Python", 0.0, 0.02, workers=2, queue=18, seconds=60),
)

ALONE: Final = 10
"""Requests that one caller sends first, one after the other."""

RETRY: Final = "1"
"""The seconds that rejected callers are told to wait."""

SLOWEST_REJECTION: Final = 0.05
SLOWEST_PING: Final = 0.02

GROWTH: Final = 32.0
"""The most megabytes by which the server may grow after the first tenth of the time."""


@dataclass
class Tally:
    """What was answered so far: how long it took, and how many answers were wrong."""

    accepted: list[float] = field(default_factory=list)
    rejected: list[float] = field(default_factory=list)
    wrong: int = 0


class Caller:
    """Asks as soon as it may, each time for another number."""

    def __init__(self, place: int, load: Load, tally: Tally) -> None:
        self._place = place
        self._number = place * 1_000_000
        self._load = load
        self._tally = tally

    async def call(self, url: str, end: float) -> None:
        """Asks until `end`. Callers begin one after the other, within the time of a retry."""
        await asyncio.sleep(float(RETRY) * self._place / self._load.callers)
        async with connected(url) as connection:
            while time.perf_counter() < end:
                await self.ask(connection)

    async def ask(self, connection: Connection) -> None:
        """Asks once, and pauses if it is rejected."""
        self._number += 1
        row = {"sleep": self._load.sleep, "compute": self._load.compute, "number": self._number}
        began = time.perf_counter()
        try:
            answer = await connection.ask(prediction({"dataframe_records": [row]}))
        except Hung:
            answer = None
        self._note(answer, time.perf_counter() - began)
        if answer is None or answer.status != 200:
            await asyncio.sleep(float(RETRY))

    def _note(self, answer: Answer | None, seconds: float) -> None:
        if answer is not None and answer.body == b'{"predictions":[%d]}' % self._number:
            self._tally.accepted.append(seconds)
        elif answer is not None and answer.headers.get("retry-after") == RETRY:
            self._tally.rejected.append(seconds)
        else:
            self._tally.wrong += 1


async def _alone(server: Server, load: Load) -> Tally:
    tally = Tally()
    caller = Caller(0, load, tally)
    async with connected(server.url) as connection:
        for _ in range(ALONE):
            await caller.ask(connection)
    return tally


async def _overload(server: Server, load: Load, seconds: float) -> tuple[Tally, Pulse, float]:
    """What was answered in these seconds, the pings, and the megabytes that the server grew."""
    tally = Tally()
    callers = [Caller(place, load, tally) for place in range(load.callers)]
    sizes = []
    async with beating(Pulse(server.url)) as pulse:
        for part in (seconds * 0.1, seconds * 0.9):
            end = time.perf_counter() + part
            await asyncio.gather(*(caller.call(server.url, end) for caller in callers))
            sizes.append(resident(server))
    return tally, pulse, sizes[1] - sizes[0]


def overload(extent: Extent) -> Sequence[Finding]:
    """The part of the campaign. A hundredth of it, or more, tries all loads."""
    numbers = (("double", "sleep"), ("double", "compute"), ("long", "number"))
    signature = ModelSignature(Schema([ColSpec(kind, name) for kind, name in numbers]))
    model = save_pyfunc(extent.folder / "model", Slow(), signature=signature)
    findings: list[Finding] = []
    for place, load in enumerate(LOADS[: extent.of(100 * len(LOADS))]):
        settings = {"MODEL_URI": str(model), "LOG_LEVEL": "warning"}
        settings |= {"PREDICT_WORKERS": str(load.workers), "MAX_QUEUE": str(load.queue)}
        with our_server(extent.folder / f"log{place}", **settings) as server:
            wait_until_ready(server)
            alone = asyncio.run(_alone(server, load))
            seconds = extent.of(load.seconds, least=2)
            findings += _findings(load, alone, *asyncio.run(_overload(server, load, seconds)))
    return findings


def _findings(
    load: Load, alone: Tally, tally: Tally, pulse: Pulse, growth: float
) -> Sequence[Finding]:
    accepted, rejected, wrong = len(tally.accepted), len(tally.rejected), alone.wrong + tally.wrong
    tried = f"{load.callers} callers of a model that {load.model}, where {load.callers // 10} fit"
    answers = f"{accepted:,} accepted, {rejected:,} rejected, {wrong} others"
    bound = 2 * (percentile(alone.accepted) + load.longest)

    def within(tried: str, seconds: Sequence[float], bound: float) -> Finding:
        slow = percentile(seconds)
        wanted = f"99 % within {bound * 1000:.0f} ms"
        return Finding(tried, wanted, f"{slow * 1000:.0f} ms", slow <= bound, is_timed=True)

    return [
        Finding(
            tried, f"the own answer, or {RETRY} s to wait", answers, accepted > 0 and not wrong
        ),
        within("accepted", tally.accepted, bound),
        within("rejected, and told when to come back", tally.rejected, SLOWEST_REJECTION),
        within("`/ping` meanwhile", pulse.seconds, SLOWEST_PING),
        Finding("`/ping` meanwhile", "always 200", f"{pulse.missed} missed", not pulse.missed),
        Finding(
            "memory after a tenth of the time, and at the end",
            f"grows by {GROWTH:.0f} MB at most",
            f"{growth:.0f} MB",
            growth <= GROWTH,
        ),
    ]
