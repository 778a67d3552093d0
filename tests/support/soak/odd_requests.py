"""A million odd requests to models of every kind: each is answered, with a prediction or with an
error in JSON, and no error repeats what was sent."""

import asyncio
import contextlib
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import mlflow
import pyarrow.parquet
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from modelserver.scoring.answering.formats import ANSWER_FORMATS
from tests.support.processes import CLIENT, Server, our_server
from tests.support.request_rows import (
    JSON,
    PARQUET,
    SAME,
    Request,
    arrow,
    csv,
    inputs,
    ndjson,
    parquet,
    records,
    split,
)
from tests.support.soak.client import (
    Answer,
    Connection,
    Hung,
    Pulse,
    beating,
    connect,
    resident,
    wait_until_ready,
)
from tests.support.soak.findings import Extent, Finding
from tests.support.soak.mutations import Mutator, Odd
from tests.support.zoo import MODELS, FirstColumn, save_pyfunc

REQUESTS: Final = 1_000_000

CALLERS: Final = 32
"""Connections that ask at the same time."""

GROWTH: Final = 64.0
"""The most megabytes by which a server may grow after the first quarter of its requests."""

KINDS: Final = {
    **{name: name for name in ("nested", "with_params", "all_types", "all_optional", "tensors")},
    "linear": "doubles",
    **{name: name for name in ("tensor_image", "no_signature", "hint_people", "chat", "wine")},
    "wide": "wide",
}
"""The models that are asked, and the model whose real requests are changed for it."""

SHARE_OF_SHOWN: Final = 5
"""How often each request of another protocol stands among the real requests, which are many."""

RAISING: Final = {"chat"}
"""Models that raise an exception of their own on some inputs."""

WIDE: Final = [f"c{number}" for number in range(40)]

CANARY: Final = re.compile(rb"canary\d+q")

TRACE: Final = re.compile(rb"Traceback|File \\?\"|, line \d+, in|site-packages|<class |<function ")
"""What only a stack trace, or Python's own writing of a value, has in it."""

OTHERS: Final = (
    *("text/html; charset=utf-8", "application/yaml", ""),
    *(row.content_type for row in ANSWER_FORMATS.values()),
)
"""The content types of answers that are neither errors nor JSON; those of a 304 have none."""

OF_MLFLOW: Final = (b"\n", mlflow.__version__.encode())
"""What MLflow's server answers to /ping and /version, though it calls that JSON."""


@dataclass
class Tally:
    """What was sent and answered so far."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    growth: float = 0.0
    """The most megabytes by which a server has grown."""

    def note(self, odd: Odd, answer: Answer | None, fault: str) -> None:
        """Counts an answer and what is wrong with it; `fault` is empty if nothing is."""
        if answer is not None:
            self.statuses[answer.status] += 1
        if fault and not self.faults[fault]:
            print(f"{fault}: {odd}\n{answer}"[:5000], file=sys.stderr)
        if fault:
            self.faults[fault] += 1


def fault_of(odd: Odd, answer: Answer, may_raise: bool = False) -> str:
    """What is wrong with an answer; empty if nothing is. `may_raise`: whether the model may."""
    media_type = answer.headers.get("content-type", "")
    if "x-request-id" not in answer.headers:
        return "no id"
    if answer.status >= 500 and not (may_raise and b'"the model raised ' in answer.body):
        return "5xx of others"
    if media_type != "application/json" and (answer.status >= 400 or media_type not in OTHERS):
        return "not JSON"
    if media_type == "application/json" and answer.body and not _is_json(answer.body):
        return "not JSON"
    if answer.status < 400:
        others = set(CANARY.findall(answer.body)) - {odd.canary}
        return "another caller's values" if others else ""
    told = _told(answer)
    return "a trace" if TRACE.search(told) else "the caller's values" if CANARY.search(told) else ""


def _told(answer: Answer) -> bytes:
    """All that an error says, but for the id, which may be the caller's."""
    headers = {name: text for name, text in answer.headers.items() if name != "x-request-id"}
    return repr(headers).encode() + answer.body.partition(b'"request_id":')[0]


def _is_json(text: bytes) -> bool:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    with contextlib.suppress(ValueError):
        json.loads(text, parse_constant=refuse)
        return True
    return text in OF_MLFLOW


