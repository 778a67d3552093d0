"""What all endpoints work with: settings, the model's life, the workers. One per app."""

from dataclasses import dataclass

from starlette.requests import Request

from modelserver.hosting.memory import FreeMemory
from modelserver.hosting.settings import Settings
from modelserver.lifecycle import Lifecycle
from modelserver.scoring.workers import Workers


@dataclass(slots=True)
class Service:
    """The parts of one app."""

    settings: Settings
    lifecycle: Lifecycle
    workers: Workers
    memory: FreeMemory


def service_of(request: Request) -> Service:
    """The app's service. The first call begins to load the model, where no lifespan did so."""
    service: Service = request.app.state.service
    service.lifecycle.start()
    return service
