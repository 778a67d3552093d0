"""The life of a process: unconfigured, or loading, then ready or failed and trying again.

`Lifecycle` owns the state, the model and its description. The model is loaded in a thread while the
server already listens; failures are retried after growing pauses, because a tracking server may
come back. The table of states and answers is in docs/operations.md.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal, TypeAlias

from modelserver.describing.description import Description, describe
from modelserver.errors import ModelUnavailable
from modelserver.hosting.memory import settle_memory
from modelserver.hosting.settings import Settings
from modelserver.loading.attempt import LOGGED, LoadFailed
from modelserver.loading.loader import load_model
from modelserver.loading.warm_up import warm_up
from modelserver.scoring.model import Model

logger = logging.getLogger(__name__)

State: TypeAlias = Literal["unconfigured", "loading", "ready", "failed"]

UNCONFIGURED: Final = (
    "MODEL_URI is not set. Set it to the model's URI, for example models:/my-model/1: on Posit "
    "Connect in the content's Vars pane, elsewhere as an environment variable; then restart"
)

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0


class Lifecycle:
    """The state of the one model of this process. Used from the event loop only, but for `step`,
    what the loading thread is doing now."""

    def __init__(self, settings: Settings, base: Description) -> None:
        self.settings = settings
        self._base = base
        self.description = base
        self.state: State = "loading" if settings.model_uri else "unconfigured"
        self.since = now()
        self.reason: str | None = None if settings.model_uri else UNCONFIGURED
        self.next_try: datetime | None = None
        self.step: str | None = None
        self.model: Model | None = None
        self.warnings: Sequence[str] = ()
        self._started = False
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()

    def start(self) -> None:
        """Begins to load, once. Called by the lifespan, and by requests where no lifespan runs."""
        if self._started:
            return
        self._started = True
        if self.settings.model_uri:
            self._task = asyncio.get_running_loop().create_task(self._load_until_ready())
        else:
            logger.warning(UNCONFIGURED)

    async def stop(self) -> None:
        """Ends the attempts, and removes the model's downloaded files."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self.model is not None and self.model.folder is not None:
            self.model.folder.cleanup()

    async def settled(self, timeout: float) -> None:
        """Returns once the first attempt has ended, or after `timeout` seconds (0: any time)."""
        if self.state == "loading":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), timeout or None)

    async def ready_model(self, timeout: float) -> Model:
        """The model, waited for while it is loading. Raises `ModelUnavailable`."""
        if self.model is None:
            await self.settled(timeout)
        if self.model is None:
            raise self.unavailable()
        return self.model

    async def described(self, timeout: float) -> Description:
        """The model's description, waited for while it is loading; without a model the base."""
        await self.settled(timeout)
        return self.description

    def unavailable(self) -> ModelUnavailable:
        """Why there is no model now, and when it is worth asking again."""
        if self.state == "unconfigured":
            return ModelUnavailable(UNCONFIGURED)
        if self.state == "loading":
            return ModelUnavailable(
                f"the model is still loading, since {isoformat(self.since)}"
                + (f": {self.step}" if self.step else ""),
                headers={"Retry-After": "5"},
            )
        return ModelUnavailable(
            f"the model could not be loaded: {self.reason}",
            headers={"Retry-After": str(max(1, round(self._seconds_to_next_try())))},
        )

    async def _load_until_ready(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                model, self.description, self.warnings = await in_daemon_thread(self._prepare)
            except Exception as error:  # no failure may leave the state as it was
                self._fail(_as_failure(error), pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._succeed(model)
                return

    def _prepare(self) -> tuple[Model, Description, Sequence[str]]:
        """A model that has predicted, its description, and warnings. Runs in a thread."""
        model = load_model(self.settings, self._report)
        self._report("predicting the examples")
        warnings = warm_up(model, self.settings.max_request_bytes)
        description = _described(self._base, model, self.settings, warnings)
        settle_memory()
        return model, description, [*warnings, *filter(None, [description.warning])]

    def _report(self, step: str) -> None:
        self.step = step

    def _fail(self, error: LoadFailed, pause: float) -> None:
        first = self.state != "failed"
        if first:
            self.state, self.since = "failed", now()
        self.reason = str(error)
        self.next_try = now() + timedelta(seconds=pause)
        logger.error(
            "%s; trying again in %.0f s", error, pause, exc_info=error.__cause__ if first else None
        )
        self._settled.set()

    def _succeed(self, model: Model) -> None:
        self.model, self.state, self.since = model, "ready", now()
        self.reason = self.next_try = self.step = None
        self._settled.set()
        logger.info("ready")

    def _seconds_to_next_try(self) -> float:
        return (self.next_try - now()).total_seconds() if self.next_try else 0.0


def _as_failure(error: Exception) -> LoadFailed:
    if isinstance(error, LoadFailed):
        return error
    failure = LoadFailed(f"loading the model ended with {type(error).__name__}; {LOGGED}")
    failure.__cause__ = error
    return failure


def _described(
    base: Description, model: Model, settings: Settings, warnings: Sequence[str]
) -> Description:
    """The model's description. A model that predicts is worth more than what is said of it."""
    shown = replace(model, example=None) if warnings else model
    try:
        return describe(base.document, shown, settings.on_connect, warnings)
    except Exception:
        logger.exception("the model is served without a description of its own")
        return base


async def in_daemon_thread(work: Callable[[], Any]) -> Any:
    """The result of `work`, run in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def finish(result: Any, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:
            error = raised
        except BaseException as raised:  # a model may raise KeyboardInterrupt
            error = RuntimeError(f"{type(raised).__name__} was raised")
            error.__cause__ = raised
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=run, name="load-model", daemon=True).start()
    return await future


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(timezone.utc)


def isoformat(moment: datetime | None) -> str | None:
    """A time as ISO 8601 text to the second."""
    return moment.isoformat(timespec="seconds") if moment else None
