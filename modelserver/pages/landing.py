"""What the first page says, for people and for programs.

In: the life of the model. Out: a frozen `Landing`, from which `html` makes the page, and a summary
of it as a JSON value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from modelserver.describing.questionnaire import Questionnaire
from modelserver.describing.snippets import Call
from modelserver.lifecycle import Lifecycle
from modelserver.loading.attempt import public_uri
from modelserver.scoring.model import Model
from modelserver.states import Ready, StateName

NO_MODEL: Final = "No model yet"

LINKS: Final = {
    "docs": "docs",
    "redoc": "redoc",
    "openapi_json": "openapi.json",
    "openapi_yaml": "openapi.yaml",
    "invocations": "invocations",
    "health": "health",
    "metadata": "metadata",
}
"""The links in the summary, relative to the page."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What the first page shows. Times are ISO 8601 texts; a text is empty if there is nothing to
    show."""

    state: StateName
    title: str
    version: str
    description: str
    reason: str
    warnings: Sequence[str]
    step: str
    since: str
    next_try: str
    facts: Sequence[tuple[str, str]]
    base_url: str
    on_connect: bool
    misnamed: str
    key_variable: str
    questionnaire: Questionnaire
    calls: Sequence[Call]


def title(lifecycle: Lifecycle) -> str:
    """The model's name; its URI while it is not loaded."""
    if isinstance(lifecycle.state, Ready):
        return lifecycle.state.model.title
    uri = lifecycle.settings.model_uri
    return public_uri(uri) if uri else NO_MODEL


def landing(lifecycle: Lifecycle, base_url: str) -> Landing:
    """What the first page shows now. `base_url`: the URL of the page, as far as the server knows
    it."""
    state, report = lifecycle.state, lifecycle.state.report()
    model = state.model if isinstance(state, Ready) else None
    registration = model.registration if model else None
    return Landing(
        state=state.name,
        title=title(lifecycle),
        version=(registration and registration.version) or "",
        description=(registration and registration.description) or "",
        reason=report["reason"] or "",
        warnings=report["warnings"],
        step=report["step"] or "",
        since=report["since"],
        next_try=report["next_try"] or "",
        facts=_facts(model) if model else (),
        base_url=base_url,
        on_connect=lifecycle.settings.on_connect,
        misnamed=lifecycle.settings.misnamed,
        key_variable=lifecycle.settings.key_variable,
        questionnaire=lifecycle.description.questionnaire,
        calls=lifecycle.description.calls,
    )


def _facts(model: Model) -> Sequence[tuple[str, str]]:
    facts = {
        "Version": model.registration.version,
        "Made with": model.flavor,
        "Model URI": model.uri,
        "Run": model.run_id,
        "Loaded": f"{model.loaded_at:%Y-%m-%d %H:%M} UTC",
    }
    return [(name, str(value)) for name, value in facts.items() if value]


def summary(shown: Landing) -> dict[str, Any]:
    """The same as a JSON value for programs; null where there is nothing to show."""
    texts = {
        "name": shown.title if shown.state == "ready" else "",
        "version": shown.version,
        "state": shown.state,
        "reason": shown.reason,
        "step": shown.step,
        "since": shown.since,
        "next_try": shown.next_try,
        "description": shown.description,
    }
    lists = {"warnings": list(shown.warnings), "links": LINKS}
    return {name: text or None for name, text in texts.items()} | lists
