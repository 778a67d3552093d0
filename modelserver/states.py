"""The states of the one model: unconfigured, loading, failed or ready. Each is a frozen value.

    unconfigured      MODEL_URI is not set; another setting needs a new process
    loading ──▶ ready or failed
    failed ──▶ ready or failed, at each next try
    ready             to the end of the process

`lifecycle` makes them, endpoints and pages ask them. Each has the fields that it needs and no
others, and says what /health tells of it in `report`. Those without a model say why there is none
in `unavailable`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar, Final, Literal, TypeAlias

from modelserver.describing.description import Description
from modelserver.errors import ModelUnavailable
from modelserver.scoring.model import Model

UNCONFIGURED: Final = (
    "MODEL_URI is not set. Set it to the model's URI, for example models:/my-model/1: on Posit "
    "Connect in the content's Vars pane, elsewhere as an environment variable; then restart"
)

StateName: TypeAlias = Literal["unconfigured", "loading", "ready", "failed"]


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(timezone.utc)


def isoformat(moment: datetime) -> str:
    """A time as ISO 8601 text to the second."""
    return moment.isoformat(timespec="seconds")


def _report(name: StateName, since: datetime, **more: object) -> dict[str, Any]:
    """What /health tells of every state; null for what a state does not have."""
    absent: dict[str, Any] = {"step": None, "reason": None, "next_try": None, "warnings": []}
    return {"state": name, "since": isoformat(since), **absent, **more}


@dataclass(frozen=True, slots=True)
class Unconfigured:
    """No model is named."""

    since: datetime
    name: ClassVar[StateName] = "unconfigured"

    def unavailable(self) -> ModelUnavailable:
        """The error for requests that need a model."""
        return ModelUnavailable(UNCONFIGURED)

    def report(self) -> dict[str, Any]:
        """What /health tells."""
        return _report(self.name, self.since, reason=UNCONFIGURED)


@dataclass(frozen=True, slots=True)
class Loading:
    """The first attempt to load the model goes on."""

    since: datetime
    step: str | None = None
    """What the attempt is doing; None before its first step."""
    name: ClassVar[StateName] = "loading"

    def unavailable(self) -> ModelUnavailable:
        """The error for requests that did not want to wait longer."""
        step = f": {self.step}" if self.step else ""
        text = f"the model is still loading, since {isoformat(self.since)}{step}"
        return ModelUnavailable(text, headers={"Retry-After": "5"})

    def report(self) -> dict[str, Any]:
        """What /health tells."""
        return _report(self.name, self.since, step=self.step)


@dataclass(frozen=True, slots=True)
class Failed:
    """The last attempt to load the model failed; the next is waited for, or goes on."""

    since: datetime
    """When the first attempt failed."""
    reason: str
    """Why the last one failed."""
    next_try: datetime
    step: str | None = None
    """What the last one was doing when it failed, or what the one that goes on is doing."""
    name: ClassVar[StateName] = "failed"

    def unavailable(self) -> ModelUnavailable:
        """The error for requests that need a model: why there is none, and when to ask again."""
        seconds = max(1, round((self.next_try - now()).total_seconds()))
        text = f"the model could not be loaded: {self.reason}"
        return ModelUnavailable(text, headers={"Retry-After": str(seconds)})

    def report(self) -> dict[str, Any]:
        """What /health tells."""
        next_try = isoformat(self.next_try)
        return _report(self.name, self.since, step=self.step, reason=self.reason, next_try=next_try)


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded and has predicted its example."""

    since: datetime
    model: Model
    description: Description
    warnings: Sequence[str]
    name: ClassVar[StateName] = "ready"

    def report(self) -> dict[str, Any]:
        """What /health tells."""
        return _report(self.name, self.since, warnings=self.warnings)


State: TypeAlias = Unconfigured | Loading | Failed | Ready
