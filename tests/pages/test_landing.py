"""What the first page says of a model."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from modelserver.describing.description import base_description
from modelserver.hosting.settings import read_settings
from modelserver.lifecycle import Lifecycle
from modelserver.pages.landing import LINKS, landing, summary, title
from modelserver.scoring.model import Registration


def test_a_registered_model(client: Callable[..., TestClient]) -> None:
    wine: Any = client("wine").app
    lifecycle = copy.copy(wine.state.service.lifecycle)
    registration = Registration("models:/wine/3", "wine", "3", "One.\n\nTwo.")
    model = replace(lifecycle.state.model, registration=registration)
    lifecycle.state = replace(lifecycle.state, model=model)
    shown = landing(lifecycle, "http://server")
    assert (shown.title, shown.version, shown.description) == ("wine", "3", "One.\n\nTwo.")
    assert [name for name, _ in shown.facts] == ["Version", "Made with", "Model URI", "Loaded"]
    assert summary(shown) == {
        "name": "wine",
        "version": "3",
        "state": "ready",
        "reason": None,
        "step": None,
        "since": shown.since,
        "next_try": None,
        "description": "One.\n\nTwo.",
        "warnings": [],
        "links": LINKS,
    }


def test_a_model_that_is_not_there_yet() -> None:
    settings = read_settings({"MODEL_URI": "https://user:secret@host/models/wine"})
    lifecycle = Lifecycle(settings, base_description())
    assert title(lifecycle) == "https://host/models/wine"
    assert summary(landing(lifecycle, ""))["name"] is None
    assert title(Lifecycle(read_settings({}), base_description())) == "No model yet"
