"""The app, before the packages that it needs are imported: the server listens at once.

In: a function that imports them and makes the app, which takes most of a second. Out: an ASGI app.
The function runs in a thread. Requests wait until it has returned, and are then answered by the app
that it made, whose lifespan begins with that.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from modelserver.hosting.threads import in_daemon_thread

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send


NO_APP: Final = 3
"""The exit code of a process that listens but has no app; uvicorn's for a failed start."""


class EarlyApp:
    """The app that `make` will have made. If `make` raises an exception, `fail` is called with it;
    it should end the process."""

    def __init__(self, make: "Callable[[], Starlette]", fail: Callable[[Exception], None]) -> None:
        self._make = make
        self._fail = fail
        self._app: Starlette | None = None
        self._making: asyncio.Future[Starlette] | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles one ASGI connection (https://asgi.readthedocs.io/en/latest/specs/)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await (self._app or await self.made())(scope, receive, send)

    async def made(self) -> "Starlette":
        """The app that was made. The first call has it made; some servers run no lifespan."""
        if self._making is None:
            self._making = asyncio.ensure_future(self._made())
        self._app = await asyncio.shield(self._making)
        return self._app

    async def _made(self) -> "Starlette":
        try:
            return await in_daemon_thread(self._make, "import-packages")
        except Exception as error:
            self._fail(error)
            raise

    async def _live(self, receive: "Receive", send: "Send") -> None:
        """Answers the server's lifespan at once, and runs that of the app as soon as there is
        one."""
        await receive()
        ended = asyncio.Event()
        living = asyncio.ensure_future(self._living(ended))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ended.set()
        if self._app is None:
            living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
        await send({"type": "lifespan.shutdown.complete"})

    async def _living(self, ended: asyncio.Event) -> None:
        app = await self.made()
        async with app.router.lifespan_context(app):
            await ended.wait()
