"""Requests that are handed on to another server."""

from collections.abc import Mapping

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding"}


async def forward(
    request: Request,
    url: str,
    remove: frozenset[str] = frozenset(),
    add: Mapping[str, str] | None = None,
) -> Response:
    """The answer of the server at `url` to `request`, body and headers as they are."""
    headers = [(name, value) for name, value in request.headers.items() if name not in remove]
    try:
        async with (
            httpx.AsyncClient(timeout=None, trust_env=False) as client,
            client.stream(
                request.method,
                f"{url}?{request.url.query}" if request.url.query else url,
                headers=[*headers, *(add or {}).items()],
                content=await request.body(),
            ) as answer,
        ):
            body = b"".join([chunk async for chunk in answer.aiter_raw()])
    except httpx.TransportError as error:
        return PlainTextResponse(f"no answer from the process: {error!r}\n", 502)
    response = Response(body, answer.status_code)
    response.raw_headers = [
        (name, value) for name, value in answer.headers.raw if name.lower() not in HOP_BY_HOP
    ]
    if b"content-length" not in dict(response.raw_headers):
        response.raw_headers.append((b"content-length", str(len(body)).encode()))
    return response
