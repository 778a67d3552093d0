"""What the first page says, for people and for programs.

In: the life of the model. Out: a frozen `Landing`, from which `pages` makes HTML, and a summary as
a JSON value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modelserver.describing.questionnaire import Questionnaire
from modelserver.lifecycle import Lifecycle, State, isoformat
from modelserver.loading.attempt import public_uri
from modelserver.scoring.model import Model

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
"""Relative to the page."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What there is to show. Times are ISO 8601 texts; texts are empty for nothing."""

    state: State
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
    questionnaire: Questionnaire
    document: Mapping[str, Any]


def title(lifecycle: Lifecycle) -> str:
    """The model's name; before it is known, where the model comes from."""
    if lifecycle.model:
        return str(lifecycle.description.document["info"]["title"])
    uri = lifecycle.settings.model_uri
    return public_uri(uri) if uri else NO_MODEL


def landing(lifecycle: Lifecycle, base_url: str) -> Landing:
    """What there is to show now. `base_url`: of the page, as far as the server knows it."""
    model = lifecycle.model
    registration = model.registration if model else None
    return Landing(
        state=lifecycle.state,
        title=title(lifecycle),
        version=(registration and registration.version) or "",
        description=(registration and registration.description) or "",
        reason=lifecycle.reason or "",
        warnings=lifecycle.warnings,
        step=lifecycle.step or "",
        since=isoformat(lifecycle.since) or "",
        next_try=isoformat(lifecycle.next_try) or "",
        facts=_facts(model) if model else (),
        base_url=base_url,
        on_connect=lifecycle.settings.on_connect,
        questionnaire=lifecycle.description.questionnaire,
        document=lifecycle.description.document,
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
    """The same for programs; null for nothing."""
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