class Caller:
    """Sends odd requests one after the other, over one connection as long as that lasts."""

    def __init__(self, url: str, mutator: Mutator, tally: Tally, may_raise: bool) -> None:
        self._url = url
        self._mutator = mutator
        self._tally = tally
        self._may_raise = may_raise
        self._connection: Connection | None = None

    async def send(self, requests: int) -> None:
        """Sends so many."""
        for _ in range(requests):
            odd = self._mutator.next()
            self._tally.sent += 1
            try:
                await (self._ask(odd) if odd.is_whole else self._throw(odd))
            except Hung:
                self._tally.note(odd, None, "hung")
                self._connection = None
        self._leave()

    async def _ask(self, odd: Odd) -> None:
        """A kept connection may be closed by now; then the request is sent over a new one."""
        answer = await self._connection.ask(odd.data) if self._connection else None
        if answer is None:
            self._leave()
            self._connection = await connect(self._url)
            answer = await self._connection.ask(odd.data)
        self._note(odd, answer)

    async def _throw(self, odd: Odd) -> None:
        """Sends the bytes and no more, and reads until the server closes the connection."""
        connection = await connect(self._url)
        connection.writer.write(odd.data)
        connection.writer.write_eof()
        while answer := await connection.answer(odd.data.startswith(b"HEAD ")):
            self._note(odd, answer)
        connection.close()

    def _note(self, odd: Odd, answer: Answer | None) -> None:
        fault = fault_of(odd, answer, self._may_raise) if answer else "no answer"
        self._tally.note(odd, answer, fault)

    def _leave(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


async def _attack(server: Server, callers: Sequence[Caller], number: int, tally: Tally) -> None:
    """Has the callers send so many odd requests together."""
    sizes = []
    async with beating(Pulse(server.url, pause=0.1)) as pulse:
        for part in (number // 4, number - number // 4):
            await asyncio.gather(*(caller.send(-(-part // CALLERS)) for caller in callers))
            sizes.append(resident(server))
    tally.growth = max(tally.growth, sizes[1] - sizes[0])
    tally.faults["missed"] += pulse.missed


def _save(name: str, folder: Path) -> Path:
    if name != "wide":
        return MODELS[name](folder)
    columns = Schema([ColSpec("double", column) for column in WIDE])
    return save_pyfunc(folder, FirstColumn(), signature=ModelSignature(columns))


def _seeds(name: str) -> Sequence[Request]:
    """Real requests to a model: those that MLflow takes too, and the same in further formats."""
    seeds = _seeds_of_mlflow(name)
    return [*seeds, *filter(None, map(_in_another_format, seeds))]


def _in_another_format(seed: Request) -> Request | None:
    """A table of records as NDJSON, one of Parquet as Arrow; None for other requests."""
    with contextlib.suppress(ValueError, KeyError, TypeError):  # some seeds are no such table
        if seed.content_type == PARQUET:
            return arrow(pyarrow.parquet.read_table(io.BytesIO(seed.body)))
        if seed.content_type == JSON:
            return ndjson(*json.loads(seed.body)["dataframe_records"])
    return None


def _seeds_of_mlflow(name: str) -> Sequence[Request]:
    if name != "wide":
        return [same.request for same in SAME if same.model == KINDS[name]]
    cells = [number / 4 for number in range(len(WIDE))]
    record = dict(zip(WIDE, cells, strict=True))
    table = {column: [cell] * 2 for column, cell in record.items()}
    lines = [",".join(WIDE), *[",".join(map(str, cells))] * 2]
    return [split(WIDE, cells, cells), records(record), inputs(table), csv(*lines), parquet(table)]


def _shown(server: Server, name: str) -> Sequence[Request]:
    """The examples that the OpenAPI document shows for the Open Inference Protocol."""
    document = CLIENT.get(f"{server.url}/openapi.json").json()
    shown = document["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]["content"][JSON]
    values = [example["value"] for example in shown.get("examples", {}).values()]
    path = f"/v2/models/{name}/infer"
    return [Request(json.dumps(value).encode(), path=path) for value in values] * SHARE_OF_SHOWN


def odd_requests(extent: Extent) -> Sequence[Finding]:
    """The part of the campaign. A hundredth of it, or more, asks all kinds of models."""
    tally, ended = Tally(), 0
    names = list(KINDS)[: extent.of(100 * len(KINDS))]
    each = extent.of(REQUESTS, least=1000) // len(names)
    for name in names:
        model = _save(name, extent.folder / name)
        log = extent.folder / f"{name}.log"
        with our_server(log, MODEL_URI=str(model), LOG_LEVEL="error") as server:
            wait_until_ready(server)
            seeds, raises = [*_seeds(name), *_shown(server, name)], name in RAISING
            mutator = Mutator(seeds, extent.seed)
            callers = [Caller(server.url, mutator, tally, raises) for _ in range(CALLERS)]
            asyncio.run(_attack(server, callers, each, tally))
            ended += server.process.poll() is not None
            tally.faults["failed"] += server.output().count("failed in the server's own code")
    return _findings(tally, len(names), ended)


def _findings(tally: Tally, kinds: int, ended: int) -> Sequence[Finding]:
    asked = f"{tally.sent:,} odd requests to {kinds} kinds of models"
    answers = ", ".join(f"{number:,} of {code}" for code, number in sorted(tally.statuses.items()))

    def none_of(tried: str, wanted: str, *faults: str) -> Finding:
        seen = ", ".join(f"{tally.faults[fault]} {fault}" for fault in faults)
        return Finding(tried, wanted, seen, not any(tally.faults[fault] for fault in faults))

    return [
        Finding(asked, "no process ends", f"{ended} ended; answers: {answers}", not ended),
        none_of("the same", "each is answered, with an id", "hung", "no answer", "no id"),
        none_of("the same", "500 only if the model of chats raises", "failed", "5xx of others"),
        none_of("predictions", "only of what was sent", "another caller's values"),
        none_of("errors", "JSON without values", "not JSON", "a trace", "the caller's values"),
        none_of("`/ping` ten times a second meanwhile", "always 200", "missed"),
        Finding(
            "memory after the first quarter, and at the end",
            f"grows by {GROWTH:.0f} MB at most",
            f"{tally.growth:.0f} MB",
            tally.growth <= GROWTH,
        ),
    ]
