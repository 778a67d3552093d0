"""What all endpoints use, and the endpoint that predicts.

There is one `Service` per app: its settings, the model's life, workers, bodies. `Invocations` uses
them all, at /invocations and at the paths of other protocols.
"""

import asyncio
from dataclasses import dataclass
from time import perf_counter as clock
from typing import Final

from starlette.requests import ClientDisconnect, Request as HTTPRequest
from starlette.types import Receive, Scope, Send

from modelserver.errors import BadRequest, PayloadTooLarge
from modelserver.hosting.bodies import Bodies, TooLarge, again
from modelserver.hosting.settings import Settings
from modelserver.lifecycle import Lifecycle
from modelserver.middleware import trace_of
from modelserver.protocols.table import OWN, Protocol
from modelserver.reading.media import check_origin
from modelserver.scoring.answering.formats import AnswerFormat, chosen, only_json
from modelserver.scoring.batching import score_together
from modelserver.scoring.chunking.large_tables import large_table
from modelserver.scoring.chunking.spool import Spool
from modelserver.scoring.model import Model
from modelserver.scoring.query import Query, read_query
from modelserver.scoring.request import (
    MLFLOW,
    Dialect,
    Request,
    Scored,
    Work,
    headers_of,
    server_timing,
)
from modelserver.scoring.scheduling.turns import predicted
from modelserver.scoring.scheduling.workers import Workers


@dataclass(slots=True)
class Service:
    """The parts of one app."""

    settings: Settings
    lifecycle: Lifecycle
    workers: Workers
    bodies: Bodies


def service_of(request: HTTPRequest) -> Service:
    """The app's service. The first call starts to load the model, unless a lifespan has done so."""
    service: Service = request.app.state.service
    service.lifecycle.start()
    return service


PIECE: Final = 1024 * 1024
"""How many bytes of a file are sent at a time."""


class Invocations:
    """The endpoint. It is an ASGI app and no function, since Starlette wraps functions in one more
    layer, which a small request would notice."""

    def __init__(self, dialect: Dialect = MLFLOW, protocol: Protocol = OWN) -> None:
        self._dialect = dialect
        self._protocol = protocol

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request. Raises `ApiError` if the request cannot be read or scored, or if there
        is no model or no free worker; and `ClientDisconnect`."""
        try:
            await self._answered(scope, receive, send)
        except BadRequest as fault:
            fault.status = self._protocol.refused
            raise

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads a request, waits for the model, has the request scored and sends the answer; if it
        is too large for that, in chunks."""
        start = clock()
        request, trace = HTTPRequest(scope, receive), trace_of(scope)
        service, header = service_of(request), trace.header
        check_origin(header(b"origin"), header(b"content-type"))
        query = read_query(scope["query_string"])
        answer = self._answer(query.format, header(b"accept"), service.settings)
        try:
            body = await service.bodies.read(trace.headers, receive)
        except TooLarge as fault:
            await self._in_chunks(request, query, answer, fault, send)
            return
        received = clock()
        try:
            model, scored = await self._scored(service, request, body, query, answer)
        except PayloadTooLarge as fault:  # it stands for more than it has
            unread = TooLarge(fault.message, again([body], False, receive), len(body))
            await self._in_chunks(request, query, answer, unread, send)
            return
        finally:
            service.bodies.release(body)
        trace.rows = scored.rows
        timing = server_timing(received - start, clock() - received, scored.times)
        headers = headers_of(answer, len(scored.body), timing, model)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": scored.body})

    def _answer(
        self, asked: AnswerFormat | None, accept: str | None, settings: Settings
    ) -> AnswerFormat:
        """The format of the answer. Raises `NotAcceptable`."""
        if self._dialect.read is not None:
            return only_json(asked, accept)
        return chosen(asked, accept, settings.csv_quote_formulas == "on")

    async def _scored(
        self,
        service: Service,
        request: HTTPRequest,
        body: bytes,
        query: Query,
        answer: AnswerFormat,
    ) -> tuple[Model, Scored]:
        """The model, asked by this method, and its answer. Raises `ApiError`."""
        header = trace_of(request.scope).header
        limit, timeout = service.settings.max_request_bytes, service.settings.request_timeout
        sent = Request(
            body,
            header(b"content-type"),
            header(b"content-encoding"),
            limit,
            answer,
            query.include,
            self._dialect,
        )
        model = await self._model(service, query.method, request)
        join = score_together if model.row_wise else None
        caller, work = request.scope.get("client"), Work(model, sent)
        return model, await service.workers.run(work, timeout, sent.is_small, join, caller)

    async def _model(self, service: Service, method: str, request: HTTPRequest) -> Model:
        """The model, once there is one, asked by this method. Raises `ApiError`."""
        model = (await service.lifecycle.ready_model()).asked(method)
        self._protocol.admit(model, request.path_params, request.headers)
        return model

    async def _in_chunks(
        self,
        request: HTTPRequest,
        query: Query,
        answer: AnswerFormat,
        fault: TooLarge,
        send: Send,
    ) -> None:
        """Has a table predicted in chunks, since its body is too large to be read whole, and sends
        the answer. Raises `ApiError`, also if that is not possible, and `ClientDisconnect`."""
        if self._dialect.read is not None:
            raise fault
        start = clock()
        service = service_of(request)
        model = await self._model(service, query.method, request)
        table = large_table(model, request.headers, query, answer, fault, service.settings)
        try:
            upload = service.bodies.upload(fault.receive, fault.held)
            file = await predicted(table, upload, service.workers, service.settings.request_timeout)
            trace_of(request.scope).rows = table.rows
            timing = server_timing(0.0, clock() - start, table.times)
            headers = headers_of(answer, file.size, timing, model)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send_file(file, request.receive, send)
        finally:
            table.free()


async def send_file(file: Spool, receive: Receive, send: Send) -> None:
    """Sends the body of an answer, whose headers were sent. Raises `ClientDisconnect` once the
    client has left; the whole request was received before."""
    left = asyncio.ensure_future(receive())
    try:
        place, size = 0, file.size
        while place < size:
            if left.done():
                raise ClientDisconnect
            piece = await asyncio.to_thread(file.piece, place, PIECE)
            place += len(piece)
            more = place < size
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    finally:
        left.cancel()
