"""The states of the one model: unconfigured, loading, failed or ready. Each is a frozen value.

    unconfigured      MODEL_URI is not set; remains so until the process ends
    loading ──▶ ready or failed
    failed ──▶ ready or failed, after each further attempt; there is none if no model can be at the
                      URI
    ready             until the process ends

`lifecycle` makes them; endpoints and pages read them. Each state has only the fields that it needs.
`report` gives what /health shows of it, and `unavailable`, in the states without a model, the error
for requests that need one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar, Final, Literal, TypeAlias

from modelserver.describing.description import Description
from modelserver.errors import ModelUnavailable
from modelserver.scoring.model import Model

UNCONFIGURED: Final = (
    "there is no model to serve, since MODEL_URI is not set. Start again with one: "
    "MODEL_URI=models:/my-model/1 python main.py (in PowerShell: "
    "$env:MODEL_URI = 'models:/my-model/1'; python main.py); on Posit Connect, set MODEL_URI "
    "in the content's Vars pane"
)

LONGEST_PAUSE: Final = 60.0
"""The most seconds between two attempts to load a model."""

StateName: TypeAlias = Literal["unconfigured", "loading", "ready", "failed"]


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(timezone.utc)


def isoformat(moment: datetime) -> str:
    """A time as ISO 8601 text, to the second."""
    return moment.isoformat(timespec="seconds")


def _report(name: StateName, since: datetime, **more: object) -> dict[str, Any]:
    """What /health shows of every state; null for a field that the state does not have."""
    absent: dict[str, Any] = {"step": None, "reason": None, "next_try": None, "warnings": []}
    return {"state": name, "since": isoformat(since), **absent, **more}


@dataclass(frozen=True, slots=True)
class Unconfigured:
    """MODEL_URI is not set, so there is no model to load. `misnamed`: the question whether another
    variable was meant to be it."""

    since: datetime
    misnamed: str = ""
    name: ClassVar[StateName] = "unconfigured"

    def unavailable(self) -> ModelUnavailable:
        """The error for requests that need a model."""
        return ModelUnavailable(self.reason)

    def report(self) -> dict[str, Any]:
        """What /health shows of this state."""
        return _report(self.name, self.since, reason=self.reason)

    @property
    def reason(self) -> str:
        """Why there is no model, and what to set."""
        return f"{self.misnamed} T{UNCONFIGURED[1:]}" if self.misnamed else UNCONFIGURED


@dataclass(frozen=True, slots=True)
class Loading:
    """The first attempt to load the model is running."""

    since: datetime
    step: str | None = None
    """What the attempt is doing; None before its first step."""
    name: ClassVar[StateName] = "loading"

    def unavailable(self) -> ModelUnavailable:
        """The error for requests that have waited long enough."""
        step = f": {self.step}" if self.step else ""
        text = f"the model is still loading, since {isoformat(self.since)}{step}"
        return ModelUnavailable(text, headers={"Retry-After": "5"})

    def report(self) -> dict[str, Any]:
        """What /health shows of this state."""
        return _report(self.name, self.since, step=self.step)


@dataclass(frozen=True, slots=True)
class Failed:
    """The last attempt to load the model failed. The next one has not started yet, or is
    running."""

    since: datetime
    """When the first attempt failed."""
    reason: str
    """Why the last attempt failed."""
    next_try: datetime | None
    """When the next attempt starts; None if there is none, since it could not help."""
    step: str | None = None
    """The step at which the last attempt failed; once the next one is running, its current step."""
    name: ClassVar[StateName] = "failed"

    def unavailable(self) -> ModelUnavailable:
        """The error for requests that need a model: why there is none, and when to try again."""
        text = f"the model could not be loaded: {self.reason}"
        if self.next_try is None:
            return ModelUnavailable(text)
        left = (self.next_try - now()).total_seconds()
        seconds = round(min(max(1, left), LONGEST_PAUSE))  # the clock may have been set
        return ModelUnavailable(text, headers={"Retry-After": str(seconds)})

    def report(self) -> dict[str, Any]:
        """What /health shows of this state."""
        next_try = self.next_try and isoformat(self.next_try)
        return _report(self.name, self.since, step=self.step, reason=self.reason, next_try=next_try)


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded, and its example was tried."""

    since: datetime
    model: Model
    description: Description
    warnings: Sequence[str]
    name: ClassVar[StateName] = "ready"

    def report(self) -> dict[str, Any]:
        """What /health shows of this state."""
        return _report(self.name, self.since, warnings=self.warnings)


State: TypeAlias = Unconfigured | Loading | Failed | Ready
