"""The app as replicas of Ray Serve, on one machine or on many.

`serve run deploy.ray_serve:app replicas=4` in the project's folder, with the settings as
environment variables, and both requirements.txt installed on each machine. Each replica is a
process of its own with the whole of `main:app` in it, unchanged; Ray's proxy shares the requests
among them.
"""

from collections.abc import Mapping
from typing import Any

from ray import serve


def _load_app() -> Any:
    """The ASGI app, imported where the replica runs."""
    from main import app as asgi_app

    return asgi_app


def app(arguments: Mapping[str, str]) -> serve.Application:
    """The application for `serve run`; `replicas` are 2 unless given."""
    deployment = serve.deployment(
        name="model",
        num_replicas=int(arguments.get("replicas", 2)),
        max_ongoing_requests=128,  # of a replica; its own queue answers 503 when it is full
        ray_actor_options={"num_cpus": 1},
    )(serve.ingress(_load_app)())
    return deployment.bind()
