"""The life of the one model: from one of its states (`states.py`) to the next.

The model is loaded in a thread while the server already listens. If loading fails, it is tried
again after growing pauses, since a tracking server may come back or a model may be registered; it
is not if no model can be at the URI. docs/operations.md says what each path answers in which state.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from modelserver.describing.description import Description, describe
from modelserver.hosting.memory import settle_memory
from modelserver.hosting.settings import Settings
from modelserver.hosting.threads import in_daemon_thread
from modelserver.loading.attempt import LOGGED, Again, LoadFailed
from modelserver.loading.loader import load_model
from modelserver.loading.warm_up import warm_up
from modelserver.scoring.model import Model
from modelserver.states import (
    LONGEST_PAUSE,
    Failed,
    Loading,
    Ready,
    State,
    Unconfigured,
    now,
)

logger = logging.getLogger(__name__)

FIRST_PAUSES: Final[Mapping[Again, float]] = {"soon": 1.0, "later": 10.0}
"""Seconds until the second attempt to load a model. Later pauses are longer."""

NOT_AGAIN: Final = "it is not tried again: correct MODEL_URI, and start the server again"

UNSIGNED: Final = (
    "the model was logged without a signature, so wrong input is not refused but may get a wrong "
    "prediction, and these pages cannot say what the model takes; log it again with "
    "input_example=table.head(2), from which MLflow makes the signature"
)
"""The warning for a model that does not declare its input."""


class Lifecycle:
    """The one model of this process: its state, and the attempts to load it.

    To be used on the event loop only. While the loading thread works, only that thread changes the
    state: it records the step that it has reached.
    """

    def __init__(self, settings: Settings, base: Description) -> None:
        self.settings = settings
        self.base = base
        self.state: State = Loading(now())
        if not settings.model_uri:
            self.state = Unconfigured(now(), settings.misnamed)
        self._started = False
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._is_traced = False
        """Whether the log has the traceback of a failed attempt."""

    @property
    def description(self) -> Description:
        """The description of the model; while there is none, that of the base document."""
        return self.state.description if isinstance(self.state, Ready) else self.base

    @property
    def model(self) -> Model:
        """The model. Raises `ModelUnavailable` if there is none yet."""
        if not isinstance(self.state, Ready):
            raise self.state.unavailable()
        return self.state.model

    def start(self) -> None:
        """Starts to load the model; further calls do nothing. The lifespan calls it, and each
        request does, since some servers run no lifespan."""
        if self._started:
            return
        self._started = True
        if isinstance(self.state, Unconfigured):
            logger.warning(self.state.reason)
        else:
            self._task = asyncio.get_running_loop().create_task(self._load_until_ready())

    async def stop(self) -> None:
        """Ends the attempts to load, and removes the model's downloaded files."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if isinstance(self.state, Ready) and self.state.model.folder is not None:
            self.state.model.folder.cleanup()

    async def settled(self, timeout: float) -> None:
        """Waits until the first attempt has ended, but at most `timeout` seconds (0: no limit)."""
        if isinstance(self.state, Loading):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), timeout or None)

    async def ready_model(self) -> Model:
        """The model. While it is loading, waits for it up to the request timeout.

        Raises `ModelUnavailable` if there is none then.
        """
        if not isinstance(self.state, Ready):
            await self.settled(self.settings.request_timeout)
        return self.model

    async def described(self) -> Description:
        """The description. While the model is loading, waits for it up to the request timeout."""
        await self.settled(self.settings.request_timeout)
        return self.description

    async def _load_until_ready(self) -> None:
        pause: float | None = None
        while True:
            try:
                self.state = await in_daemon_thread(self._prepare, "load-model")
            except Exception as error:  # every failure must end the state `Loading`
                failure = _as_failure(error)
                pause = _pause_after(failure.again, pause)
                self._fail(failure, pause)
                if pause is None:
                    return
                await asyncio.sleep(pause)
            else:
                self._settled.set()
                logger.info("ready")
                return

    def _prepare(self) -> Ready:
        """Loads the model, lets it predict its example and describes it. Runs in the loading
        thread. Raises `LoadFailed`."""
        model = load_model(self.settings, self._come_to)
        self._come_to("predicting the examples")
        warnings = warm_up(model, self.settings.max_request_bytes)
        description = _described(self.base, model, self.settings, warnings)
        settle_memory()
        shown = [*warnings, *filter(None, [description.warning])]
        if not model.declared.get("inputs"):
            logger.warning(UNSIGNED)
            shown.append(UNSIGNED)
        return Ready(now(), model, description, shown)

    def _come_to(self, step: str) -> None:
        assert isinstance(self.state, Loading | Failed)
        self.state = replace(self.state, step=step)

    def _fail(self, error: LoadFailed, pause: float | None) -> None:
        """The last attempt has failed. `pause`: the seconds until the next one; None if there is
        none."""
        before = self.state
        assert isinstance(before, Loading | Failed)
        since = now() if isinstance(before, Loading) else before.since
        if pause is None:
            reason = told = f"{error}; {NOT_AGAIN}"
            next_try = None
        else:
            reason, told = str(error), f"{error}; trying again in {pause:.0f} s"
            next_try = now() + timedelta(seconds=pause)
        self.state = Failed(since, reason, next_try, before.step)
        self._log(told, error)
        self._settled.set()

    def _log(self, told: str, error: LoadFailed) -> None:
        """Logs a failure; its traceback once, and only for debugging if the advice explains all."""
        is_explained = error.again != "soon"
        cause = None if is_explained or self._is_traced else error.__cause__
        logger.error(told, exc_info=cause)
        self._is_traced |= cause is not None
        if is_explained:
            logger.debug("this failure was raised by", exc_info=error.__cause__)


def _pause_after(again: Again, before: float | None) -> float | None:
    """Seconds until the next attempt, after a failure and the pause `before` it; None if there is
    to be none."""
    if again == "never":
        return None
    return min(max(2 * (before or 0), FIRST_PAUSES[again]), LONGEST_PAUSE)


def _as_failure(error: Exception) -> LoadFailed:
    if isinstance(error, LoadFailed):
        return error
    failure = LoadFailed(f"loading the model ended with {type(error).__name__}; {LOGGED}")
    failure.__cause__ = error
    return failure


def _described(
    base: Description, model: Model, settings: Settings, warnings: Sequence[str]
) -> Description:
    """The model's description, or the base description if describing fails: a model that can
    predict is served all the same."""
    shown = replace(model, example=None) if warnings else model
    try:
        return describe(base.document, shown, settings.key_variable, warnings)
    except Exception:
        logger.exception("the model is served without a description of its own")
        return base
