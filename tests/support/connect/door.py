"""A door before a tracking server: who may pass, where it sends the others, what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from tests.support.connect.proxy import forward

NOT_FORWARDED = frozenset({"host", "authorization"})


def everybody(authorization: str | None) -> bool:
    return True


@dataclass
class Door:
    """An ASGI app. It remembers the Authorization header of every request, None without one."""

    upstream: str
    accepts: Callable[[str | None], bool] = everybody
    login_page: str | None = None
    """Where others are sent, as Connect does; without one they get 401."""
    moved_to: str | None = None
    """Where every request is redirected to instead, its path appended."""
    moved_with: int = 307
    seen: list[str | None] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))  # where it is mounted
            response = await self.enter(Request(scope, receive), path)
            await response(scope, receive, send)

    async def enter(self, request: Request, path: str) -> Response:
        """The answer to a request for `path` of the tracking server."""
        authorization = request.headers.get("authorization")
        self.seen.append(authorization)
        if self.moved_to is not None:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{self.moved_to}{path}{query}", self.moved_with)
        if not self.accepts(authorization):
            page = self.login_page
            return RedirectResponse(f"{page}#/login", 302) if page else Response(status_code=401)
        return await forward(request, self.upstream + path, NOT_FORWARDED)
