"""What all endpoints use: settings, the model's life, workers, bodies. There is one per app."""

from dataclasses import dataclass

from starlette.requests import Request

from modelserver.hosting.bodies import Bodies
from modelserver.hosting.settings import Settings
from modelserver.lifecycle import Lifecycle
from modelserver.scoring.scheduling.workers import Workers


@dataclass(slots=True)
class Service:
    """The parts of one app."""

    settings: Settings
    lifecycle: Lifecycle
    workers: Workers
    bodies: Bodies


def service_of(request: Request) -> Service:
    """The app's service. The first call starts to load the model, unless a lifespan has done so."""
    service: Service = request.app.state.service
    service.lifecycle.start()
    return service
